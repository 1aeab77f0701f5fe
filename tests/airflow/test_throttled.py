"""Whatever asks the gateway obeys its Retry-After within its attempts, and is then left to a retry."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.client import blocking
from airflow_provider_osonsms.operators.osonsms import (
    OsonSmsBalanceOperator,
    OsonSmsBulkCreateOperator,
    OsonSmsSendOperator,
)
from airflow_provider_osonsms.simulator import Fault

TASKS = {
    "send": lambda _: OsonSmsSendOperator(task_id="t", phone="992900000101", message="Salom", retries=5),
    "bulk": lambda path: OsonSmsBulkCreateOperator(
        task_id="t",
        recipients=["992900000101"],
        message="Salom",
        send_at=datetime.now(UTC) + timedelta(days=1),
        receipt_path=str(path),  # below Airflow 3.3 a second try would know nothing without it
        retries=5,
    ),
    "balance": lambda _: OsonSmsBalanceOperator(task_id="t", retries=5),
}


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that a client has waited, which cost no time."""
    waited = []

    class Patient(blocking.OsonSmsClient):
        def __init__(self, account, transport):
            super().__init__(account, transport, sleep=waited.append)

    monkeypatch.setattr(blocking, "OsonSmsClient", Patient)
    return waited


@pytest.mark.parametrize("call", TASKS)
def test_the_pause_is_obeyed(gateway, run_task, *, pauses, call, tmp_path):
    """After the pause that the gateway asks for, the same request comes again, and all is well."""
    gateway.backend.change_behavior(retry_after=20)
    gateway.inject(Fault.TOO_MANY_REQUESTS, call=call, times=2)

    result = run_task(TASKS[call](tmp_path))

    assert result.state == "success", result.error
    assert pauses == [20, 20]
    assert (len(gateway.sent), len(gateway.bulks)) == (call == "send", call == "bulk")


@pytest.mark.parametrize("retry_after", [60, 90, 3600])
@pytest.mark.parametrize("call", TASKS)
def test_a_minute_is_enough(gateway, run_task, *, pauses, call, retry_after, tmp_path):
    """Nobody holds a worker for longer: the task retries, and sends once."""
    gateway.backend.change_behavior(retry_after=retry_after)
    gateway.inject(Fault.TOO_MANY_REQUESTS, call=call, times=2)

    result = run_task(TASKS[call](tmp_path))

    assert (result.state, pauses) == ("up_for_retry", [60])
    assert "429" in str(result.error)
    assert (len(gateway.sent), len(gateway.bulks)) == (0, 0)
    assert run_task(TASKS[call](tmp_path), try_number=2).state == "success"
    assert (len(gateway.sent), len(gateway.bulks)) == (call == "send", call == "bulk")


def test_a_message_that_a_503_hides_is_texted_once(gateway, run_task, pauses, tmp_path):
    """A message that was taken before the 503 is not sent again, and the task says so."""
    gateway.inject(Fault.UNAVAILABLE_AFTER)

    result = run_task(TASKS["send"](tmp_path))

    assert (result.state, result.xcom["outcome"]) == ("success", "accepted_untracked")
    assert len(gateway.sent) == 1


def test_a_job_that_a_503_hides_is_not_created_again(gateway, run_task, pauses, tmp_path):
    """A job that may exist is for a person to look for."""
    gateway.inject(Fault.UNAVAILABLE_AFTER, call="bulk")

    result = run_task(TASKS["bulk"](tmp_path))

    assert (result.state, len(gateway.bulks), gateway.requests["bulk"]) == ("failed", 1, 1)
    assert "cabinet" in str(result.error)


@pytest.mark.parametrize(("left", "sent"), [(10, 0), (30, 1)])
def test_a_send_does_not_wait_beyond_its_window(gateway, run_task, *, pauses, left, sent):
    """A pause that ends after the window has closed is left to the next try, which waits for the opening."""
    gateway.backend.change_behavior(retry_after=20)
    gateway.inject(Fault.TOO_MANY_REQUESTS)
    closes = datetime(2036, 3, 4, 15, tzinfo=UTC)
    send = OsonSmsSendOperator(
        task_id="t", phone="992900000101", message="Salom", send_window="09:00-20:00", retries=5
    )
    send._clock = lambda: closes - timedelta(seconds=left - sum(pauses))

    state = run_task(send).state

    assert (state, len(gateway.sent)) == ("success" if sent else "up_for_retry", sent)
    assert sum(pauses) < left


@pytest.mark.parametrize(("left", "created"), [(10, 0), (30, 1)])
def test_a_bulk_job_does_not_wait_beyond_its_time(gateway, run_task, *, pauses, left, created, tmp_path):
    """What the gateway makes of a time that is past is unknown, so a longer pause is left to the next try."""
    gateway.backend.change_behavior(retry_after=20)
    gateway.inject(Fault.TOO_MANY_REQUESTS, call="bulk")
    operator = TASKS["bulk"](tmp_path)
    now = datetime.fromisoformat(str(operator.send_at)) - timedelta(seconds=left)
    operator._clock = lambda: now + timedelta(seconds=sum(pauses))

    result = run_task(operator)

    assert result.state == ("success" if created else "up_for_retry")
    assert len(gateway.bulks) == created
