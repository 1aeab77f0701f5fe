"""At most once: what each sequence of answers and failures means (§1, §2; design, "Exactly once")."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.build import build_send
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    FinalRefusalError,
    InvalidMessageError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
    TransportError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.flows import send_once
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Account, Message, Outcome, Response

ACCEPTED, UNTRACKED, UNCERTAIN = Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED, Outcome.UNCERTAIN
NEW, TRIED, BUSY = TxnIdHistory.UNUSED, TxnIdHistory.MAYBE_ACCEPTED, TxnIdHistory.MAYBE_CONSUMED


def refuse(code: int) -> Response:
    """Write a refusal."""
    return Response(status=422, body=json.dumps({"error": {"code": code, "msg": "-"}}).encode())


def play(script: str) -> list[Response | TransportError]:
    """Turn words into replies: ok, unsent, lost, junk, or a code."""
    replies: dict[str, Callable[[], Response | TransportError]] = {
        "ok": lambda: Response(status=201, body=b'{"status":"ok","msg_id":170055123,"smsc_msg_parts":2}'),
        "unsent": lambda: RequestNotSentError("no connection"),
        "lost": lambda: OutcomeUnknownError("no answer"),
        "junk": lambda: Response(status=502, body=b"<html>"),
    }
    return [replies[word]() if word in replies else refuse(int(word)) for word in script.split()]


@pytest.mark.parametrize(
    ("script", "history", "outcome"),
    [
        ("ok", NEW, ACCEPTED),
        ("ok", TRIED, ACCEPTED),
        ("ok", BUSY, ACCEPTED),
        ("unsent ok", NEW, ACCEPTED),
        ("lost ok", NEW, ACCEPTED),
        ("junk ok", NEW, ACCEPTED),
        ("109 ok", NEW, ACCEPTED),
        ("unsent unsent ok", NEW, ACCEPTED),
        ("lost 112 ok", NEW, ACCEPTED),
        ("lost 108", NEW, UNTRACKED),
        ("junk 108", NEW, UNTRACKED),
        ("lost unsent 108", NEW, UNTRACKED),
        ("unsent lost 108", NEW, UNTRACKED),
        ("lost lost 108", NEW, UNTRACKED),
        ("108", TRIED, UNTRACKED),
        ("unsent 108", TRIED, UNTRACKED),
        ("lost 108", TRIED, UNTRACKED),
        ("109 108", NEW, UNCERTAIN),
        ("112 108", NEW, UNCERTAIN),
        ("113 108", NEW, UNCERTAIN),
        ("130 108", NEW, UNCERTAIN),
        ("lost 109 108", NEW, UNCERTAIN),
        ("109 lost 108", NEW, UNCERTAIN),
        ("109 unsent 108", NEW, UNCERTAIN),
        ("109 108", TRIED, UNCERTAIN),
        ("108", BUSY, UNCERTAIN),
        ("lost 108", BUSY, UNCERTAIN),
        ("unsent 108", BUSY, UNCERTAIN),
    ],
)
def test_outcomes(
    converse: Callable[..., Any],
    message: Message,
    account: Account,
    *,
    script: str,
    history: TxnIdHistory,
    outcome: Outcome,
) -> None:
    """A receipt says what is proven: accepted, accepted in a lost answer, or nothing."""
    talk = converse(send_once(message, account, history=history), play(script))

    assert talk.result.outcome is outcome
    assert talk.result.txn_id == message.txn_id
    known = ("170055123", 2) if outcome is ACCEPTED else (None, None)
    assert (talk.result.msg_id, talk.result.parts) == known
    assert talk.unused == []


@pytest.mark.parametrize(
    ("script", "history", "error_class"),
    [
        ("108", NEW, DuplicateTransactionError),
        ("unsent 108", NEW, DuplicateTransactionError),
        ("unsent unsent 108", NEW, DuplicateTransactionError),
        ("unsent unsent unsent", NEW, RequestNotSentError),
        ("unsent unsent unsent", TRIED, RequestNotSentError),
        ("lost unsent unsent", NEW, OutcomeUnknownError),
        ("unsent lost unsent", NEW, OutcomeUnknownError),
        ("lost lost lost", NEW, OutcomeUnknownError),
        ("junk unsent unsent", NEW, UnexpectedAnswerError),
        ("junk junk junk", NEW, UnexpectedAnswerError),
        ("109 109 109", NEW, TemporaryRefusalError),
        ("109 unsent unsent", NEW, TemporaryRefusalError),
        ("109 lost lost", NEW, TemporaryRefusalError),
        ("lost 113 unsent", NEW, TemporaryRefusalError),
        ("100", NEW, FinalRefusalError),
        ("105", NEW, FinalRefusalError),
        ("106", NEW, FinalRefusalError),
        ("107", NEW, FinalRefusalError),
        ("114", NEW, FinalRefusalError),
        ("119", NEW, BalanceExhaustedError),
        ("106", TRIED, FinalRefusalError),
        ("119", TRIED, BalanceExhaustedError),
        ("lost 106", NEW, FinalRefusalError),
        ("unsent 119", NEW, BalanceExhaustedError),
    ],
)
def test_failures(
    converse: Callable[..., Any],
    message: Message,
    account: Account,
    *,
    script: str,
    history: TxnIdHistory,
    error_class: type[Exception],
) -> None:
    """A failure forbids as much as the most doubtful attempt, and a clear no ends the attempts at once."""
    talk = converse(send_once(message, account, history=history), play(script))

    assert type(talk.result) is error_class
    assert talk.unused == []


@pytest.mark.parametrize("script", ["lost lost ok", "109 112 113", "unsent junk 108"])
def test_every_repeat_is_the_same_request(
    converse: Callable[..., Any], message: Message, account: Account, script: str
) -> None:
    """All attempts send the identical request, with the one txn_id, after pauses of 1 s and 2 s."""
    talk = converse(send_once(message, account), play(script))

    assert talk.requests == [build_send(message, account)] * 3
    assert talk.pauses == [1.0, 2.0]


def test_no_pause_when_the_first_attempt_is_answered(
    converse: Callable[..., Any], message: Message, account: Account
) -> None:
    """A message that is accepted at once costs no time."""
    assert converse(send_once(message, account), play("ok")).pauses == []


def test_attempts_can_be_limited(converse: Callable[..., Any], message: Message, account: Account) -> None:
    """A single attempt is never repeated."""
    talk = converse(send_once(message, account, attempts=1), play("lost ok"))

    assert type(talk.result) is OutcomeUnknownError
    assert len(talk.requests) == 1


def test_a_malformed_message_makes_no_request(
    converse: Callable[..., Any], message: Message, account: Account
) -> None:
    """What is refused here never leaves this machine."""
    bad = Message(phone="900001234", text=message.text, sender=message.sender, txn_id=message.txn_id)
    talk = converse(send_once(bad, account), [])

    assert type(talk.result) is InvalidMessageError
    assert talk.requests == []


def test_the_last_failure_of_a_kind_is_raised(
    converse: Callable[..., Any], message: Message, account: Account
) -> None:
    """Of several equally doubtful failures the latest is told."""
    replies = [OutcomeUnknownError("first"), OutcomeUnknownError("second"), RequestNotSentError("third")]
    talk = converse(send_once(message, account), list(replies))

    assert talk.result is replies[1]
