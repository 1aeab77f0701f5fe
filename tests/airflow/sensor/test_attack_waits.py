"""Waits that an attack has broken: lists of other waits, edited DAGs, messages that change."""

import csv

import pytest

from airflow_provider_osonsms.delivery import memory as memories
from airflow_provider_osonsms.delivery.criteria import Decision
from airflow_provider_osonsms.delivery.memory import FileMemory
from airflow_provider_osonsms.delivery.report.plan import WrittenFiles
from airflow_provider_osonsms.delivery.result import WaitResult
from airflow_provider_osonsms.delivery.summary import NOTHING_KNOWN
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor
from airflow_provider_osonsms.triggers.delivery import OsonSmsDeliveryTrigger

MODES = ("poke", "reschedule", "deferrable")
DELIVERED, LOST = "992900000101", "992900000293"
EVENT = WaitResult(decision=Decision.SUCCEED, summary=NOTHING_KNOWN, files=WrittenFiles({})).to_event()


@pytest.fixture
def send_campaign(gateway, run_task, tmp_path):
    """Text some phones, with a results table."""

    def send(*phones):
        path = tmp_path / "sent.csv"
        operator = OsonSmsCampaignOperator(
            task_id="sms", recipients=list(phones), message="Салом", results_path=str(path)
        )
        return run_task(operator).xcom

    return send


@pytest.fixture
def make_sensor(send_campaign, tmp_path):
    """Make a deferrable sensor that writes a list with this name."""
    sent = send_campaign(DELIVERED, LOST)

    def make(name, **options):
        options = {"undelivered_path": name and str(tmp_path / name), "min_delivered": 0.0, **options}
        return OsonSmsDeliverySensor(task_id="wait", messages=sent, deferrable=True, retries=1, **options)

    return make


@pytest.mark.parametrize("first", ["old.csv", None])
def test_a_list_of_an_edited_dag_is_no_success(run_task, make_sensor, read_kwargs, fire, first):
    """The trigger has written the list of the DAG before: the next step would read another file, or none."""
    deferred = run_task(make_sensor(first))
    event = fire(OsonSmsDeliveryTrigger(**read_kwargs(deferred.msg)))

    resumed = run_task(make_sensor("new.csv"), next_event=event)

    assert resumed.state == "up_for_retry"
    assert "undelivered_path has changed" in str(resumed.error)


@pytest.mark.parametrize("mode", MODES)
def test_an_old_list_does_not_outlive_a_wait_without_one(gateway, send_campaign, wait, tmp_path, mode):
    """A wait that ends without a list leaves none: the next step would text those of yesterday."""
    path = tmp_path / "undelivered.csv"
    path.write_text(f"key,phone\n{DELIVERED},{DELIVERED}\n")
    sent = send_campaign(DELIVERED)
    gateway.backend.change_account("demo", is_blocked=True)

    result = wait(mode, messages=sent, undelivered_path=str(path), soft_fail=True)

    assert result.state == "skipped"
    assert not path.exists()


def test_messages_that_change_between_pokes(gateway, send, run_task, tmp_path):
    """A poke that is given fewer messages than the one before it does not forget the others."""
    gateway.backend.change_behavior(enroute_seconds=60)
    first, second = send("01", "93")
    options = {"task_id": "wait", "mode": "reschedule", "report_path": str(tmp_path / "r.csv"), "retries": 1}

    poked = run_task(OsonSmsDeliverySensor(messages=[first, second], **options))
    again = run_task(OsonSmsDeliverySensor(messages=[second], **options), reschedules=1)

    assert (poked.state, again.state) == ("up_for_reschedule", "up_for_retry")
    assert "the messages have changed" in str(again.error)


@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_cannot_be_read_once(monkeypatch, send, wait, mode):
    """What Airflow fails with for a moment ends no wait, in no mode."""
    messages = send("01")
    failures = [RuntimeError("the API server restarts")]
    read, aread = OsonSmsHook.get_settings, OsonSmsHook.aget_settings

    def get_settings(self):
        if failures:
            raise failures.pop()
        return read(self)

    async def aget_settings(self):
        if failures:
            raise failures.pop()
        return await aread(self)

    monkeypatch.setattr(OsonSmsHook, "get_settings", get_settings)
    monkeypatch.setattr(OsonSmsHook, "aget_settings", aget_settings)

    assert wait(mode, messages=messages, retries=0).state == "success"


def test_a_trigger_that_runs_twice_ends_twice_alike(*, run_task, read_kwargs, fire, send, tmp_path):
    """The triggerer may die before the event is stored: the msg_ids are still there for the next one."""
    messages = [*send("01"), *map(str, range(900_000_000, 900_001_500))]
    sensor = OsonSmsDeliverySensor(
        task_id="wait",
        messages=messages,
        deferrable=True,
        report_path=str(tmp_path / "report.csv"),
        unknown_after=0.001,
        poke_interval=0.01,
        max_poll_interval=0.01,
    )
    kwargs = read_kwargs(run_task(sensor).msg)
    assert len(kwargs["msg_ids"]) == 0

    events = [fire(OsonSmsDeliveryTrigger(**kwargs)) for _ in range(2)]
    run_task(sensor, next_event=events[1])

    assert [event["summary"]["total"] for event in events] == [1501, 1501]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.csv"]


def test_a_long_round_is_kept_before_its_end(*, monkeypatch, run_task, read_kwargs, fire, send, tmp_path):
    """A process that is killed in a round of hours has kept what it has seen until then."""
    saved = []
    monkeypatch.setattr(memories, "_SECONDS_BETWEEN_SAVES", 0.05)
    monkeypatch.setattr(FileMemory, "_write", lambda _, dumped: saved.append(dumped))
    messages = send(*["01"] * 10)
    sensor = OsonSmsDeliverySensor(
        task_id="wait",
        messages=messages,
        deferrable=True,
        max_rate=20,
        report_path=str(tmp_path / "report.csv"),
    )

    fire(OsonSmsDeliveryTrigger(**read_kwargs(run_task(sensor).msg)))

    assert len(saved) > 3


def test_the_list_of_a_relative_path_would_be_elsewhere(run_task, make_sensor):
    """The triggerer runs in another folder than the workers."""
    result = run_task(make_sensor(None, undelivered_path="undelivered.csv"))

    assert result.state == "failed"
    assert "undelivered_path is a relative path" in str(result.error)


@pytest.mark.parametrize(
    "change",
    [
        {"error": "refused"},
        {"decision": "wait"},
        {"files": ["undelivered_path"]},
        {"summary": {**EVENT["summary"], "by_status": None}},
        {"summary": {**EVENT["summary"], "examples": []}},
        {"decision": None},
    ],
    ids=str,
)
def test_an_event_that_was_changed_is_a_clear_failure(gateway, run_task, change):
    """It is neither a success nor an error of Python."""
    sensor = OsonSmsDeliverySensor(task_id="wait", messages="1", deferrable=True, retries=1)

    result = run_task(sensor, next_event={**EVENT, **change})

    assert (result.state, type(result.error).__name__) == ("failed", "AirflowFailException")


@pytest.mark.parametrize("mode", MODES)
def test_a_memory_that_fails_costs_questions_only(monkeypatch, send_campaign, wait, tmp_path, mode):
    """If nothing can be kept, each mode still ends with the right list."""

    def fail(*_):
        raise PermissionError("a path")

    monkeypatch.setattr(memories.StoreMemory, "_write", fail)
    monkeypatch.setattr(FileMemory, "_write", fail)
    path = tmp_path / "undelivered.csv"

    result = wait(
        mode, messages=send_campaign(DELIVERED, LOST), undelivered_path=str(path), min_delivered=0.0
    )

    assert result.state == "success"
    with path.open() as file:
        assert [row["key"] for row in csv.DictReader(file)] == [LOST]


@pytest.mark.parametrize(
    "options",
    [
        {"exponential_backoff": True},
        {"max_wait": 60},
        {"min_delivered": 0.5, "min_delivered_count": 5},
        {"include_unknown": True},
        {"report_language": "ru"},
        {"report_title": "Ноябр"},
        {"stop_early": True, "undelivered_path": "/data/u.csv"},
        {"max_rate": 5e-324},
        {"concurrency": 10**7},
    ],
    ids=str,
)
def test_what_would_have_no_effect_is_refused(options):
    """Nothing that is given is ignored: it is refused when the DAG is built."""
    with pytest.raises(ValueError, match=next(iter(options)).replace("max_wait", "exponential_backoff")):
        OsonSmsDeliverySensor(task_id="wait", messages="1", **options)
