"""Scheduler, workers, triggerer and API server of one ``airflow standalone``, and the simulated gateway."""

import json
import os
import re
import signal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_osonsms.provider_info import CONNECTION_FIELDS
from airflow_provider_osonsms.simulator import Fault

HAS_JOURNAL = tuple(map(int, version("apache-airflow").split(".")[:2])) >= (3, 3)
PHONE = "992900000201"
NAME = "Парвина"
HASH = re.compile(r"\b[0-9a-f]{64}\b")


@pytest.fixture(scope="module")
def example_send(standalone: Any) -> Any:
    """A finished run of the example that sends, to a number that nobody else is."""
    run = standalone.start_run("example_osonsms_send", {"phone": PHONE, "name": NAME})
    run.wait()
    return run


def test_example_send_succeeds(example_send, gateway):
    """The example sends one SMS, waits for it in the triggerer and reads the balance."""
    assert example_send.wait() == "success"
    assert [message.text for message in gateway.inbox(PHONE)] == [f"Салом, {NAME}! Фармоиши шумо омода аст."]
    assert example_send.xcom("wait_for_delivery")["delivered"] == 1
    assert example_send.xcom("check_balance") == {"balance": 99.9}
    logs = example_send.logs("wait_for_delivery")
    assert any(".trigger." in name for name in logs)
    assert "Pausing task as DEFERRED" in logs["attempt=1.log"]


def test_rendered_fields_are_concealed(example_send):
    """What Airflow stores and shows of the template fields is neither the phone nor the text."""
    fields = example_send.task("send_sms")["rendered_fields"]

    assert fields["phone"] == "992•••••201"
    assert fields["message"] == "<39 characters>"
    assert PHONE not in json.dumps(fields)


def test_clear_sends_nothing_again(example_send, gateway):
    """A cleared send succeeds again with one SMS, and where Airflow remembers with the same msg_id."""
    before = example_send.xcom("send_sms")

    example_send.clear("send_sms")

    assert example_send.wait() == "success"
    assert example_send.task("send_sms")["try_number"] == 2
    forgotten = before | {"msg_id": None, "parts": None, "outcome": "accepted_untracked"}
    assert example_send.xcom("send_sms") == (before if HAS_JOURNAL else forgotten)
    assert len(gateway.inbox(PHONE)) == 1


def test_example_bulk_succeeds(standalone, gateway):
    """The example creates one bulk job, and stores neither the people nor the text."""
    run = standalone.start_run("example_osonsms_bulk")

    assert run.wait() == "success"
    assert [len(job.phones) for job in gateway.bulks] == [9]
    assert run.xcom("create_bulk_job")["recipients"] == 9
    fields = run.task("create_bulk_job")["rendered_fields"]
    assert (fields["recipients"], fields["message"]) == ("<9 recipients>", "<43 characters>")


def test_lost_answers_are_made_up_for(standalone, gateway):
    """When every answer of a try is lost, the next try finds out that the SMS was accepted."""
    gateway.inject(Fault.CUT_AFTER, times=3)

    run = standalone.start_run("e2e_lost_answers")

    assert run.wait() == "success"
    assert run.task("send_sms")["try_number"] == 2
    assert run.xcom("send_sms")["outcome"] == "accepted_untracked"
    assert len(gateway.inbox("992900000301")) == 1


def test_killed_worker_sends_nothing_twice(standalone, gateway, wait):
    """A task killed after the gateway has accepted is retried, and one SMS goes out."""
    gateway.inject(Fault.HANG_AFTER)
    run = standalone.start_run("e2e_killed_worker")
    wait(lambda: gateway.inbox("992900000302"), "the SMS accepted")

    os.kill(int((standalone.home / "send.pid").read_text()), signal.SIGKILL)

    assert run.wait() == "success"
    assert run.task("send_sms")["try_number"] == 2
    assert run.xcom("send_sms")["outcome"] == "accepted_untracked"
    assert len(gateway.inbox("992900000302")) == 1


def test_failed_delivery_fails_or_skips(standalone):
    """A number that cannot be reached fails a sensor and skips its soft twin, both from the triggerer."""
    run = standalone.start_run("e2e_not_delivered")

    assert run.wait() == "failed"
    assert (run.task("fail")["state"], run.task("skip")["state"]) == ("failed", "skipped")
    logs = run.logs("fail")
    assert "0 of 1 messages delivered" in logs["attempt=1.log"]
    assert any(".trigger." in name for name in logs)


def test_test_button_shows_the_balance(standalone, gateway):
    """Testing a Connection in the API server reads the balance, and a wrong salt is explained."""
    fields = json.loads(gateway.connection_json())
    fields |= {"connection_id": "button", "extra": json.dumps(fields["extra"])}

    good = standalone.call("POST", "/api/v2/connections/test", fields)
    bad = standalone.call("POST", "/api/v2/connections/test", fields | {"password": "another-salt"})

    assert good == {"status": True, "message": f"OsonSMS answers. Balance: {gateway.balance} somoni"}
    assert bad["status"] is False
    assert "pass_salt_hash" in bad["message"]


def test_connection_form_has_our_fields(standalone):
    """The UI is given a form with every field of the Connection, labelled for OsonSMS."""
    forms = standalone.call("GET", "/ui/connections/hook_meta")
    form = next(form for form in forms if form["connection_type"] == "osonsms")

    assert set(form["extra_fields"]) == set(CONNECTION_FIELDS)
    assert form["standard_fields"]["password"]["title"] == "Salt (pass_salt_hash) or token"
    assert form["standard_fields"]["port"]["hidden"] is True


def test_versions_do_not_inflate(standalone, wait):
    """Parsed again and again, the examples stay at version 1 while a DAG with a clock in it grows."""
    standalone.start_run("e2e_clock_in_file").wait()
    wait(lambda: _count_versions(standalone, "e2e_clock_in_file") >= 3, "two more parses")

    for dag_id in ("example_osonsms_send", "example_osonsms_bulk", "e2e_not_delivered"):
        assert _count_versions(standalone, dag_id) == 1, dag_id
    assert standalone.call("GET", "/api/v2/importErrors")["total_entries"] == 0


def test_logs_hold_no_secret_and_no_phone(standalone, gateway):
    """No log file of any component holds the salt, a hash, a URL of the gateway or a full phone number."""
    phones = {message.phone for message in gateway.sent}.union(*(job.phones for job in gateway.bulks))
    words = ["e2e-salt", "another-salt", "sendsms_v1.php", "str_hash=", gateway.url, *phones]
    files = [standalone.log, *(path for path in (standalone.home / "logs").rglob("*") if path.is_file())]

    leaks = [(path.name, found) for path in files for found in _find(path, words)]

    assert len(phones) > 10
    assert len(files) > 10
    assert not leaks


def _count_versions(standalone: Any, dag_id: str) -> int:
    return standalone.call("GET", f"/api/v2/dags/{dag_id}/dagVersions")["total_entries"]


def _find(path: Path, words: list[str]) -> list[str]:
    text = path.read_text(errors="replace")
    return [word for word in words if word in text] + HASH.findall(text)
