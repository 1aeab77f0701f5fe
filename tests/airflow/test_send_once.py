"""The send operator sends exactly once, whatever happens between it and the gateway."""

import threading
from typing import Any

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsSendOperator
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.simulator import Fault

PHONE = "992900000001"


def make_operator(**kwargs: Any) -> OsonSmsSendOperator:
    """Make an operator that sends to one number."""
    return OsonSmsSendOperator(
        **{"task_id": "send", "phone": PHONE, "message": "Салом!", "retries": 5, **kwargs}
    )


def test_sends_once_and_returns_a_receipt(gateway, run_task):
    """A run sends one message and returns its ids, parts and outcome."""
    result = run_task(make_operator())

    (sms,) = gateway.sent
    assert result.state == "success"
    assert (sms.phone, sms.text, sms.sender) == (PHONE, "Салом!", "SHOP")
    assert result.xcom == {
        "txn_id": sms.txn_id,
        "msg_id": str(sms.msg_id),
        "parts": 1,
        "outcome": "accepted",
        "osonsms_conn_id": "osonsms_default",
    }


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.HANG_AFTER, Fault.TRUNCATED, Fault.EMPTY])
def test_lost_answer_within_a_try(gateway, run_task, fault):
    """An answer lost after the gateway accepted leaves one SMS and a task that succeeds untracked."""
    gateway.inject(fault)

    result = run_task(make_operator())

    assert result.state == "success"
    assert result.xcom["outcome"] == "accepted_untracked"
    assert result.xcom["msg_id"] is None
    assert len(gateway.sent) == 1


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.GARBAGE_AFTER])
def test_lost_answer_across_tries(gateway, run_task, fault):
    """A try that ends without an answer is repeated under the same key: one SMS, accepted untracked."""
    gateway.inject(fault, times=3)
    operator = make_operator()

    first = run_task(operator)
    second = run_task(make_operator(), try_number=2)

    assert first.state == "up_for_retry"
    assert second.state == "success"
    assert second.xcom["outcome"] == "accepted_untracked"
    assert len(gateway.sent) == 1


def test_retry_keeps_the_receipt(gateway, run_task, has_state_store):
    """A cleared task sends nothing; with a journal it returns the same receipt without any request."""
    first = run_task(make_operator())
    cleared = run_task(make_operator(), try_number=2)

    assert len(gateway.sent) == 1
    assert cleared.state == "success"
    if has_state_store:
        assert cleared.xcom == first.xcom
        assert gateway.requests["send"] == 1
    else:
        assert cleared.xcom["outcome"] == "accepted_untracked"
        assert cleared.xcom["txn_id"] == first.xcom["txn_id"]


def test_foreign_409_fails_loudly(gateway, run_task, supervisor):
    """A key that is taken although nothing explains it fails without retry and names key_namespace."""
    run_task(make_operator())
    supervisor.store.clear()  # another installation: same dag and run ids, same account, no memory

    result = run_task(make_operator())

    assert result.state == "failed"
    assert "key_namespace" in str(result.error)
    assert len(gateway.sent) == 1


def test_foreign_409_fails_again_after_a_clear(gateway, run_task, supervisor, has_state_store):
    """With a journal, a Clear does not turn somebody else's key into a success."""
    if not has_state_store:
        pytest.skip("Airflow below 3.3 remembers nothing: a second try explains the 409")
    run_task(make_operator())
    supervisor.store.clear()

    for try_number in (1, 2):
        assert "key_namespace" in str(run_task(make_operator(), try_number=try_number).error)


def test_foreign_409_after_a_try_that_sent_nothing(gateway, run_task, supervisor, has_state_store):
    """With a journal, an earlier try that was refused explains no 409."""
    if not has_state_store:
        pytest.skip("Airflow below 3.3 remembers nothing: a second try explains the 409")
    run_task(make_operator())
    supervisor.store.clear()
    gateway.backend.change_account("demo", is_blocked=True)
    run_task(make_operator())
    gateway.backend.change_account("demo", is_blocked=False)

    result = run_task(make_operator(), try_number=2)

    assert "key_namespace" in str(result.error)


def test_namespace_keeps_installations_apart(gateway, run_task, supervisor, monkeypatch):
    """With another key_namespace the same task of another installation sends its own message."""
    run_task(make_operator())
    supervisor.store.clear()
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(key_namespace="staging"))

    result = run_task(make_operator())

    assert result.xcom["outcome"] == "accepted"
    assert len(gateway.sent) == 2


@pytest.mark.parametrize("fault", [None, Fault.CUT_AFTER])
def test_another_namespace_sends_nothing_again(gateway, run_task, monkeypatch, *, has_state_store, fault):
    """After a change of the key_namespace a Clear is refused: it would text the same person again."""
    if not has_state_store:
        pytest.skip("below Airflow 3.3 nothing is remembered")
    if fault is not None:
        gateway.inject(fault, times=1)
        gateway.inject(Fault.CUT_BEFORE, times=2)
    run_task(make_operator())
    gateway.clear_faults()
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(key_namespace="other"))

    result = run_task(make_operator(), try_number=2)

    assert (result.state, len(gateway.sent)) == ("failed", 1)
    assert "key_namespace" in str(result.error)


def test_another_phone_is_another_message(gateway, run_task):
    """A phone that was corrected gets its message in a Clear."""
    run_task(make_operator())

    result = run_task(make_operator(phone="992900000109"), try_number=2)

    assert (result.state, len(gateway.sent)) == ("success", 2)


def test_own_key_is_sent_once_over_runs(gateway, run_task, supervisor):
    """A txn_id that the user chose is sent once, whichever run asks."""
    run_task(make_operator(txn_id="invoice-17"), run_id="monday")
    supervisor.store.clear()

    result = run_task(make_operator(txn_id="invoice-17"), run_id="tuesday")

    assert result.state == "success"
    assert result.xcom["outcome"] == "accepted_untracked"
    assert [sms.txn_id for sms in gateway.sent] == ["invoice-17"]


def test_key_depends_on_what_identifies_the_message(gateway, run_task, supervisor):
    """Another run, number, channel or map index is another message; another text or try is not."""
    run_task(make_operator())
    run_task(make_operator(), run_id="run-2")
    run_task(make_operator(phone="992900000002"))
    run_task(make_operator(channel="telegram"))
    run_task(make_operator(), map_index=1)
    assert len({sms.txn_id for sms in gateway.sent}) == 5

    run_task(make_operator(message="Another text"), try_number=3)

    assert len(gateway.sent) == 5


def test_uncertain_is_said_and_not_repeated(gateway, run_task):
    """A 409 after a 109 fails without retry, says why, and stays so after a Clear."""
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)

    result = run_task(make_operator())

    assert result.state == "failed"
    assert "cabinet" in str(result.error)
    assert gateway.sent == []


def test_uncertain_across_tries(gateway, run_task, has_state_store):
    """With a journal, a 409 in a later try than the 109 is uncertain too."""
    if not has_state_store:
        pytest.skip("Airflow below 3.3 remembers nothing: the 409 reads as accepted")
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)
    gateway.inject(Fault.SMSC_UNREACHABLE, times=2)
    operator = make_operator()
    first = run_task(operator)

    second = run_task(make_operator(), try_number=2)

    assert first.state == "up_for_retry"
    assert second.state == "failed"
    assert "It is unknown whether" in str(second.error)


def test_uncertain_after_a_final_refusal(gateway, run_task, has_state_store):
    """A 109 stays a doubt although the same try ended with a refused account."""
    if not has_state_store:
        pytest.skip("Airflow below 3.3 remembers nothing: the 409 reads as accepted")
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)
    block = gateway.backend.change_account
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flows, "FIRST_PAUSE", 0.3)
        timer = threading.Timer(0.15, block, args=["demo"], kwargs={"is_blocked": True})
        timer.start()
        first = run_task(make_operator())
        timer.join()
    block("demo", is_blocked=False)

    second = run_task(make_operator(), try_number=2)

    assert "login" in str(first.error)
    assert "It is unknown whether" in str(second.error)
    assert gateway.sent == []


def test_temporary_refusals_are_repeated(gateway, run_task):
    """Refusals for now are repeated within the try and leave one SMS."""
    gateway.inject(Fault.NOT_SENT)
    gateway.inject(Fault.SMSC_UNREACHABLE)

    result = run_task(make_operator())

    assert result.xcom["outcome"] == "accepted"
    assert len(gateway.sent) == 1


def test_empty_balance_goes_on_after_a_top_up(gateway, run_task):
    """An exhausted balance lets the task retry, and the retry after a top-up sends once."""
    gateway.backend.change_account("demo", balance=0)
    first = run_task(make_operator())
    gateway.backend.change_account("demo", balance=10)

    second = run_task(make_operator(), try_number=2)

    assert first.state == "up_for_retry"
    assert "top it up" in str(first.error)
    assert second.xcom["outcome"] == "accepted"
    assert len(gateway.sent) == 1
