"""§2: one message, from the client's call to the gateway's ledger."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    FinalRefusalError,
    PhoneNotAllowedError,
    TemporaryRefusalError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome, SendReceipt
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.records import Call


def test_2_2_success(client: Any, gateway: SimulatedGateway, message: Message) -> None:
    """§2.2: a message is accepted once, as it was written, and billed once."""
    receipt = client.send(message)

    (sent,) = gateway.sent
    assert receipt == SendReceipt(
        txn_id="invoice-31",
        msg_id=str(sent.msg_id),
        parts=1,
        accepted_at=sent.accepted_at.replace(microsecond=0),
        outcome=Outcome.ACCEPTED,
    )
    assert (sent.txn_id, sent.sender, sent.phone, sent.text) == (
        "invoice-31",
        "KITOB",
        "992900001200",
        "Salom, Dilshod",
    )
    assert (sent.channel, sent.is_confidential) == (None, False)
    assert gateway.balance == Decimal("9.90")
    assert gateway.refusals == []


@pytest.mark.parametrize(
    ("code", "changes", "blocked"),
    [(100, {"login": ""}, {}), (105, {"login": "Kitobkhona"}, {}), (105, {}, {"is_blocked": True})],
    ids=["missing", "another case", "blocked"],
)
def test_2_3_100_and_105(
    connect: Callable[..., Any],
    gateway: SimulatedGateway,
    message: Message,
    *,
    code: int,
    changes: dict[str, Any],
    blocked: dict[str, Any],
    assert_discreet: Callable[..., None],
) -> None:
    """§2.3, codes 100 and 105: without a known login nothing is sent, and nothing is repeated."""
    gateway.backend.change_account("kitobkhona", **blocked)

    with pytest.raises(FinalRefusalError, match=f"^{code}: ") as caught:
        connect(**changes).send(message)
    assert_discreet(caught.value)
    assert_refused_once(gateway, code)


def test_2_3_106(
    connect: Callable[..., Any],
    gateway: SimulatedGateway,
    message: Message,
    assert_discreet: Callable[..., None],
) -> None:
    """§2.3, code 106: a wrong salt or token is refused at once, and the error says where to look."""
    with pytest.raises(FinalRefusalError, match=r"^106: .*pass_salt_hash") as caught:
        connect(secret="sol-4712").send(message)
    assert_discreet(caught.value)
    assert_refused_once(gateway, 106)


def test_2_3_107(
    client: Any, gateway: SimulatedGateway, message: Message, assert_discreet: Callable[..., None]
) -> None:
    """§2.3, code 107: a sender of somebody else is refused at once."""
    with pytest.raises(FinalRefusalError, match=r"^107: .*sender=") as caught:
        client.send(replace(message, sender="BANK"))
    assert_discreet(caught.value)
    assert_refused_once(gateway, 107)


def test_2_3_108(
    client: Any, gateway: SimulatedGateway, message: Message, assert_discreet: Callable[..., None]
) -> None:
    """§2.3, code 108: a txn_id that was used by another call is a collision, not a success."""
    client.send(message)

    with pytest.raises(DuplicateTransactionError, match=r"^108: ") as caught:
        client.send(replace(message, phone="992900001201"))
    assert_discreet(caught.value)
    assert [sent.phone for sent in gateway.sent] == ["992900001200"]
    assert gateway.balance == Decimal("9.90")
    assert gateway.requests[Call.SEND] == 2


@pytest.mark.parametrize(
    ("history", "outcome"),
    [
        (TxnIdHistory.MAYBE_ACCEPTED, Outcome.ACCEPTED_UNTRACKED),
        (TxnIdHistory.MAYBE_CONSUMED, Outcome.UNCERTAIN),
    ],
)
def test_2_3_108_explained(
    client: Any, gateway: SimulatedGateway, message: Message, *, history: TxnIdHistory, outcome: Outcome
) -> None:
    """§2.3, code 108: what is known of the past says what a duplicate proves, and nothing is billed twice."""
    client.send(message)

    assert client.send(message, history=history) == SendReceipt(txn_id="invoice-31", outcome=outcome)
    assert len(gateway.sent) == 1
    assert gateway.balance == Decimal("9.90")


@pytest.mark.parametrize(
    ("code", "fault"), [(109, Fault.NOT_STORED), (112, Fault.NOT_SENT), (113, Fault.SMSC_UNREACHABLE)]
)
def test_2_3_109_112_113(
    client: Any,
    gateway: SimulatedGateway,
    message: Message,
    *,
    code: int,
    fault: Fault,
    assert_discreet: Callable[..., None],
) -> None:
    """§2.3, codes 109, 112 and 113: three tries, then a temporary refusal; nothing is sent or billed."""
    gateway.inject(fault, times=3)

    with pytest.raises(TemporaryRefusalError, match=f"^{code}: ") as caught:
        client.send(message)
    assert_discreet(caught.value)
    assert [refusal.code for refusal in gateway.refusals] == [code] * 3
    assert (gateway.sent, gateway.balance, client.pauses) == ([], 10, [1.0, 2.0])


def test_2_3_114(
    client: Any, gateway: SimulatedGateway, message: Message, assert_discreet: Callable[..., None]
) -> None:
    """§2.3, code 114: an address that is not on the white list is refused at once, and named."""
    gateway.backend.change_account("kitobkhona", whitelist=frozenset({"203.0.113.9"}))

    with pytest.raises(FinalRefusalError, match=r"^114: .*sees 127\.0\.0\.1") as caught:
        client.send(message)
    assert_discreet(caught.value)
    assert_refused_once(gateway, 114)


def test_2_3_119(
    client: Any, gateway: SimulatedGateway, message: Message, assert_discreet: Callable[..., None]
) -> None:
    """§2.3, code 119: without money nothing is sent; after a top-up the same message goes out once."""
    gateway.backend.change_account("kitobkhona", balance=Decimal("0.05"))

    with pytest.raises(BalanceExhaustedError, match=r"^119: ") as caught:
        client.send(message)
    assert_discreet(caught.value)
    assert_refused_once(gateway, 119, balance=Decimal("0.05"))

    gateway.backend.change_account("kitobkhona", balance=Decimal(1))
    assert client.send(message).outcome is Outcome.ACCEPTED
    assert len(gateway.sent) == 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a;b+c%d&e=f?g#h/i\\j\"k'l%20m", 1),
        ("Салом, Дилшод! Ғ ӣ қ ӯ ҳ ҷ", 1),
        ("Idi muborak 🎉👨‍👩‍👧", 1),
        ("two\nlines\tand  spaces ", 1),
        ("x" * 161, 2),
        ("я" * 135, 3),
    ],
)
def test_2_1_texts_arrive_unchanged(
    client: Any, gateway: SimulatedGateway, message: Message, *, text: str, parts: int
) -> None:
    """§2.1: separators, percent signs, Cyrillic and emoji are read as they were written."""
    assert client.send(replace(message, text=text)).parts == parts
    assert [sent.text for sent in gateway.sent] == [text]


def test_2_1_sender_beyond_ascii(client: Any, gateway: SimulatedGateway, message: Message) -> None:
    """§2.1: a Cyrillic sender is signed and read as it was written."""
    gateway.backend.change_account("kitobkhona", senders=frozenset({"Китоб 24"}))

    client.send(replace(message, sender="Китоб 24"))
    assert [sent.sender for sent in gateway.sent] == ["Китоб 24"]


def test_2_1_channel_and_confidential(client: Any, gateway: SimulatedGateway, message: Message) -> None:
    """§2.1: a messenger and the wish for secrecy arrive as such."""
    client.send(replace(message, channel="telegram", is_confidential=True))

    assert [(sent.channel, sent.is_confidential) for sent in gateway.sent] == [("telegram", True)]


def test_allowed_phones(connect: Callable[..., Any], gateway: SimulatedGateway, message: Message) -> None:
    """With an allow-list a stranger is never texted, and not even asked about."""
    staging = connect(allowed_phones=frozenset({"992900001200"}))

    with pytest.raises(PhoneNotAllowedError):
        staging.send(replace(message, phone="992900001201"))
    assert gateway.requests[Call.SEND] == 0
    assert staging.send(message).outcome is Outcome.ACCEPTED


def assert_refused_once(gateway: SimulatedGateway, code: int, *, balance: Decimal = Decimal(10)) -> None:
    """Expect one request, its refusal, no message and no bill."""
    assert [refusal.code for refusal in gateway.refusals] == [code]
    assert gateway.requests[Call.SEND] == 1
    assert (gateway.sent, gateway.balance) == ([], balance)
