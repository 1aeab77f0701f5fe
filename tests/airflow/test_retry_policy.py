"""The retry policy, asked by Airflow's task runner."""

from datetime import timedelta
from importlib import import_module

import pytest

from airflow_provider_osonsms import errors
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.simulator import Fault

PHONE = "992900000001"


@pytest.fixture
def policy(has_state_store):
    """The policy, where Airflow has any."""
    if not has_state_store:
        pytest.skip("retry policies came with Airflow 3.3")
    from airflow_provider_osonsms.retry_policy import OsonSmsRetryPolicy

    return OsonSmsRetryPolicy()


@pytest.fixture
def run_send(run_task, policy):
    """Run a plain task that sends, under the policy."""
    from airflow.providers.standard.operators.python import PythonOperator

    def send():
        OsonSmsHook().send_sms(PHONE, "Салом", txn_id="order-1")

    return lambda: run_task(
        PythonOperator(task_id="send", python_callable=send, retries=5, retry_policy=policy)
    )


def test_airflow_obeys(gateway, run_send):
    """A refused account fails at once, a used-up balance waits an hour, a gateway that is down a minute."""
    gateway.backend.change_account("demo", is_blocked=True)
    assert run_send().state == "failed"

    gateway.backend.change_account("demo", is_blocked=False, balance=0)
    empty = run_send()
    assert (empty.state, empty.msg.retry_delay_seconds) == ("up_for_retry", 3600)

    gateway.inject(Fault.CUT_BEFORE, times=3)
    assert 30 <= run_send().msg.retry_delay_seconds <= 60
    assert gateway.sent == []


@pytest.mark.parametrize(("try_number", "longest"), [(1, 60), (2, 120), (3, 240), (6, 1800), (900, 1800)])
def test_back_off(policy, try_number, longest):
    """Temporary errors are tried again more and more rarely, not all at the same moment."""
    delays = {
        policy.evaluate(errors.OutcomeUnknownError("x"), try_number, 5).retry_delay.total_seconds()
        for _ in range(50)
    }

    assert longest / 2 <= min(delays) < max(delays) <= longest


def test_foreign_errors_are_the_tasks_own(policy):
    """An error of another package has the task's own retries."""
    assert policy.evaluate(ValueError("x"), 1, 5).action.value == "default"


def test_stored_and_read(policy):
    """A policy with other times is the same after it was stored; a time that is none is refused."""
    kind = type(policy)
    stored = kind(balance_delay=timedelta(hours=2), first_delay=5).serialize()

    assert kind.deserialize(stored).serialize() == stored
    assert stored["balance_delay"] == 7200
    with pytest.raises(ValueError, match="max_delay"):
        kind(max_delay=-1)


def test_older_airflow_says_so(has_state_store):
    """Where Airflow has no retry policies, the import says what to do."""
    if has_state_store:
        pytest.skip("this Airflow has retry policies")
    with pytest.raises(
        ImportError, match=r"needs Airflow 3\.3 or newer\. On this version leave retry_policy out"
    ):
        import_module("airflow_provider_osonsms.retry_policy")
