"""A try of a single send that was taken for dead and is not: cases that the model has found."""

import pytest
from model_gateway import Event, Fault
from model_single import SingleSend

from airflow_provider_osonsms.protocol.models import Outcome


def test_a_receipt_of_a_newer_try_explains_the_108():
    """A first try whose newer one was accepted returns that receipt, and no advice about namespaces."""
    send = SingleSend()

    first = send.run_try([Event.OVERLAP])

    assert first.error is None
    assert first.receipt.msg_id == "7000001"
    assert send.run_try().receipt.msg_id == "7000001"


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
