"""How a wait ends: the table of docs/delivery.md, in each mode and with each way to fail."""

import csv
import json
import re
from datetime import timedelta
from threading import Timer

import pytest

from airflow_provider_osonsms.delivery.report import write
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.sensors import delivery as sensors
from airflow_provider_osonsms.simulator import Fault, SimAccount
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.triggers import delivery as triggers

MODES = ("poke", "reschedule", "deferrable")
FLAGS = ("none", "soft_fail", "never_fail", "silent_fail")
DELIVERED, LOST, SLOW = "992900000101", "992900000293", "992900000396"
FILES = ["report.csv", "undelivered.csv"]

FINAL = {"none": "failed", "soft_fail": "skipped", "never_fail": "skipped", "silent_fail": "failed"}
RETRIED = {**FINAL, "none": "up_for_retry", "soft_fail": "up_for_retry", "silent_fail": "up_for_retry"}


def expect_retry(mode, flag):
    """Return the state after an error that may be over soon: silent_fail pokes until Airflow's deadline."""
    return "failed" if flag == "silent_fail" and mode != "deferrable" else RETRIED[flag]


@pytest.fixture
def run(gateway, run_task, wait, tmp_path, monkeypatch):
    """Send to some phones, let something happen, and wait; return the result and the written files."""
    monkeypatch.setattr(sensors, "GRACE", timedelta(seconds=2))
    path = tmp_path / "sent.csv"

    def run(mode, flag, *phones, happen=lambda: None, **options):
        campaign = OsonSmsCampaignOperator(
            task_id="campaign", recipients=list(phones), message="Салом", results_path=str(path)
        )
        defaults = {
            "messages": run_task(campaign).xcom,
            "timeout": 0.5,
            "retries": 2,
            "report_path": str(tmp_path / "report.csv"),
            "undelivered_path": str(tmp_path / "undelivered.csv"),
        }
        happen()
        flags = {} if flag == "none" else {flag: True}
        result = wait(mode, **{**defaults, **options, **flags})
        return result, sorted(file.name for file in tmp_path.iterdir() if file != path)

    return run


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
def test_delivered(run, mode, flag):
    """The wait succeeds, with both files."""
    result, written = run(mode, flag, DELIVERED)

    assert (result.state, written) == ("success", FILES)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("phone", "word"), [(LOST, "1 failed"), (SLOW, "1 pending")])
def test_too_few_delivered(run, mode, flag, *, phone, word):
    """A failed wait, and one whose deadline has come, do not retry; they leave files and counts."""
    result, written = run(mode, flag, DELIVERED, phone)

    assert (result.state, written) == (FINAL[flag], FILES)
    assert result.state == "skipped" or word in str(result.error)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
def test_the_account_is_refused_in_the_middle(gateway, run, mode, flag):
    """No retry would help; what was seen is reported, and nobody is listed."""
    block = Timer(0.2, lambda: gateway.backend.change_account("demo", is_blocked=True))

    result, written = run(mode, flag, DELIVERED, SLOW, happen=block.start, timeout=20)

    assert (result.state, written) == (FINAL[flag], ["report.csv"])


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
def test_another_account(gateway, monkeypatch, run, mode, flag):
    """The gateway knows none of the messages: the report says so, and nobody is listed."""
    gateway.backend.put_account(SimAccount(login="other", secret="salt"))
    own = json.loads(gateway.connection_json(timeout=1))
    other = json.dumps({**own, "login": "other", "password": "salt"})

    def change_connection():
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", other)

    result, written = run(mode, flag, DELIVERED, happen=change_connection, min_delivered=0.0)

    assert (result.state, written) == (FINAL[flag], ["report.csv"])


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
def test_a_table_that_cannot_be_read_for_now(monkeypatch, run, mode, flag):
    """The storage may be back in the next try, in every mode."""

    class Away:
        suffix = ".csv"

        def open(self, *_):
            raise LookupError("a URL")

    def break_storage():
        real, areal = sensors.open_path, triggers.aopen_path

        async def aopen(path):
            return Away() if path.endswith("sent.csv") else await areal(path)

        monkeypatch.setattr(
            sensors, "open_path", lambda path: Away() if path.endswith("sent.csv") else real(path)
        )
        monkeypatch.setattr(triggers, "aopen_path", aopen)

    result, written = run(mode, flag, DELIVERED, happen=break_storage)

    assert (result.state, written) == (RETRIED[flag], [])
    assert "URL" not in str(result.error)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
def test_a_list_that_cannot_be_written(monkeypatch, run, mode, flag):
    """The next step would read an old list, or none: the task retries."""

    def fail(rows, path, **options):
        if path.name == "undelivered.csv":
            raise PermissionError("a path")
        return write_table(rows, path, **options)

    monkeypatch.setattr(write, "write_table", fail)

    result, written = run(mode, flag, DELIVERED)

    assert result.state == expect_retry(mode, flag)
    assert "undelivered.csv" not in written


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("mode", MODES)
def test_the_gateway_is_down_throughout(gateway, run, mode, flag):
    """Nothing is known of anybody: no list, and a retry, which asks again."""
    down = {"call": "query", "times": None}

    result, written = run(mode, flag, DELIVERED, happen=lambda: gateway.inject(Fault.BAD_GATEWAY, **down))

    assert result.state == expect_retry(mode, flag)
    assert "undelivered.csv" not in written


@pytest.mark.parametrize("mode", MODES)
def test_the_gateway_is_down_throughout_and_nobody_is_listed(gateway, run, mode):
    """Without a list, the deadline ends the wait."""
    down = {"call": "query", "times": None}

    result, written = run(
        mode,
        "none",
        DELIVERED,
        happen=lambda: gateway.inject(Fault.BAD_GATEWAY, **down),
        undelivered_path=None,
    )

    assert (result.state, written) == ("failed", ["report.csv"])
    assert "1 pending" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_one_lost_answer_costs_one_question(gateway, run, mode, tmp_path):
    """Rescheduled too, a wait keeps what it knows: only the message without an answer is asked for again."""
    phones = [f"9929000{number:03}01" for number in range(20)]

    result, written = run(mode, "none", *phones, happen=lambda: gateway.inject(Fault.EMPTY, call="query"))

    assert (result.state, written) == ("success", FILES)
    assert gateway.requests["query"] == 21
    with (tmp_path / "undelivered.csv").open() as file:
        assert list(csv.DictReader(file)) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_retry_goes_on_from_what_the_try_before_has_seen(gateway, run, wait, mode, tmp_path):
    """The next try asks for the messages without any answer, and not for the others."""
    phones = [f"9929000{number:03}01" for number in range(20)]
    break_down = Timer(0.3, lambda: gateway.inject(Fault.EMPTY, call="query", times=None))

    first, _ = run(mode, "none", *phones, happen=break_down.start, max_rate=30, concurrency=1)
    asked = gateway.requests["query"]
    gateway.clear_faults()
    second = wait(
        mode,
        messages={"results_path": str(tmp_path / "sent.csv"), "campaign_id": "c"},
        undelivered_path=str(tmp_path / "undelivered.csv"),
        retries=2,
        timeout=0.5,
    )

    assert (first.state, second.state) == ("up_for_retry", "success")
    unanswered = int(re.search(r"(\d+) messages had no answer", str(first.error))[1])
    assert 0 < unanswered < 20
    assert gateway.requests["query"] == asked + unanswered
