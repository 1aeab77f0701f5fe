"""Alerts from the callbacks of a whole Airflow: workers, DAG processor, triggerer and executor."""

import os
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import pytest

from airflow_provider_osonsms.alerts.throttle import find_window

VERSION = tuple(map(int, version("apache-airflow").split(".")[:2]))
FAILING_RUNS = int(os.environ.get("OSONSMS_STORM", "12"))
"""Two CPUs do it in a minute; OSONSMS_STORM=200 is the whole storm, -s shows figures."""
WINDOW = timedelta(minutes=10)


def test_storm(standalone: Any, gateway: Any) -> None:
    """Runs that fail with two callbacks each text once in a window, whoever calls them."""
    first = datetime.now(UTC)
    runs = standalone.start_runs("e2e_storm", FAILING_RUNS)
    for run in runs:
        assert run.wait() == "failed"
    standalone.wait_until(lambda: gateway.requests["send"] >= 2 * FAILING_RUNS, "every callback of every run")
    last = datetime.now(UTC)  # callbacks come after the end of a run; a task that Airflow lost has no start
    windows = (find_window(last, WINDOW) - find_window(first, WINDOW)) // WINDOW + 1
    sent = [sms.phone for sms in gateway.sent]
    sys.stdout.write(f"{FAILING_RUNS} runs in {last - first}, {windows} windows, {len(sent)} SMS\n")
    assert set(sent) == {"992900000901"}
    assert len(sent) <= windows
    assert all("e2e_storm" in sms.text and sms.parts == 1 for sms in gateway.sent)


def test_gateway_that_is_down(standalone: Any, gateway: Any) -> None:
    """With alerts to a gateway that is down, no task differs from one without alerts."""
    told, untold = (standalone.start_run(dag_id) for dag_id in ("e2e_alerts_to_nobody", "e2e_no_alerts"))
    states = [run.wait() for run in (told, untold)]
    tasks = [
        {name: (run.task(name)["state"], run.task(name)["try_number"]) for name in ("good", "skipped", "bad")}
        for run in (told, untold)
    ]

    assert states == ["failed", "failed"]
    assert tasks[0] == tasks[1] == {"good": ("success", 1), "skipped": ("skipped", 1), "bad": ("failed", 2)}
    standalone.wait_until(
        lambda: all("992•••••903 was not sent" in told.logs(name)["attempt=1.log"] for name in tasks[0]),
        "every callback has said that nothing was sent",
    )


@pytest.mark.skipif(VERSION < (3, 2), reason="deadlines came with Airflow 3.2")
def test_missed_deadlines(standalone: Any, gateway: Any) -> None:
    """A missed deadline texts from the triggerer and from the executor, once each."""
    run = standalone.start_run("e2e_late")
    standalone.wait_until(
        lambda: gateway.inbox("992900000904") and gateway.inbox("992900000905"), "both alerts of a late run"
    )

    assert run.wait() == "success"
    for phone in ("992900000904", "992900000905"):
        (sms,) = gateway.inbox(phone)
        assert sms.text.startswith("e2e_late missed its deadline")
