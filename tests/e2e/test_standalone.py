"""Scheduler, workers, triggerer and API server of one ``airflow standalone``, and the simulated gateway."""

import csv
import json
import os
import re
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_osonsms.provider_info import CONNECTION_FIELDS
from airflow_provider_osonsms.simulator import Fault

VERSION = tuple(map(int, version("apache-airflow").split(".")[:2]))
PHONE = "992900000101"


@pytest.fixture(scope="module")
def runs(standalone: Any, gateway: Any) -> Any:
    """Runs side by side, of DAGs that need nothing of the gateway but that it serves.

    Airflow 3.0 logs the conf of a run, so they have none. The last begins when the balance was read, and may
    still wait for its verdict.
    """
    names = ("example_osonsms_send", "example_osonsms_bulk", "e2e_clock_in_file")
    runs = {name: standalone.start_run(name) for name in names}
    for run in runs.values():
        run.wait()
    runs["e2e_not_delivered"] = standalone.start_run("e2e_not_delivered")
    standalone.wait_until(lambda: gateway.inbox("992900000393"), "the SMS that nobody gets accepted")
    return runs


@pytest.fixture
def example_send(runs: Any) -> Any:
    """A finished run of the example that sends."""
    return runs["example_osonsms_send"]


@pytest.fixture
def example_bulk(runs: Any) -> Any:
    """A finished run of the example that creates a bulk job."""
    return runs["example_osonsms_bulk"]


def test_example_send_succeeds(example_send, gateway):
    """The example sends one SMS, waits for it in the triggerer and reads the balance."""
    assert example_send.wait() == "success"
    assert [message.text for message in gateway.inbox(PHONE)] == ["Салом, Зарина! Фармоиши шумо омода аст."]
    assert example_send.xcom("wait_for_delivery")["delivered"] == 1
    assert example_send.xcom("check_balance") == {"balance": 99.9}
    logs = example_send.logs("wait_for_delivery")
    assert any(".trigger." in name for name in logs)
    assert "Pausing task as DEFERRED" in logs["attempt=1.log"]


def test_rendered_fields_are_concealed(example_send, example_bulk):
    """What Airflow stores and shows of the template fields is neither phones nor texts."""
    sent = example_send.task("send_sms")["rendered_fields"]
    created = example_bulk.task("create_bulk_job")["rendered_fields"]

    assert (sent["phone"], sent["message"]) == ("992•••••101", "<39 characters>")
    assert re.fullmatch(r"<\S+/audience-manual__.+\.csv>", created["recipients"])
    assert created["message"] == "<39 characters>"
    assert not re.search(r"9\d{8}|Салом|тахфиф", json.dumps([sent, created], ensure_ascii=False))


def test_clear_sends_nothing_again(example_send, gateway):
    """A cleared send succeeds again with one SMS, and where Airflow remembers with the same msg_id."""
    before = example_send.xcom("send_sms")
    tries = example_send.task("send_sms")["try_number"]

    example_send.clear("send_sms")

    assert example_send.wait() == "success"
    assert example_send.task("send_sms")["try_number"] == tries + 1
    forgotten = before | {"msg_id": None, "parts": None, "outcome": "accepted_untracked"}
    assert example_send.xcom("send_sms") == (before if VERSION >= (3, 3) else forgotten)
    assert len(gateway.inbox(PHONE)) == 1


def test_example_bulk_succeeds(example_bulk, gateway):
    """The example creates one bulk job for the nine people of the file who may be texted."""
    assert example_bulk.wait() == "success"
    result = example_bulk.xcom("create_bulk_job")
    # unpaused, the DAG may also have a run of last Monday, with keys of its own
    jobs = [job for job in gateway.bulks if job.txn_id in result["txn_ids"]]
    assert [job.name for job in jobs] == result["bulk_names"]
    assert [len(job.phones) for job in jobs] == [9]
    assert (result["recipients"], result["rejected"]) == (9, 5)


@pytest.mark.usefixtures("runs")
def test_lost_answers_are_made_up_for(standalone, gateway):
    """When every answer of a try is lost, the next try finds out that the SMS was accepted."""
    gateway.inject(Fault.CUT_AFTER, times=3)

    run = standalone.start_run("e2e_lost_answers")

    assert run.wait() == "success"
    assert run.task("send_sms")["try_number"] == 2
    assert run.xcom("send_sms")["outcome"] == "accepted_untracked"
    assert len(gateway.inbox("992900000301")) == 1


@pytest.mark.usefixtures("runs")
def test_killed_worker_sends_nothing_twice(standalone, gateway):
    """A task killed after the gateway has accepted runs again, and one SMS goes out."""
    gateway.inject(Fault.HANG_AFTER)
    run = standalone.start_run("e2e_killed_worker")
    standalone.wait_until(lambda: gateway.inbox("992900000302"), "the SMS accepted")

    os.kill(int((standalone.home / "send.pid").read_text()), signal.SIGKILL)
    if VERSION < (3, 1):  # this Airflow fails a killed task for good: a person clears it
        assert run.wait() == "failed"
        run.clear("send_sms")

    assert run.wait() == "success"
    assert run.task("send_sms")["try_number"] == 2
    assert run.xcom("send_sms")["outcome"] == "accepted_untracked"
    assert len(gateway.inbox("992900000302")) == 1


@pytest.mark.usefixtures("runs")
def test_a_campaign_killed_three_times(standalone, gateway):
    """A campaign that is killed three times texts everybody once, and forgets a second's worth each."""

    def texted() -> list[str]:
        return [sms.phone for sms in gateway.sent if sms.phone.startswith("9929001")]

    gateway.backend.change_account("demo", balance=Decimal(1000))
    gateway.backend.change_behavior(latency="30ms")
    run = standalone.start_run("e2e_campaign")
    pid_file, pid, kills = standalone.home / "campaign.pid", "", []
    for number in (1, 2, 3):
        standalone.wait_until(lambda goal=600 * number: len(texted()) > goal, f"{600 * number} messages")
        pid = pid_file.read_text()
        os.kill(int(pid), signal.SIGKILL)
        kills.append(gateway.backend.now())
        if VERSION < (3, 1):  # this Airflow fails a killed task for good: a person clears it
            assert run.wait() == "failed"
            run.clear("campaign")
        standalone.wait_until(lambda last=pid: pid_file.read_text() != last, "the next try")
    gateway.backend.change_behavior(latency=0)

    assert run.wait() == "success"
    assert sorted(texted()) == [f"9929001{number:05}" for number in range(3000)]
    outcomes = run.xcom("campaign")["outcomes"]
    assert outcomes["accepted"] + outcomes["accepted_untracked"] == 3000
    if VERSION >= (3, 3):
        flush = timedelta(seconds=1.5)  # an interval, and the time that the write itself takes
        at_risk = [
            sms
            for sms in gateway.sent
            if any(kill - flush <= sms.accepted_at <= kill + flush for kill in kills)
        ]
        assert outcomes["accepted_untracked"] <= len(at_risk) < 3000
    rows = (standalone.home / f"campaign-{run.id}.csv").read_text().splitlines()
    assert len(rows) == 3001


def test_failed_delivery_fails_or_skips(runs):
    """A number that cannot be reached fails a sensor and skips its soft twin, both from the triggerer."""
    run = runs["e2e_not_delivered"]

    assert run.wait() == "failed"
    assert (run.task("fail")["state"], run.task("skip")["state"]) == ("failed", "skipped")
    logs = run.logs("fail")
    assert any(".trigger." in name for name in logs)
    assert any("0 of 1 messages delivered, 1 failed" in text for text in logs.values())


@pytest.mark.usefixtures("runs")
def test_the_wait_survives_its_triggerer_and_the_gateway(standalone, gateway):
    """A triggerer is killed and the gateway is down for 30 s: the wait goes on in the next triggerer."""
    gateway.backend.change_behavior(accepted_seconds=600)
    run = standalone.start_run("e2e_long_wait")
    standalone.wait_until(lambda: gateway.requests["query"] >= 400, "two rounds of questions")

    gateway.stop()
    down_since = time.monotonic()
    standalone.kill("triggerer")
    with standalone.start("triggerer"):
        time.sleep(max(0.0, 30 - (time.monotonic() - down_since)))
        gateway.__enter__()
        before = gateway.requests["query"]
        standalone.wait_until(lambda: gateway.requests["query"] > before, "a question of the next triggerer")
        gateway.advance(600)

        assert run.wait() == "success"
    gateway.backend.change_behavior(accepted_seconds=5)

    assert run.task("campaign")["try_number"] == 1
    assert run.task("wait")["try_number"] <= 2  # a busy SQLite lets Airflow lose the task that resumes
    assert run.xcom("wait")["by_status"] == {"DELIVERED": 200}
    assert gateway.requests["query"] - before <= 200 * 12
    with (standalone.home / f"long-wait-{run.id}" / "delivery.csv").open() as file:
        assert {row["status"] for row in csv.DictReader(file)} == {"DELIVERED"}
    page = f"https://reports.example.tj/{quote(f'long-wait-{run.id}')}/delivery.html"
    assert run.links("wait") == {"Delivery report": page}
    events = standalone.call("GET", "/api/v2/assets/events?source_dag_id=e2e_long_wait")["asset_events"]
    assert [event["extra"]["delivered"] for event in events] == [200]


@pytest.mark.usefixtures("runs")
def test_nobody_is_texted_over_both_who_was_reached(standalone, gateway):
    """Telegram first, with a status side that lags, a triggerer that is killed, and a wrong Connection."""
    gateway.backend.change_behavior(unknown_seconds=25)
    before = gateway.requests["query"]
    with standalone.start("triggerer") as triggerer:  # another test may have killed the one before
        run = standalone.start_run("e2e_telegram_first")
        standalone.wait_until(lambda: gateway.requests["query"] >= before + 160, "four rounds of questions")
        standalone.kill("triggerer", triggerer)
    with standalone.start("triggerer"):
        assert run.wait() == "failed"
    gateway.backend.change_behavior(unknown_seconds=0)

    states = {name: run.task(name)["state"] for name in ("wait", "sms")}
    assert states == {"wait": "success", "sms": "success"}
    states = {name: run.task(f"{name}_of_another_account")["state"] for name in ("wait", "sms")}
    assert states == {"wait": "failed", "sms": "upstream_failed"}
    sent = [(message.phone, message.channel) for message in gateway.sent if message.text == "Telegram first"]
    assert [channel for _, channel in sent].count("telegram") == 40
    assert sorted(phone for phone, channel in sent if channel is None) == ["992900503893", "992900503993"]


def test_test_button_shows_the_balance(standalone, gateway):
    """Testing a Connection in the API server reads the balance, and a wrong salt is explained."""
    fields = json.loads(gateway.connection_json())
    fields |= {"connection_id": "button", "extra": json.dumps(fields["extra"])}

    before = gateway.balance  # a run of another test may spend between
    good = standalone.call("POST", "/api/v2/connections/test", fields)
    balances = {before, gateway.balance}
    bad = standalone.call("POST", "/api/v2/connections/test", fields | {"password": "another-salt"})

    assert good["status"] is True
    assert good["message"] in {f"OsonSMS answers. Balance: {balance} somoni" for balance in balances}
    assert bad["status"] is False
    assert "pass_salt_hash" in bad["message"]


def test_connection_form_has_our_fields(standalone):
    """The UI offers the type, and where its form comes from metadata, our fields with our labels."""
    forms = standalone.call("GET", "/ui/connections/hook_meta")
    form = next(form for form in forms if form["connection_type"] == "osonsms")

    assert form["hook_name"] == "OsonSMS"
    if VERSION >= (3, 2):  # before, only an Airflow with FAB's own libraries has forms at all
        assert set(form["extra_fields"]) == set(CONNECTION_FIELDS)
        assert form["standard_fields"]["password"]["title"] == "Salt (pass_salt_hash) or token (required)"
        assert form["standard_fields"]["port"]["hidden"] is False


@pytest.mark.usefixtures("runs")
def test_versions_do_not_inflate(standalone):
    """Parsed again and again after a run, the examples stay at version 1 while a clock in a file shows."""
    for _ in range(2):
        parsed = standalone.time_of_parse("example_osonsms_bulk")
        standalone.wait_until(
            lambda before=parsed: standalone.time_of_parse("example_osonsms_bulk") != before, "another parse"
        )
    standalone.wait_until(lambda: standalone.count_versions("e2e_clock_in_file") > 1, "a version more")

    assert standalone.count_versions("example_osonsms_send") == 1
    assert standalone.count_versions("example_osonsms_bulk") == 1
    assert standalone.call("GET", "/api/v2/importErrors")["total_entries"] == 0


@pytest.mark.usefixtures("runs")
def test_logs_hold_nothing_private(standalone, find_private):
    """No log file of any component, at DEBUG, holds the salt, a hash, a URL of the gateway or a phone."""
    files = [standalone.log, *(path for path in (standalone.home / "logs").rglob("*") if path.is_file())]

    leaks = [(path.name, found) for path in files for found in find_private(path.read_text(errors="replace"))]

    assert len(files) > 5
    assert not leaks


@pytest.mark.usefixtures("runs")
def test_database_holds_nothing_private(standalone, find_private):
    """No table but those of the DAG files' own code holds such a thing either."""
    with closing(sqlite3.connect(standalone.home / "airflow.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        stored = {name: str(database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in tables}  # noqa: S608

    leaks = [
        (name, found)
        for name in set(tables) - {"dag_code", "serialized_dag"}
        for found in find_private(stored[name])
    ]

    assert "accepted" in stored["xcom"]
    assert not leaks
