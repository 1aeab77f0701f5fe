"""Calls of the hook in a plain task: what a retry cannot solve is not retried."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms import errors
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.simulator import Fault

PHONE = "992900000001"
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def send():
    """Send one message."""
    OsonSmsHook().send_sms(PHONE, "Салом", txn_id="order-1")


def send_by_client():
    """Read the balance through the client that the hook opens."""
    with OsonSmsHook().open_client() as client:
        client.query_balance()


def send_by_async_client():
    """Read the balance through the asynchronous client that the hook opens."""

    async def read():
        async with OsonSmsHook().open_async_client() as client:
            await client.query_balance()

    asyncio.run(read())


def create_bulk():
    """Create a bulk job."""
    OsonSmsHook().create_bulk([PHONE], "Салом", txn_id="bulk-1", send_at=TOMORROW)


@pytest.fixture
def run_function(run_task):
    """Run a plain function as a task with retries."""
    from airflow.providers.standard.operators.python import PythonOperator

    return lambda function: run_task(PythonOperator(task_id="call", python_callable=function, retries=5))


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (send, errors.FinalRefusalError),
        (send_by_client, errors.FinalRefusalError),
        (send_by_async_client, errors.FinalRefusalError),
        (lambda: OsonSmsHook().get_balance(), errors.FinalRefusalError),
        (lambda: OsonSmsHook().send_sms("12", "Салом", txn_id="order-1"), errors.InvalidMessageError),
        (lambda: OsonSmsHook().send_sms(PHONE, "", txn_id="order-1"), errors.InvalidMessageError),
        (lambda: OsonSmsHook().get_status(None), errors.InvalidMessageError),
        (lambda: OsonSmsHook("nowhere").get_settings(), errors.InvalidSettingsError),
        (lambda: asyncio.run(OsonSmsHook("nowhere").aget_settings()), errors.InvalidSettingsError),
    ],
)
def test_final_errors_are_not_retried(gateway, run_function, call, kind):
    """An error that a retry cannot solve fails the task at once, and is caught under its own name."""
    gateway.backend.change_account("demo", is_blocked=True)

    result = run_function(call)

    assert result.state == "failed"
    assert isinstance(result.error, kind)
    assert type(result.error).__name__ == kind.__name__
    with pytest.raises(kind):
        call()


def test_account_errors_keep_their_code(gateway):
    """An error that has become Airflow's, too, says what it said before."""
    gateway.backend.change_account("demo", is_blocked=True)

    with pytest.raises(errors.FinalRefusalError) as raised:
        send()

    assert raised.value.code is not None
    assert raised.value.__context__ is None


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.CUT_BEFORE])
def test_other_errors_are_retried(gateway, run_function, fault):
    """What may end otherwise in a later try is retried, and the message is sent once."""
    gateway.inject(fault, times=3)

    assert run_function(send).state == "up_for_retry"
    assert run_function(send).state == "success"
    assert len(gateway.sent) == 1


def test_forbidden_phone_skips(gateway, run_function, monkeypatch, tmp_path):
    """A phone that is not allowed, or is suppressed, skips the task as it does in the operators."""
    stop = tmp_path / "stop.csv"
    stop.write_text(f"phone\n{PHONE}\n")
    for extra in ({"allowed_phones": "992900000002"}, {"suppression": str(stop)}):
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(**extra))
        assert run_function(send).state == "skipped"

    assert gateway.sent == []


def test_bulk_job_that_may_exist_is_not_created_again(gateway, run_function):
    """An upload whose answer is lost fails the task: its retry could text everybody twice."""
    gateway.inject(Fault.CUT_AFTER, call="bulk")

    result = run_function(create_bulk)

    assert (result.state, len(gateway.bulks)) == ("failed", 1)
    assert isinstance(result.error, errors.OutcomeUnknownError)
