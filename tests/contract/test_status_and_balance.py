"""§3 and §4: asking for a status and for the balance."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    OsonSmsError,
    OutcomeUnknownError,
    ServiceUnavailableError,
    TemporaryRefusalError,
    TooManyRequestsError,
    UnexpectedAnswerError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.models import Message
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.records import Call

FINAL = {
    "00": DeliveryStatus.DELIVERED,
    "91": DeliveryStatus.EXPIRED,
    "92": DeliveryStatus.DELETED,
    "93": DeliveryStatus.UNDELIVERABLE,
    "94": DeliveryStatus.REJECTED,
    "95": DeliveryStatus.UNKNOWN,
    "96": DeliveryStatus.ACCEPTED,
}

FAILURES = {
    Fault.CUT_BEFORE: OutcomeUnknownError,
    Fault.CUT_AFTER: OutcomeUnknownError,
    Fault.HANG_BEFORE: OutcomeUnknownError,
    Fault.HANG_AFTER: OutcomeUnknownError,
    Fault.NOT_STORED: TemporaryRefusalError,
    Fault.NOT_SENT: TemporaryRefusalError,
    Fault.SMSC_UNREACHABLE: TemporaryRefusalError,
    Fault.BAD_GATEWAY: UnexpectedAnswerError,
    Fault.TOO_MANY_REQUESTS: TooManyRequestsError,
    Fault.UNAVAILABLE: ServiceUnavailableError,
    Fault.UNAVAILABLE_AFTER: ServiceUnavailableError,
    Fault.GARBAGE: UnexpectedAnswerError,
    Fault.GARBAGE_AFTER: UnexpectedAnswerError,
    Fault.TRUNCATED: UnexpectedAnswerError,
    Fault.EMPTY: UnexpectedAnswerError,
}
"""Every fault but the one that only a send can meet."""

ASK: dict[str, Callable[[Any], Any]] = {
    "query": lambda client: client.query_status("100000001"),
    "balance": lambda client: client.query_balance(),
}


def test_all_faults_are_listed() -> None:
    """No fault of the simulator is forgotten here."""
    assert set(FAILURES) == set(Fault) - {Fault.NOT_STORED_BUT_USED_UP}


@pytest.mark.parametrize(("ending", "final"), FINAL.items())
def test_3_2_every_status(
    client: Any, message: Message, clock: Any, *, ending: str, final: DeliveryStatus
) -> None:
    """§3.2: a message is ENROUTE, then ACCEPTED, then whatever becomes of it."""
    msg_id = client.send(replace(message, phone=f"9929000012{ending}")).msg_id

    seen = []
    for seconds in (0, 0.5, 0.5, 3600):
        clock.advance(seconds)
        seen.append(client.query_status(msg_id))
    assert seen == [DeliveryStatus.ENROUTE, DeliveryStatus.ACCEPTED, final, final]


def test_3_2_each_query_has_its_own_nonce(client: Any, message: Message, gateway: SimulatedGateway) -> None:
    """§3.1: asking many times uses up no txn_id: a nonce only seasons the hash (wire-notes, "Asking")."""
    msg_id = client.send(message).msg_id

    assert {client.query_status(msg_id) for _ in range(3)} == {DeliveryStatus.ENROUTE}
    assert gateway.refusals == []


@pytest.mark.parametrize("call", ASK)
@pytest.mark.parametrize(
    ("code", "changes", "blocked"),
    [
        (100, {"login": ""}, {}),
        (105, {"login": "nobody"}, {}),
        (105, {}, {"is_blocked": True}),
        (106, {"secret": "sol-4712"}, {}),
    ],
    ids=["100 missing", "105 unknown", "105 blocked", "106 secret"],
)
def test_3_3_and_4_3(
    connect: Callable[..., Any],
    client: Any,
    gateway: SimulatedGateway,
    *,
    message: Message,
    call: str,
    code: int,
    changes: dict[str, Any],
    blocked: dict[str, Any],
    assert_discreet: Callable[..., None],
) -> None:
    """§3.3 and §4.3: each row is a final refusal with its code, asked once."""
    client.send(message)
    gateway.backend.change_account("kitobkhona", **blocked)

    with pytest.raises(FinalRefusalError, match=f"^{code}: ") as caught:
        ASK[call](connect(**changes))
    assert caught.value.code == code
    assert_discreet(caught.value)
    assert [(refusal.call, refusal.code) for refusal in gateway.refusals] == [(call, code)]
    assert gateway.requests[Call(call)] == 1


def test_an_unknown_msg_id(client: Any, gateway: SimulatedGateway, assert_discreet: Any) -> None:
    """§3 (wire-notes, "Message ids"): a msg_id that the gateway does not know concerns that message only."""
    with pytest.raises(UnknownMessageError) as caught:
        client.query_status("424242")
    assert_discreet(caught.value)
    assert [refusal.code for refusal in gateway.refusals] == [107]


@pytest.mark.parametrize(("fault", "error_class"), FAILURES.items())
def test_a_status_is_asked_once_whatever_happens(
    client: Any,
    gateway: SimulatedGateway,
    message: Message,
    *,
    fault: Fault,
    error_class: type[OsonSmsError],
    assert_discreet: Callable[..., None],
) -> None:
    """§3: a failed query is told and not repeated, and the next one is answered."""
    msg_id = client.send(message).msg_id
    gateway.inject(fault, call="query")

    with pytest.raises(error_class) as caught:
        client.query_status(msg_id)
    assert type(caught.value) is error_class
    assert_discreet(caught.value)
    assert gateway.requests[Call.QUERY] == 1
    assert client.query_status(msg_id) is DeliveryStatus.ENROUTE


def test_4_2_balance(client: Any, gateway: SimulatedGateway, message: Message) -> None:
    """§4.2: the balance is told in somoni, before and after a message."""
    assert client.query_balance() == Decimal(10)
    client.send(message)
    assert client.query_balance() == gateway.balance == Decimal("9.90")


@pytest.mark.parametrize("balance", ["0", "-3.5", "0.07", "123456.78"])
def test_4_2_any_balance(client: Any, gateway: SimulatedGateway, balance: str) -> None:
    """§4.2: a balance has no binary fraction, and may be below zero."""
    gateway.backend.change_account("kitobkhona", balance=Decimal(balance))

    assert str(client.query_balance().normalize()) == str(Decimal(balance).normalize())


@pytest.mark.parametrize("fault", FAILURES)
def test_the_balance_survives_two_faults(client: Any, gateway: SimulatedGateway, fault: Fault) -> None:
    """§4: asking for the balance changes nothing, so it is asked up to three times."""
    gateway.inject(fault, call="balance", times=2)

    assert client.query_balance() == Decimal(10)
    assert gateway.requests[Call.BALANCE] == 3
    assert client.pauses == [1.0, 2.0]


def test_the_balance_does_not_survive_three_faults(client: Any, gateway: SimulatedGateway) -> None:
    """§4: the third failure is told."""
    gateway.inject(Fault.CUT_BEFORE, call="balance", times=3)

    with pytest.raises(OutcomeUnknownError):
        client.query_balance()
    assert gateway.requests[Call.BALANCE] == 3
