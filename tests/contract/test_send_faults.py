"""§1 and §2 when things go wrong: for every fault exactly the right number of messages, never two."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import (
    DuplicateTransactionError,
    OutcomeUnknownError,
    RequestNotSentError,
    ServiceUnavailableError,
    TemporaryRefusalError,
    TooManyRequestsError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.models import Message, Outcome
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.records import Call

ACCEPTED, UNTRACKED, UNCERTAIN = Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED, Outcome.UNCERTAIN

AFTER_ONE = {
    Fault.CUT_BEFORE: (ACCEPTED, 1),
    Fault.CUT_AFTER: (UNTRACKED, 1),
    Fault.HANG_BEFORE: (ACCEPTED, 1),
    Fault.HANG_AFTER: (UNTRACKED, 1),
    Fault.NOT_STORED: (ACCEPTED, 1),
    Fault.NOT_STORED_BUT_USED_UP: (UNCERTAIN, 0),
    Fault.NOT_SENT: (ACCEPTED, 1),
    Fault.SMSC_UNREACHABLE: (ACCEPTED, 1),
    Fault.BAD_GATEWAY: (ACCEPTED, 1),
    Fault.TOO_MANY_REQUESTS: (ACCEPTED, 1),
    Fault.UNAVAILABLE: (ACCEPTED, 1),
    Fault.UNAVAILABLE_AFTER: (UNTRACKED, 1),
    Fault.GARBAGE: (ACCEPTED, 1),
    Fault.GARBAGE_AFTER: (UNTRACKED, 1),
    Fault.TRUNCATED: (UNTRACKED, 1),
    Fault.EMPTY: (UNTRACKED, 1),
}
"""What one fault and then a sound gateway make of a message, and how many messages exist."""

AFTER_THREE = {
    Fault.CUT_BEFORE: (OutcomeUnknownError, 0),
    Fault.CUT_AFTER: (OutcomeUnknownError, 1),
    Fault.HANG_BEFORE: (OutcomeUnknownError, 0),
    Fault.HANG_AFTER: (OutcomeUnknownError, 1),
    Fault.NOT_STORED: (TemporaryRefusalError, 0),
    Fault.NOT_STORED_BUT_USED_UP: (TemporaryRefusalError, 0),
    Fault.NOT_SENT: (TemporaryRefusalError, 0),
    Fault.SMSC_UNREACHABLE: (TemporaryRefusalError, 0),
    Fault.BAD_GATEWAY: (UnexpectedAnswerError, 0),
    Fault.TOO_MANY_REQUESTS: (TooManyRequestsError, 0),
    Fault.UNAVAILABLE: (ServiceUnavailableError, 0),
    Fault.UNAVAILABLE_AFTER: (ServiceUnavailableError, 1),
    Fault.GARBAGE: (UnexpectedAnswerError, 0),
    Fault.GARBAGE_AFTER: (UnexpectedAnswerError, 1),
    Fault.TRUNCATED: (UnexpectedAnswerError, 1),
    Fault.EMPTY: (UnexpectedAnswerError, 1),
}
"""The error when every attempt meets the fault, and how many messages exist."""


@pytest.mark.parametrize("is_warm", [False, True], ids=["new connection", "kept alive"])
@pytest.mark.parametrize("fault", Fault)
def test_one_fault(
    client: Any, gateway: SimulatedGateway, message: Message, *, fault: Fault, is_warm: bool
) -> None:
    """§1: after any fault the repeat gives at most one message, billed once, and the outcome is true."""
    outcome, messages = AFTER_ONE[fault]
    if is_warm:
        client.query_balance()
    gateway.inject(fault)

    receipt = client.send(message)

    assert receipt.outcome is outcome
    assert [sent.txn_id for sent in gateway.sent] == ["invoice-31"] * messages
    assert gateway.balance == Decimal(10) - Decimal("0.10") * messages
    assert gateway.requests[Call.SEND] == 2
    known = [str(sent.msg_id) for sent in gateway.sent] if outcome is ACCEPTED else [None]
    assert [receipt.msg_id] == known


@pytest.mark.parametrize("fault", Fault)
def test_the_fault_every_time(
    client: Any,
    gateway: SimulatedGateway,
    message: Message,
    *,
    fault: Fault,
    assert_discreet: Callable[..., None],
) -> None:
    """§1: when no attempt succeeds the error says how doubtful it is, and there is at most one message."""
    error_class, messages = AFTER_THREE[fault]
    gateway.inject(fault, times=3)

    with pytest.raises(error_class) as caught:
        client.send(message)
    assert type(caught.value) is error_class
    assert_discreet(caught.value)
    assert [sent.txn_id for sent in gateway.sent] == ["invoice-31"] * messages
    assert gateway.balance == Decimal(10) - Decimal("0.10") * messages
    assert gateway.requests[Call.SEND] == 3


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.HANG_AFTER])
def test_accepted_then_lost_twice(
    client: Any, gateway: SimulatedGateway, message: Message, fault: Fault
) -> None:
    """§1: accepted in a lost answer, lost again, then 409: one message, accepted but untracked."""
    gateway.inject(fault, times=2)

    assert client.send(message).outcome is UNTRACKED
    assert len(gateway.sent) == 1
    assert gateway.balance == Decimal("9.90")
    assert gateway.refusals[-1].code == 108


def test_lost_then_used_up(client: Any, gateway: SimulatedGateway, message: Message) -> None:
    """§2.3: a lost answer and a 109 before the 409 prove nothing together either."""
    gateway.inject(Fault.CUT_BEFORE)
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)

    assert client.send(message).outcome is UNCERTAIN
    assert gateway.sent == []


def test_a_foreign_409_after_no_connection(
    connect: Callable[..., Any], gateway: SimulatedGateway, message: Message
) -> None:
    """§2.3: a lost connection explains no 409 that the next, independent call meets."""
    client = connect()
    client.send(message)
    gateway.stop()
    with pytest.raises((RequestNotSentError, OutcomeUnknownError)):
        client.send(replace(message, txn_id="invoice-32"))

    with gateway:
        with pytest.raises(DuplicateTransactionError):
            client.send(replace(message, phone="992900001201"))
        assert [sent.phone for sent in gateway.sent] == ["992900001200"]


def test_a_gateway_that_is_not_there(
    client: Any, gateway: SimulatedGateway, message: Message, assert_discreet: Callable[..., None]
) -> None:
    """§1: where nobody listens three tries are made, and all is said to have stayed here."""
    gateway.stop()

    with pytest.raises(RequestNotSentError) as caught:
        client.send(message)
    assert_discreet(caught.value)
    assert client.pauses == [1.0, 2.0]
    assert gateway.sent == []


def test_a_gateway_that_comes_back(client: Any, gateway: SimulatedGateway, message: Message) -> None:
    """§1: the second try of a message that met nobody is an ordinary first one for the gateway."""
    gateway.stop()
    with pytest.raises(RequestNotSentError):
        client.send(message)

    with gateway:
        assert client.send(message).outcome is ACCEPTED
        assert len(gateway.sent) == 1
