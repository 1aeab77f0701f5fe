"""Answers to a message (§2.2, §2.3), in the shapes of real gateways (wire-notes, "Answers", "Errors")."""

import json
from datetime import datetime
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    FinalRefusalError,
    GatewayError,
    TemporaryRefusalError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.models import Outcome, Response, SendReceipt
from airflow_provider_osonsms.protocol.parse import parse_send
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

SUCCESS = {
    "status": "ok",
    "timestamp": "2026-11-23 09:15:27",
    "txn_id": "txn-7",
    "msg_id": 170055123,
    "smsc_msg_id": "+4A11B2C3",
    "smsc_msg_status": "success",
    "smsc_msg_parts": 2,
}


def answer(body: Any, *, status: int = 201) -> Response:
    """Write an answer in JSON."""
    return Response(status=status, body=json.dumps(body).encode())


def refusal(code: Any, *, msg: str = "-", status: int = 422) -> Response:
    """Write an error as docs/wire-notes.md "Errors" shows it."""
    error = {"code": code, "error_type": "fatal", "msg": msg, "timestamp": "2026-11-23 09:15:27"}
    return answer({"error": error}, status=status)


def test_a_real_success() -> None:
    """A success with all its undocumented fields gives the id as text and the number of parts."""
    moment = datetime(2026, 11, 23, 9, 15, 27, tzinfo=TAJIK_TIME)
    assert parse_send(answer(SUCCESS), txn_id="txn-7") == SendReceipt(
        txn_id="txn-7", msg_id="170055123", parts=2, accepted_at=moment, outcome=Outcome.ACCEPTED
    )


@pytest.mark.parametrize(
    "timestamp",
    [
        None,
        7,
        "",
        "yesterday",
        "2026-13-45 99:00:00",
        "0000-00-00 00:00:00",
        "0001-01-01 00:00:00",
        "x" * 19,
        ["a"],
    ],
)
def test_a_strange_timestamp_proves_nothing(timestamp: object) -> None:
    """A moment that cannot be read is unknown; the message is accepted all the same."""
    receipt = parse_send(answer({**SUCCESS, "timestamp": timestamp}), txn_id="txn-7")

    assert (receipt.accepted_at, receipt.outcome) == (None, Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("changes", "msg_id", "parts"),
    [
        ({"msg_id": "170055123"}, "170055123", 2),
        ({"msg_id": " 170055123 "}, "170055123", 2),
        ({"msg_id": "a1B2"}, "a1B2", 2),
        ({"smsc_msg_parts": "3"}, "170055123", 3),
        ({"smsc_msg_parts": None}, "170055123", None),
        ({"smsc_msg_parts": True}, "170055123", None),
        ({"smsc_msg_parts": -1}, "170055123", None),
        ({"smsc_msg_parts": 1.5}, "170055123", None),
        ({"smsc_msg_parts": "many"}, "170055123", None),
        ({"error": None}, "170055123", 2),
    ],
)
def test_liberal_reading(changes: dict[str, Any], msg_id: str, parts: int | None) -> None:
    """Ids may be numbers or text, and a missing number of parts loses no message."""
    receipt = parse_send(answer(SUCCESS | changes), txn_id="txn-7")

    assert (receipt.msg_id, receipt.parts) == (msg_id, parts)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_2xx_is_a_success(status: int) -> None:
    """A proxy that turns 201 into 200 changes nothing."""
    assert parse_send(answer(SUCCESS, status=status), txn_id="txn-7").msg_id == "170055123"


def test_an_echo_may_be_missing_or_a_number() -> None:
    """The txn_id in the answer is compared as text, and may be left out."""
    without = {name: value for name, value in SUCCESS.items() if name != "txn_id"}

    assert parse_send(answer(without), txn_id="txn-7").txn_id == "txn-7"
    assert parse_send(answer(SUCCESS | {"txn_id": 7}), txn_id="7").txn_id == "7"


@pytest.mark.parametrize(
    "changes",
    [
        {"txn_id": "txn-8"},
        {"status": "error"},
        {"status": None},
        {"status": "OK "},
        {"msg_id": None},
        {"msg_id": ""},
        {"msg_id": True},
        {"msg_id": 1.5},
        {"msg_id": [1]},
        {"msg_id": "a b"},
        {"msg_id": "1;2"},
        {"msg_id": "١٢٣"},
        {"msg_id": "\ud800"},
        {"msg_id": "9" * 65},
        {"error": "no"},
        {"error": []},
        {"error": {}},
        {"error": {"code": None}},
        {"error": {"code": True}},
        {"error": {"code": "x"}},
    ],
)
def test_doubtful_answers(changes: dict[str, Any]) -> None:
    """An answer that does not confirm this very message proves neither acceptance nor refusal."""
    with pytest.raises(UnexpectedAnswerError):
        parse_send(answer(SUCCESS | changes), txn_id="txn-7")


@pytest.mark.parametrize(
    "response",
    [
        Response(status=201, body=b""),
        Response(status=201, body=b'{"status":"ok","txn_id":"txn-7","msg'),
        Response(status=201, body=b"[]"),
        Response(status=201, body=b"null"),
        Response(status=200, body=b"<html>captive portal</html>"),
        Response(status=502, body=b"<html>502 Bad Gateway</html>"),
        Response(status=302, body=b""),
        answer(SUCCESS, status=500),
        answer(SUCCESS, status=302),
    ],
)
def test_unreadable_answers(response: Response) -> None:
    """Empty, cut, foreign or contradictory answers leave the outcome unknown, whatever the HTTP status."""
    with pytest.raises(UnexpectedAnswerError, match=f"HTTP {response.status}, {len(response.body)} bytes"):
        parse_send(response, txn_id="txn-7")


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        (100, FinalRefusalError),
        (105, FinalRefusalError),
        (106, FinalRefusalError),
        (107, FinalRefusalError),
        (108, DuplicateTransactionError),
        (109, TemporaryRefusalError),
        (112, TemporaryRefusalError),
        (113, TemporaryRefusalError),
        (114, FinalRefusalError),
        (119, BalanceExhaustedError),
        (120, TemporaryRefusalError),
        (0, TemporaryRefusalError),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 422, 500, 599])
@pytest.mark.parametrize("kind", [int, str])
def test_codes_decide(code: int, error_class: type[GatewayError], *, status: int, kind: type) -> None:
    """The code alone decides what a refusal is, under any HTTP status and as number or text (§2.3)."""
    with pytest.raises(GatewayError) as caught:
        parse_send(refusal(kind(code), status=status), txn_id="txn-7")

    assert type(caught.value) is error_class
    assert caught.value.code == code
    assert str(caught.value).startswith(f"{code}: ")


def test_a_refusal_beats_a_success() -> None:
    """An answer that holds both is a refusal."""
    with pytest.raises(DuplicateTransactionError):
        parse_send(answer(SUCCESS | {"error": {"code": 108}}), txn_id="txn-7")
