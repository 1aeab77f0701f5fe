"""HTTP 429 and 503 ask to slow down: what proves it, what it proves, and how long a conversation waits."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    OsonSmsError,
    ServiceUnavailableError,
    TemporaryRefusalError,
    ThrottledError,
    TooManyRequestsError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.flows import create_bulk, query_balance, send_once
from airflow_provider_osonsms.protocol.history import TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Message, Outcome, Response
from airflow_provider_osonsms.protocol.parse import parse_balance, parse_bulk, parse_query, parse_send

KINDS = {429: TooManyRequestsError, 503: ServiceUnavailableError}
PARSERS: dict[str, Callable[[Response], Any]] = {
    "send": lambda response: parse_send(response, txn_id="t"),
    "query": parse_query,
    "balance": parse_balance,
    "bulk": lambda response: parse_bulk(response, txn_id="t"),
}
UNWRITTEN = {
    "empty": b"",
    "HTML": b"<html>slower</html>",
    "words": b'{"message": "Too Many Attempts."}',
    "an error in words": b'{"error": "Too many requests"}',
    "an error without a code": b'{"error": {"msg": "slower"}}',
    "an unlisted code": b'{"error": {"code": 429, "msg": "slower"}}',
    "cut": b'{"error": {"code": 4',
}
OK = b'{"status":"ok","msg_id":170055123,"smsc_msg_parts":2}'


@pytest.mark.parametrize("status", KINDS)
@pytest.mark.parametrize("call", PARSERS)
@pytest.mark.parametrize("body", UNWRITTEN.values(), ids=UNWRITTEN)
def test_the_status_counts_where_no_documented_code_does(*, status: int, call: str, body: bytes) -> None:
    """Whatever a front writes beside 429 or 503, it asks to slow down, for as long as it says."""
    with pytest.raises(ThrottledError) as caught:
        PARSERS[call](Response(status=status, body=body, retry_after=7.0))

    assert type(caught.value) is KINDS[status]
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)
    assert str(status) in str(caught.value)


@pytest.mark.parametrize("status", KINDS)
@pytest.mark.parametrize(
    ("code", "kind"),
    [(108, DuplicateTransactionError), (109, TemporaryRefusalError), (119, BalanceExhaustedError)],
)
def test_a_documented_code_counts_more(*, status: int, code: int, kind: type[OsonSmsError]) -> None:
    """The gateway's own word proves what it proves under any status."""
    body = json.dumps({"error": {"code": code, "msg": "-"}}).encode()

    with pytest.raises(kind):
        PARSERS["send"](Response(status=status, body=body))


@pytest.mark.parametrize("status", KINDS)
@pytest.mark.parametrize("body", [OK, OK[:20], b'{"sms_bulk_name": "Navsol"}', b"<p>msg_id 12</p>"])
def test_an_answer_that_may_name_a_message_was_not_turned_away(*, status: int, body: bytes) -> None:
    """A proxy may change the status of a receipt: it proves neither acceptance nor that nothing was sent."""
    with pytest.raises(UnexpectedAnswerError) as caught:
        PARSERS["send"](Response(status=status, body=body))

    assert read_proof(caught.value).history is TxnIdHistory.MAYBE_ACCEPTED


@pytest.mark.parametrize("status", [400, 403, 408, 418, 428, 430, 500, 502, 504])
def test_no_other_status_asks_to_slow_down(status: int) -> None:
    """A 502 or 504 is no request to slow down, but an answer that was lost."""
    with pytest.raises(UnexpectedAnswerError):
        PARSERS["send"](Response(status=status, body=b"<html>", retry_after=7.0))


def slower(status: int = 429, *, seconds: float = 0.0) -> Response:
    """Ask to slow down."""
    return Response(status=status, body=b"<html>", retry_after=seconds)


@pytest.mark.parametrize(
    ("asked", "pauses"),
    [
        ([0, 0], [1, 2]),
        ([0.5, 0.5], [1, 2]),
        ([5], [5]),
        ([20, 40], [20, 40]),
        ([60], [60]),
        ([0, 60], [1, 60]),
    ],
)
def test_the_pause_is_obeyed(
    converse: Callable[..., Any],
    message: Message,
    account: Account,
    *,
    asked: list[float],
    pauses: list[float],
) -> None:
    """The next attempt waits as long as the gateway asks, and not shorter than after a failure."""
    replies = [*(slower(seconds=seconds) for seconds in asked), Response(status=201, body=OK)]
    talk = converse(send_once(message, account), replies)

    assert (talk.pauses, talk.result.outcome) == (pauses, Outcome.ACCEPTED)


@pytest.mark.parametrize("call", ["send", "balance", "bulk"])
@pytest.mark.parametrize("asked", [[60, 1], [40, 21], [20, 60], [0, 60, 60]])
def test_nobody_waits_longer_than_a_minute_in_all(
    converse: Callable[..., Any], message: Message, *, job: BulkJob, account: Account, call: str, asked: Any
) -> None:
    """A conversation that would wait longer ends, and its error may be followed by a retry."""
    flow = {
        "send": lambda: send_once(message, account, attempts=5),
        "balance": lambda: query_balance(account, make_nonce=lambda: "n", attempts=5),
        "bulk": lambda: create_bulk(job, account, attempts=5),
    }[call]()
    talk = converse(flow, [slower(seconds=seconds) for seconds in asked])

    assert len(talk.requests) == len(asked)
    assert isinstance(talk.result, TooManyRequestsError)
    assert sum(talk.pauses) <= 61


def test_less_patience(converse: Callable[..., Any], message: Message, account: Account) -> None:
    """Where seconds count, a longer pause is not begun."""
    talk = converse(send_once(message, account, patience=10), [slower(seconds=11)])

    assert (talk.pauses, type(talk.result)) == ([], TooManyRequestsError)


@pytest.mark.parametrize(
    ("first", "outcome"), [(429, None), (503, Outcome.ACCEPTED_UNTRACKED)], ids=["429", "503"]
)
def test_a_108_after_it(
    converse: Callable[..., Any], message: Message, account: Account, *, first: int, outcome: Outcome | None
) -> None:
    """A 503 explains a 108, because the message may have been taken; a 429 explains none."""
    taken = Response(status=409, body=b'{"error":{"code":108,"msg":"-"}}')
    talk = converse(send_once(message, account), [slower(first), taken])

    if outcome is None:
        assert isinstance(talk.result, DuplicateTransactionError)
    else:
        assert talk.result.outcome is outcome


@pytest.mark.parametrize(("status", "requests"), [(429, 3), (503, 1)])
def test_a_bulk_job_that_may_exist_is_not_repeated(
    converse: Callable[..., Any], job: BulkJob, account: Account, *, status: int, requests: int
) -> None:
    """After a 429 no job exists, so the upload comes again; after a 503 one may exist."""
    talk = converse(create_bulk(job, account), [slower(status)] * 3)

    assert len(talk.requests) == requests
    assert isinstance(talk.result, KINDS[status])
