"""What the bulk operator takes, refuses and shows."""

import json
from collections import UserList
from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd
import pytest

PEOPLE = [f"99290000{number:04}" for number in range(1, 6)]


def test_creates_one_job(gateway, run_task, make_operator):
    """A DataFrame becomes one job with its numbers, text, sender and time; messes are rejected."""
    send_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    messy = pd.DataFrame({"phone": [*PEOPLE, "+992 90 000 00 01", "79161234567", None, 9.92928e11]})

    result = run_task(make_operator(recipients=messy, send_at=send_at))

    (job,) = gateway.bulks
    assert result.state == "success"
    assert list(job.phones) == PEOPLE
    assert (job.text, job.sender, job.send_at.astimezone(UTC)) == ("Тахфиф 20%!", "SHOP", send_at)
    assert result.xcom["bulk_names"] == [job.name]
    assert (result.xcom["recipients"], result.xcom["rejected"]) == (5, 4)
    assert sum(result.xcom["reject_reasons"].values()) == 4
    json.dumps(result.xcom)


@pytest.mark.parametrize(
    "recipients",
    [
        PEOPLE,
        [int(phone) for phone in PEOPLE],
        [{"phone": phone} for phone in PEOPLE],
        lambda context, jinja_env: pd.DataFrame({"phone": PEOPLE}),
    ],
    ids=["texts", "numbers", "dicts", "callable"],
)
def test_sources(gateway, run_task, recipients, make_operator):
    """Lists, dicts and callables reach the gateway as the same file as a DataFrame."""
    run_task(make_operator(recipients=recipients))

    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE]


@pytest.mark.parametrize(
    "send_at",
    ["2030-12-01 09:30", "2030-12-01T04:30:00Z", datetime(2030, 12, 1, 9, 30), "{{ '2030-12-01' }} 09:30:00"],  # noqa: DTZ001
    ids=["naive text", "UTC text", "naive datetime", "template"],
)
def test_send_at_is_dushanbe_time(gateway, run_task, send_at, make_operator):
    """Whatever names the time, the gateway reads the wall time of Dushanbe."""
    run_task(make_operator(send_at=send_at))

    assert gateway.bulks[0].send_at.isoformat() == "2030-12-01T09:30:00+05:00"


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"send_at": "2020-01-01 09:00"}, "past"),
        ({"send_at": "2030-12-01"}, "date and a time"),
        ({"send_at": "soon"}, "date and a time"),
        ({"send_at": 5}, "datetime"),
        ({"recipients": ["abc", None]}, "rejected"),
        ({"recipients": {"phone": 1}}, "dict"),
        ({"recipients": "992900000001"}, "no path"),
        ({"phone_column": "mobile"}, "mobile"),
        ({"message": ""}, "empty"),
        ({"campaign_id": "{{ '' }}"}, "campaign_id must be a printable text"),
        ({"campaign_id": "{{ none }}"}, "rendered to 'None'"),
        ({"campaign_id": "{{ '\ud800' }}"}, "printable"),
        ({"send_at": "9999-12-31T23:59:59Z"}, "date and a time"),
        ({"send_at": pd.NaT}, "send_at must"),
        ({"send_at": "0001-01-01 00:00"}, "date and a time"),
        ({"message": "я" * 71, "max_parts": 1}, "2 parts"),
    ],
)
def test_bad_input_is_refused_before_uploading(gateway, run_task, fields, hint, make_operator):
    """What breaks a rule fails without retry, says what to do, and uploads nothing."""
    result = run_task(make_operator(**fields))

    assert result.state == "failed"
    assert hint in str(result.error)
    assert gateway.requests["bulk"] == 0


def test_nobody_to_text_skips(gateway, run_task, make_operator):
    """No rows at all skip the task: a day without debtors is no failure."""
    result = run_task(make_operator(recipients=[]))

    assert result.state == "skipped"
    assert gateway.requests["bulk"] == 0


def test_refused_account_does_not_retry(gateway, run_task, make_operator):
    """A blocked login fails at once and nothing is created."""
    gateway.backend.change_account("demo", is_blocked=True)

    result = run_task(make_operator())

    assert result.state == "failed"
    assert "login" in str(result.error)
    assert gateway.bulks == []


def test_refused_fields_are_named(gateway, run_task, make_operator):
    """The gateway's complaint about a field reaches the person who reads the log, with what to do."""
    sender = run_task(make_operator(sender="OTHER"))
    gateway.backend.change_account("demo", secret="another-salt")
    secret = run_task(make_operator())

    assert (sender.state, secret.state) == ("failed", "failed")
    assert "set sender=" in str(sender.error)
    assert "pass_salt_hash" in str(secret.error)


def test_nobody_allowed_skips(gateway, run_task, monkeypatch, make_operator):
    """On staging an audience of strangers skips the task instead of failing it every week."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(allowed_phones="900000099"))

    assert run_task(make_operator()).state == "skipped"
    assert gateway.bulks == []


def test_output_of_a_mapped_task(gateway, run_task, make_operator):
    """Any sequence is a list of recipients, such as what Airflow makes of a mapped task's outputs."""
    run_task(make_operator(recipients=UserList(PEOPLE)))

    assert list(gateway.bulks[0].phones) == PEOPLE


def test_callables_print_steadily(make_operator):
    """Whatever callable is given, what Airflow stores of it holds no address in memory."""
    for source in (make_operator, partial(make_operator), make_operator.__call__):
        assert "0x" not in str(make_operator(recipients=source).recipients)


def test_allowed_phones_reject_the_others(gateway, run_task, monkeypatch, make_operator):
    """On staging only the listed numbers are in the file."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(allowed_phones=PEOPLE[:1]))

    result = run_task(make_operator())

    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE[:1]]
    assert result.xcom["rejected"] == 4


def test_rendered_recipients_are_counted_not_shown(gateway, run_task, make_operator):
    """What Airflow stores of the recipients is their number."""
    from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

    result = run_task(make_operator(recipients=PEOPLE))

    stored = json.dumps(_serialize_rendered_fields(result.ti.task), ensure_ascii=False)
    assert "<5 recipients>" in stored
    assert PEOPLE[0] not in stored
    assert "Тахфиф" not in stored


def test_mapped_recipients_are_concealed_too(gateway, run_task, make_operator):
    """A mapped operator conceals as an unmapped one does."""
    operator = make_operator()
    from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

    operator._do_render_template_fields(operator, operator.template_fields, {}, None, set())

    assert "<5 recipients>" in json.dumps(_serialize_rendered_fields(operator), ensure_ascii=False)
