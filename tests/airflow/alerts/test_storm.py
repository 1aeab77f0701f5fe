"""Many alerts at once, and a gateway that is down or slow."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from airflow_provider_osonsms.alerts import send
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway

MORNING = datetime(2026, 11, 23, 4, tzinfo=UTC)


def make_context(run, *, minutes):
    """Make the context of a run's callback, so many minutes after nine o'clock."""
    end = MORNING + timedelta(minutes=minutes)
    dag_run = SimpleNamespace(dag_id="unit", run_id=f"run-{run}", state="failed", end_date=end)
    return {"run_id": dag_run.run_id, "reason": "task_failure", "dag_run": dag_run}


def test_storm_is_one_sms_in_each_window(gateway, make_notifier):
    """200 runs fail in 25 minutes, with two callbacks each on eight workers: three windows, three SMS."""
    contexts = [make_context(run, minutes=25 * run / 200) for run in range(200) for _ in range(2)]
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(make_notifier(), contexts))

    assert gateway.requests["send"] == 400
    assert len(gateway.sent) == 3


def test_lost_answers_text_nobody_twice(gateway, make_notifier):
    """Alerts whose answers are lost are asked again under the same key."""
    gateway.inject(Fault.CUT_AFTER, times=5)
    for run in range(6):
        make_notifier()(make_context(run, minutes=1))

    assert len(gateway.sent) == 1


def test_gateway_that_hangs_is_left_within_seconds(gateway, make_notifier, monkeypatch, said):
    """However patient the Connection is, an alert ends soon, and says who was not texted."""
    monkeypatch.setattr(send, "MAX_TIMEOUT", 0.1)
    monkeypatch.setattr(send, "MAX_SECONDS", 0.3)
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(timeout=600))
    gateway.inject(Fault.HANG_BEFORE, times=100)
    began = time.monotonic()

    make_notifier(phones=[f"99290000000{number}" for number in range(6)])(make_context(1, minutes=1))

    assert time.monotonic() - began < 5
    assert "992•••••000 may have been sent" in said()
    assert "992•••••005: the gateway answers too slowly" in said()


@pytest.mark.parametrize("is_blocked", [True, False], ids=["refused", "no money"])
def test_account_that_cannot_send(gateway, make_notifier, said, *, is_blocked):
    """A refused account, and one without money, are said in the log with what to do."""
    change = {"is_blocked": True} if is_blocked else {"balance": 0}
    gateway.backend.change_account("demo", **change)

    make_notifier()(make_context(1, minutes=1))

    assert gateway.sent == []
    assert "The alert to 992•••••001 was not sent: " in said()


def test_installations_on_one_account(make_notifier, monkeypatch):
    """Two installations with a key_namespace each do not throttle one another."""
    with SimulatedGateway() as gateway:
        for namespace in ("staging", "production"):
            connection = gateway.connection_json(key_namespace=namespace)
            monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", connection)
            make_notifier()(make_context(1, minutes=1))

        assert len(gateway.sent) == 2
