"""The other three conversations: status, balance, bulk."""

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.build import build_balance, build_bulk
from airflow_provider_osonsms.protocol.errors import (
    BulkRefusedError,
    DuplicateTransactionError,
    FinalRefusalError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
    TransportError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.flows import create_bulk, query_balance
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Account, BulkJob, BulkReceipt, Response

BULK_OK = b'{"status":"success","message":"Bulk SMS created successfully","sms_bulk_name":"Navsol"}'


def nonces() -> Callable[[], str]:
    """Count n-1, n-2 ..."""
    numbers = count(1)
    return lambda: f"n-{next(numbers)}"


def play(script: str, *, ok: bytes) -> list[Response | TransportError]:
    """Turn words into replies: ok, unsent, lost, junk, invalid, or a code."""
    replies: dict[str, Callable[[], Response | TransportError]] = {
        "ok": lambda: Response(status=200, body=ok),
        "unsent": lambda: RequestNotSentError("no connection"),
        "lost": lambda: OutcomeUnknownError("no answer"),
        "junk": lambda: Response(status=502, body=b"<html>"),
        "invalid": lambda: Response(status=422, body=b'{"success":false,"data":{"from":["-"]}}'),
    }
    return [
        replies[word]()
        if word in replies
        else Response(status=422, body=json.dumps({"error": {"code": int(word), "msg": "-"}}).encode())
        for word in script.split()
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("ok", Decimal("6.07")),
        ("lost unsent ok", Decimal("6.07")),
        ("109 junk ok", Decimal("6.07")),
        ("lost lost unsent", RequestNotSentError),
        ("unsent unsent lost", OutcomeUnknownError),
        ("106", FinalRefusalError),
        ("lost 105", FinalRefusalError),
    ],
)
def test_the_balance_is_asked_again(
    converse: Callable[..., Any], account: Account, script: str, expected: Any
) -> None:
    """Asking changes nothing, so any failure is repeated, each time with a fresh nonce."""
    talk = converse(query_balance(account, make_nonce=nonces()), play(script, ok=b'{"balance":6.07}'))
    asked = len(script.split())

    assert expected in (talk.result, type(talk.result))
    assert talk.requests == [build_balance(account, nonce=f"n-{number}") for number in range(1, asked + 1)]
    assert talk.pauses == [1.0, 2.0][: asked - 1]


@pytest.mark.parametrize(
    ("script", "may_resend", "expected"),
    [
        ("ok", False, "Navsol"),
        ("unsent ok", False, "Navsol"),
        ("unsent unsent ok", False, "Navsol"),
        ("unsent unsent unsent", False, RequestNotSentError),
        ("lost", False, OutcomeUnknownError),
        ("unsent lost", False, OutcomeUnknownError),
        ("junk", False, UnexpectedAnswerError),
        ("109", False, TemporaryRefusalError),
        ("108", False, DuplicateTransactionError),
        ("108", True, DuplicateTransactionError),
        ("unsent 108", True, DuplicateTransactionError),
        ("invalid", True, BulkRefusedError),
        ("106", True, FinalRefusalError),
        ("lost ok", True, "Navsol"),
        ("junk lost ok", True, "Navsol"),
        ("lost 108", True, None),
        ("lost lost lost", True, OutcomeUnknownError),
        ("lost unsent unsent", True, OutcomeUnknownError),
        ("lost invalid", True, OutcomeUnknownError),
    ],
)
def test_a_bulk_job(
    converse: Callable[..., Any],
    job: BulkJob,
    account: Account,
    *,
    script: str,
    may_resend: bool,
    expected: Any,
) -> None:
    """An upload that may have arrived is repeated only on request; one that never left is repeated freely."""
    flow = create_bulk(job, account, may_resend=may_resend)
    talk = converse(flow, play(script + " ok", ok=BULK_OK))
    asked = len(script.split())

    if expected is None or isinstance(expected, str):
        assert talk.result == BulkReceipt(txn_id=job.txn_id, bulk_name=expected)
    else:
        assert type(talk.result) is expected
    assert talk.requests == [build_bulk(job, account)] * asked
    assert talk.pauses == [1.0, 2.0][: asked - 1]


def test_a_bulk_duplicate_after_a_temporary_refusal_proves_nothing(
    converse: Callable[..., Any], job: BulkJob, account: Account
) -> None:
    """After a 109 the txn_id may be used up, so a 108 does not mean a created job (wire-notes, "Repeats")."""
    talk = converse(create_bulk(job, account, may_resend=True), play("109 108", ok=BULK_OK))

    assert not isinstance(talk.result, BulkReceipt)


@pytest.mark.parametrize("script", ["108", "unsent 108", "unsent unsent 108"])
def test_a_bulk_duplicate_after_an_earlier_temporary_refusal_is_not_a_missing_connection(
    converse: Callable[..., Any], job: BulkJob, account: Account, script: str
) -> None:
    """A 108 after an earlier try's 109 leaves the job open, whatever failed to leave before it."""
    flow = create_bulk(job, account, may_resend=True, history=TxnIdHistory.MAYBE_CONSUMED)
    talk = converse(flow, play(script, ok=BULK_OK))

    assert type(talk.result) is OutcomeUnknownError
