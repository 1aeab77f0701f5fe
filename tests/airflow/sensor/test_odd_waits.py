"""Waits that somebody would look into at night: nothing to ask for, storages that fail, dry runs."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.delivery.criteria import DeliveryCriteria
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.memory import WaitMemory
from airflow_provider_osonsms.delivery.polling import PollSettings
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator, OsonSmsSendOperator
from airflow_provider_osonsms.sensors import delivery as sensors
from airflow_provider_osonsms.sensors import poke, wait_state
from airflow_provider_osonsms.sensors.osonsms import DeliveryFailedError
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.triggers import delivery as triggers

MODES = ("poke", "reschedule", "deferrable")
RESULTS = "row,key,phone,outcome,reason,txn_id,msg_id,parts\n0,a,992900000001,accepted,,0a,{},1\n"


class Shaky(type(Path())):
    """A storage that fails at first with an error of its own."""

    failures = 1

    def open(self, *args, **kwargs):
        """Fail, then open."""
        if Shaky.failures:
            Shaky.failures -= 1
            raise LookupError("a URL of the storage")
        return super().open(*args, **kwargs)


@pytest.fixture
def results(gateway, send, tmp_path):
    """The table of a campaign with one message."""
    path = tmp_path / "results.csv"
    path.write_text(RESULTS.format(*send("01")))
    return path


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("messages", [[], [{"msg_id": None}]])
def test_nothing_to_ask_for_is_no_delivery(mode, messages, wait):
    """A number of messages that should be delivered is not reached where there is none to ask for."""
    result = wait(mode, messages=messages, min_delivered_count=5)

    assert isinstance(result.error, DeliveryFailedError)
    assert "at least 5 should be delivered" in str(result.error)
    assert wait(mode, messages=messages, min_delivered_count=5, soft_fail=True).state == "skipped"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("messages", [None, {"results_path": "/none/results.csv"}])
def test_wrong_messages_skip_softly(gateway, mode, messages, wait):
    """soft_fail means the same for a mistake in every mode."""
    assert wait(mode, messages=messages, soft_fail=True).state == "skipped"
    assert wait(mode, messages=messages).state == "failed"


def test_doubts_out_of_step(gateway, send, wait):
    """Rescheduled, messages whose doubtful sightings began at different times still come to an end."""
    (first,) = send("95")
    gateway.backend.change_behavior(enroute_seconds=0.3, accepted_seconds=0)
    (second,) = send("01", "95")[1:]

    result = wait("reschedule", messages=[first, second], timeout=4, unknown_after=0.001)

    assert result.state == "failed"
    assert isinstance(result.error, DeliveryFailedError)
    assert "2 UNKNOWN" in str(result.error)


def test_doubts_without_a_memory(monkeypatch, gateway, wait):
    """Rescheduled below Airflow 3.3, doubtful messages are settled within a poke instead of never."""
    monkeypatch.setattr(wait_state, "open_state_store", lambda _: NullStateStore())

    result = wait("reschedule", messages=["771", "772", "773"], timeout=20, unknown_after=0.001)

    assert "3 NOT_FOUND" in str(result.error)
    assert gateway.requests["query"] == 9


def test_doubts_end_at_the_deadline(gateway):
    """Settled within a poke, doubts do not hold a worker's slot beyond the deadline."""
    wait = poke.Wait(
        began=datetime.now(UTC),
        opened=datetime.now(UTC),
        seconds=4,  # in which a busy machine asks twice
        messages=TrackedMessages(msg_ids=("771",)),
        wait_id="",
        try_number=1,
        plan=None,
        memory=WaitMemory(),
        memory_path=None,
    )
    criteria = DeliveryCriteria(unknown_limit=400, unknown_after=0.001)
    tracker = DeliveryTracker(MsgIds(["771"]), criteria=criteria, began=0.0)

    polling = PollSettings(poll_interval=0.05)
    poke.poke_once(wait, tracker, _read_settings(), polling=polling, is_rescheduled=True)

    assert 1 < gateway.requests["query"] < 400


def test_a_storage_that_fails_for_now(monkeypatch, mode_of_reading, results):
    """A table that cannot be read for a moment is read again: by the trigger itself, elsewhere in a retry."""
    monkeypatch.setattr(Shaky, "failures", 1)
    first, second = mode_of_reading({"results_path": str(results)})

    assert first.state in ("success", "up_for_retry")
    assert "URL" not in str(first.error)
    assert second.state == "success"


@pytest.fixture(params=["poke", "deferrable"])
def mode_of_reading(request, monkeypatch, wait):
    """Wait twice, over a shaky storage."""

    async def open_shaky(path):
        return Shaky(path)

    def wait_twice(messages):
        monkeypatch.setattr(sensors, "open_path", Shaky)
        monkeypatch.setattr(triggers, "aopen_path", open_shaky)
        return [wait(request.param, messages=messages, retries=2, timeout=20) for _ in range(2)]

    return wait_twice


def test_dry_runs_have_nothing_to_wait_for(gateway, run_task, wait):
    """The outputs of dry runs are no messages, so a DAG that sends nothing in staging goes through."""
    people = {"recipients": ["992900000101"], "message": "Салом"}
    campaign = OsonSmsCampaignOperator(task_id="campaign", dry_run=True, **people)
    send = OsonSmsSendOperator(task_id="send", phone="992900000101", message="Салом", dry_run=True)
    outputs = [run_task(campaign).xcom, run_task(send).xcom]

    result = wait("poke", messages=outputs)

    assert (result.state, result.xcom["total"], result.xcom["untracked"]) == ("success", 0, 0)


@pytest.mark.parametrize("name", ["report_path", "undelivered_path"])
def test_a_report_does_not_replace_the_results(gateway, name, results, wait):
    """A file that should be read and written at once is refused before the wait."""
    before = results.read_text()

    result = wait("poke", messages={"results_path": str(results)}, **{name: str(results)})

    assert "are one file" in str(result.error)
    assert results.read_text() == before


def test_parts_with_one_table(gateway, wait):
    """Two parts that wrote to one results_path are refused: the second has replaced the first's table."""
    parts = [{"results_path": "/data/sent.csv", "messages": [{"msg_id": str(number)}]} for number in (1, 2)]

    result = wait("poke", messages=parts)

    assert "map_index" in str(result.error)
    assert wait("poke", messages=[parts[0], parts[0]], timeout=0.1).state == "failed"


def test_a_storage_that_nobody_knows(gateway, wait):
    """A path of an unknown kind fails at once, with what to do about it."""
    result = wait("poke", messages="1", report_path="nowhere://bucket/report", retries=3)

    assert (result.state, "correct the path" in str(result.error)) == ("failed", True)


def test_many_ids_travel_as_paths(gateway, run_task, read_kwargs, tmp_path):
    """What several parts of a campaign return inline is handed to the trigger as their tables."""
    outputs = []
    for part in range(3):
        path = tmp_path / f"{part}.csv"
        messages = [{"msg_id": str(1000 * part + row + 1)} for row in range(500)]
        with path.open("w") as file:
            csv.writer(file).writerow(["key"])
        outputs.append({"results_path": str(path), "messages": messages})

    sensor = sensors.OsonSmsDeliverySensor(task_id="wait", messages=outputs, deferrable=True)
    kwargs = read_kwargs(run_task(sensor).msg)

    assert (len(kwargs["sources"]), kwargs["msg_ids"]) == (3, [])
    assert gateway.requests["query"] == 0


def _read_settings() -> Settings:
    from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook

    return OsonSmsHook().get_settings()
