"""A try of a single send that was taken for dead and is not: cases that the model has found."""

import pytest
from model_gateway import Event, Fault
from model_single import TXN_ID, SingleSend

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError
from airflow_provider_osonsms.protocol.models import Outcome


def test_a_receipt_of_a_newer_try_explains_the_108():
    """A first try whose newer one was accepted returns that receipt, and no advice about namespaces."""
    send = SingleSend()

    first = send.run_try([Event.OVERLAP])

    assert first.error is None
    assert first.receipt.msg_id == "7000001"
    assert send.run_try().receipt.msg_id == "7000001"


@pytest.mark.parametrize("before", [[], [Fault.NOT_SENT]])
@pytest.mark.parametrize("killed", [[Fault.KILL_AFTER], [Fault.LOST] * 3])
def test_the_message_of_a_newer_try_without_a_receipt_is_not_somebody_elses(before, killed):
    """A 108 after a newer try has begun may be of its message: no advice about namespaces is given."""
    send = SingleSend()

    first = send.run_try([*before, Event.OVERLAP], killed)

    assert isinstance(first.error, OutcomeUnknownError)
    assert send.run_try().receipt.outcome is Outcome.ACCEPTED_UNTRACKED


def test_a_store_that_cannot_be_read_explains_a_108():
    """Where nobody can tell whether a newer try has begun, the message may be ours."""
    send = SingleSend()
    send.gateway.take_foreign(TXN_ID)
    reads = iter([None])

    def read(_key):
        return next(reads)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(send.store, "get", read)
        first = send.run_try()

    assert isinstance(first.error, OutcomeUnknownError)


def test_a_receipt_with_a_msg_id_is_not_replaced():
    """A try that only knows that its message was accepted leaves the receipt of one that knows the msg_id."""
    send = SingleSend()

    first = send.run_try([Fault.SILENT, Event.OVERLAP])

    assert (first.receipt.outcome, first.receipt.msg_id) == (Outcome.ACCEPTED, "7000001")


@pytest.mark.parametrize("end", [[Fault.NOT_SENT] * 3, [Fault.SILENT, Fault.NOT_SENT, Fault.NOT_SENT]])
def test_a_doubt_of_a_newer_try_is_not_taken_back(end):
    """A try that ends after a newer one met a 109 leaves that in the store: a later 108 proves nothing."""
    send = SingleSend()
    send.run_try([end[0], Event.OVERLAP, *end[1:]], [Fault.CONSUMED_109, Fault.SILENT, Fault.SILENT])

    assert send.run_try().receipt.outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize("end", [[], [Fault.NOT_SENT, Fault.NOT_SENT]], ids=["108", "no connection"])
def test_a_108_that_a_newer_try_has_explained_is_doubted_by_one_that_met_a_109(end):
    """A newer try takes a 108 for its own in a wiped store; one that met a 109 says "uncertain"."""
    send = SingleSend()
    send.run_try([Fault.CONSUMED_109, Fault.NOT_SENT, Fault.NOT_SENT])
    send.store.wipe()

    first = send.run_try([Event.OVERLAP, Fault.BUSY_109, *end])

    assert first.receipt.outcome is Outcome.UNCERTAIN
    assert send.run_try().receipt.outcome is Outcome.UNCERTAIN
