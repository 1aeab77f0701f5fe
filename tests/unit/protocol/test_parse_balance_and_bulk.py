"""Answers about the balance (§4.2, §4.3) and to a bulk job (§5.2, §5.3)."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import (
    BulkRefusedError,
    FinalRefusalError,
    GatewayError,
    OsonSmsError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.models import BulkReceipt, Response
from airflow_provider_osonsms.protocol.parse import parse_balance, parse_bulk


def answer(body: Any, *, status: int = 200) -> Response:
    """Write an answer in JSON, or take it as it is written."""
    return Response(status=status, body=body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("written", "balance"),
    [
        (b"6.07", "6.07"),
        (b"0.1", "0.1"),
        (b'"6.07"', "6.07"),
        (b'" 12.30 "', "12.30"),
        (b"0", "0"),
        (b"-3.5", "-3.5"),
        (b"1e3", "1000"),
        (b"123456789.01", "123456789.01"),
    ],
)
def test_balances(written: bytes, balance: str) -> None:
    """A number or text is read without a binary fraction, also below zero (wire-notes, "Answers")."""
    response = answer(b'{"balance":%b,"timestamp":"2026-11-23 09:15:27"}' % written)

    assert parse_balance(response) == Decimal(balance)


@pytest.mark.parametrize(
    "written",
    [b"null", b"true", b'""', b'"much"', b"NaN", b"Infinity", b'"NaN"', b'"sNaN"', b"1e999", b"[]", b"{}"],
)
def test_balances_that_are_none(written: bytes) -> None:
    """What is not a finite number is not a balance."""
    with pytest.raises(UnexpectedAnswerError):
        parse_balance(answer(b'{"balance":%b}' % written))


@pytest.mark.parametrize("code", [100, 105, 106])
def test_balance_refusals(code: int) -> None:
    """Each row of §4.3 is a final refusal with its code."""
    with pytest.raises(FinalRefusalError) as caught:
        parse_balance(answer({"error": {"code": code, "msg": "-"}}, status=422))

    assert caught.value.code == code


@pytest.mark.parametrize(("name", "read"), [("Navsol", "Navsol"), (" Navsol ", "Navsol"), (4711, "4711")])
def test_bulk_success(name: Any, read: str) -> None:
    """A created job is known by its name (§5.2)."""
    body = {"status": "success", "message": "Bulk SMS created successfully", "sms_bulk_name": name}

    assert parse_bulk(answer(body), txn_id="txn-7") == BulkReceipt(txn_id="txn-7", bulk_name=read)


def test_bulk_422() -> None:
    """A validation error names each field and what is wrong with it (§5.3)."""
    data = {"from": ["The from field is required."], "send_at": "The send at is wrong."}
    body = {"success": False, "message": "Validation errors", "data": data}

    with pytest.raises(BulkRefusedError) as caught:
        parse_bulk(answer(body, status=422), txn_id="txn-7")
    assert "from: The from field is required.; send_at: The send at is wrong." in str(caught.value)
    assert caught.value.code is None


def test_bulk_422_with_many_fields() -> None:
    """An answer with 50,000 fields gives a short error, and a name that is no field of §5.1 is not shown."""
    data = {f"Zarina-{number}": ["is required"] * 9 for number in range(50_000)}

    with pytest.raises(BulkRefusedError) as caught:
        parse_bulk(answer({"success": False, "data": data}, status=422), txn_id="txn-7")
    assert len(str(caught.value)) < 300
    assert "49993 more fields" in str(caught.value)
    assert "Zarina" not in str(caught.value)


def test_bulk_422_quotes_no_text() -> None:
    """A complaint that repeats the text of the message, or phones, shows neither."""
    data = {"msg": ["The msg 'Салом, Зарина! 250 сомонӣ' may not be longer than 70", "992 90 000 12 34"]}

    with pytest.raises(BulkRefusedError) as caught:
        parse_bulk(answer({"success": False, "data": data}, status=422), txn_id="txn-7")
    assert "msg: The msg … may not be" in str(caught.value)
    assert not set("Заринасомонӣ") & set(str(caught.value))
    assert not re.search("[0-9]{2}", str(caught.value))


def test_bulk_404() -> None:
    """A blocked or unknown login is final (§5.3)."""
    with pytest.raises(FinalRefusalError, match="login of the Connection"):
        parse_bulk(answer({"error": "User not found"}, status=404), txn_id="txn-7")


def test_bulk_400() -> None:
    """A file without numbers creates no job (§5.3)."""
    with pytest.raises(BulkRefusedError, match="no phone numbers"):
        parse_bulk(answer({"error": "No phone numbers found in the file"}, status=400), txn_id="txn-7")


def test_bulk_in_the_other_dialect() -> None:
    """A coded error is understood here too."""
    with pytest.raises(GatewayError, match="106: "):
        parse_bulk(answer({"error": {"code": 106, "msg": "-"}}, status=422), txn_id="txn-7")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        b"",
        b"<html>",
        {"status": "success"},
        {"status": "success", "sms_bulk_name": " "},
        {"status": "ok", "sms_bulk_name": "Navsol"},
        {"success": False},
        {"success": False, "data": []},
        {"error": "Unable to store message."},
        {"error": None},
    ],
)
def test_bulk_answers_that_prove_nothing(body: Any) -> None:
    """After any other answer the job may exist."""
    with pytest.raises(UnexpectedAnswerError):
        parse_bulk(answer(body), txn_id="txn-7")


@pytest.mark.parametrize(
    "body",
    [
        {"error": "No route to 992900001234 for https://cab.test/?login=x"},
        {"success": False, "data": {"file": ["992900001234 is wrong"], "992900001235": ["x"]}},
        {"error": {"code": 777, "msg": "992900001234"}},
    ],
)
def test_bulk_errors_are_discreet(body: Any) -> None:
    """A phone or a URL that the gateway repeats is not repeated again."""
    with pytest.raises(OsonSmsError) as caught:
        parse_bulk(answer(body, status=422), txn_id="txn-7")

    assert "9000012" not in str(caught.value)
    assert "http" not in str(caught.value)
