"""What the send operator takes, refuses and shows."""

import json
from typing import Any

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsSendOperator

PHONE = "992900000001"


def make_operator(**kwargs: Any) -> OsonSmsSendOperator:
    """Make an operator that sends to one number."""
    return OsonSmsSendOperator(
        **{"task_id": "send", "phone": PHONE, "message": "Салом!", "retries": 5, **kwargs}
    )


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"is_blocked": True}, "login"),
        ({"senders": frozenset({"OTHER"})}, "sender"),
        ({"secret": "another-salt"}, "pass_salt_hash"),
        ({"whitelist": frozenset({"203.0.113.7"})}, "white list"),
    ],
)
def test_final_refusals_do_not_retry(gateway, run_task, change, hint):
    """A refused account fails at once, without retry, and the text says what to do."""
    gateway.backend.change_account("demo", **change)

    result = run_task(make_operator())

    assert result.state == "failed"
    assert hint in str(result.error)
    assert gateway.requests["send"] == 1


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"phone": "79161234567"}, "foreign"),
        ({"message": "  "}, "empty"),
        ({"message": "x" * 161, "max_parts": 1}, "2 parts"),
        ({"sender": "A;B"}, "sender"),
        ({"txn_id": "a b"}, "make_txn_id"),
        ({"txn_id": "{{ none }}"}, "txn_id must be a printable text that is neither empty nor a missing"),
        ({"txn_id": "{{ '' }}"}, "it was rendered to ''"),
        ({"message": "{{ none }}"}, "rendered to 'none'"),
        ({"message": 4321}, "quote it"),
        ({"phone": None}, "rejected"),
        ({"message": "x" * 9000}, "too long"),
        ({"channel": "{{ 'pigeon' }}"}, "telegram"),
    ],
)
def test_bad_input_is_refused_before_sending(gateway, run_task, fields, hint):
    """What breaks a rule fails without retry, with a text that says what to do, and asks nobody."""
    result = run_task(make_operator(**fields))

    assert result.state == "failed"
    assert hint in str(result.error).lower()
    assert gateway.requests["send"] == 0


def test_dry_run_sends_nothing(gateway, run_task):
    """A dry run checks, counts and sends nothing; a real run afterwards sends."""
    dry = run_task(make_operator(dry_run=True))
    run_task(make_operator())

    assert (dry.xcom["outcome"], dry.xcom["parts"], dry.xcom["msg_id"]) == ("pending", 1, None)
    assert len(gateway.sent) == 1


def test_allowed_phones_skip_the_others(gateway, run_task, monkeypatch):
    """On staging a number that is not on the allow-list is skipped, and nobody is texted."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(allowed_phones="+992 90 000 00 09")
    )
    stranger = run_task(make_operator())
    friend = run_task(make_operator(phone="900000009"))

    assert stranger.state == "skipped"
    assert friend.state == "success"
    assert [sms.phone for sms in gateway.sent] == ["992900000009"]


def test_rendered_fields_are_concealed(gateway, run_task, supervisor):
    """Templates are rendered, and what Airflow stores of them holds neither number nor text."""
    from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

    operator = make_operator(phone="{{ '9000' ~ '00003' }}", message="Run {{ run_id }}")

    result = run_task(operator)

    stored = json.dumps(_serialize_rendered_fields(result.ti.task), ensure_ascii=False)
    assert gateway.sent[0].text == "Run run-1"
    assert "00003" not in stored
    assert "Run run-1" not in stored
    assert "<9 characters>" in stored


@pytest.mark.parametrize(
    "text", ["Салом, {{ name }}!", "{% if x %}", "hello.txt", "reminder.j2", "Салом, {name}!", "{amount:.2f}"]
)
def test_a_text_that_nobody_filled_is_not_sent(gateway, run_task, output_of, text):
    """What another task returns is not rendered: the task fails for good, and shows no text."""
    result = run_task(make_operator(message=output_of(text)))

    assert result.state == "failed"
    assert "message was never filled" in str(result.error)
    assert text not in str(result.error)
    assert gateway.requests["send"] == 0


def test_braces_that_belong_to_the_text(gateway, run_task):
    """Blanks inside of braces, and braces without a name, are text."""
    run_task(make_operator(message="Код: { name } {20} {}"))

    assert gateway.sent[0].text == "Код: { name } {20} {}"


def test_text_from_a_file(gateway, run_task, tmp_path):
    """A message may be the name of a template file beside the DAG."""
    from datetime import UTC, datetime

    from airflow.sdk import DAG

    (tmp_path / "salom.txt").write_text("Салом аз {{ dag.dag_id }}", encoding="utf-8")
    with DAG(
        "files", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), template_searchpath=str(tmp_path)
    ):
        operator = make_operator(message="salom.txt")
    operator.resolve_template_files()

    run_task(operator)

    assert gateway.sent[0].text == "Салом аз files"
