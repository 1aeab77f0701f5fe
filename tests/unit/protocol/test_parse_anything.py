"""Whatever comes back, reading it ends in a value or in one of our own errors."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.models import Response
from airflow_provider_osonsms.protocol.parse import parse_balance, parse_bulk, parse_query, parse_send

PARSERS = (
    partial(parse_send, txn_id="txn-7"),
    parse_query,
    parse_balance,
    partial(parse_bulk, txn_id="txn-7"),
)
NAMES = st.sampled_from(
    [
        "status",
        "error",
        "code",
        "msg",
        "msg_id",
        "txn_id",
        "smsc_msg_parts",
        "message_state",
        "message_state_code",
        "balance",
        "success",
        "data",
        "sms_bulk_name",
    ]
)
WORDS = st.sampled_from(
    ["ok", "success", "DELIVERED", "txn-7", "User not found", "No phone numbers", "\ud800", "NaN"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=98, max_value=121)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=10)
STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 402, 404, 409, 422, 500, 502, 599]) | st.integers(
    100, 599
)


def write(body: Any) -> bytes:
    """Write JSON as Python does: with NaN and Infinity, and lone surrogates escaped."""
    return json.dumps(body).encode()


def read(status: int, body: bytes) -> str:
    """Read an answer to each of the four calls, and return every word that came out of it."""
    return "\n".join(show(parse, Response(status=status, body=body)) for parse in PARSERS)


def show(parse: Callable[[Response], Any], response: Response) -> str:
    """Return what came out of one call's answer: a value or an error of ours."""
    try:
        result = parse(response)
    except OsonSmsError as error:
        return f"{error} {error!r}"
    return f"{result!r} {getattr(result, 'bulk_name', '')}"


@given(status=STATUSES, body=st.binary(max_size=200))
@example(status=201, body=b"\xef\xbb\xbf{}")
@example(status=201, body=b"\xff\xfe{\x00}\x00")
@example(status=201, body=b"\x00\x00\x00{")
def test_any_bytes(status: int, body: bytes) -> None:
    """Any bytes under any status are read or refused in our own words."""
    read(status, body)


@given(status=STATUSES, body=OBJECTS)
def test_any_object(status: int, body: dict[str, Any]) -> None:
    """Any JSON object made of the gateway's names and arbitrary values is survived."""
    read(status, write(body))


@given(status=STATUSES, body=VALUES)
def test_any_json(status: int, body: Any) -> None:
    """JSON that is no object at all is survived."""
    read(status, write(body))


@given(status=STATUSES, error=OBJECTS | VALUES)
def test_any_error(status: int, error: Any) -> None:
    """An error of any shape is survived."""
    read(status, write({"error": error}))


@given(status=STATUSES, data=VALUES)
def test_any_validation_error(status: int, data: Any) -> None:
    """A validation error of any shape is survived."""
    read(status, write({"success": False, "data": {"from": data}}))


def test_every_depth() -> None:
    """Nesting of any depth ends in a value or our error, also just around the interpreter's own limit."""
    for depth in [*range(930, 1005), 100_000]:
        nested = b"[" * depth + b"]" * depth
        for body in (
            nested,
            b'{"error":%b}' % nested,
            b'{"error":{"code":777,"msg":%b}}' % nested,
            b'{"success":false,"data":{"a":%b}}' % nested,
            b'{"success":false,"data":{"a":[%b]}}' % nested,
            b'{"status":"ok","msg_id":1,"txn_id":%b}' % nested,
        ):
            read(422, body)
            read(201, body)


NUMBERS = [
    b"9" * 5000,
    b"-" + b"9" * 5000,
    b"9" * 4000,
    b"1e5000",
    b"-1e5000",
    b"NaN",
    b"-Infinity",
    b"0." + b"0" * 5000,
    b"1e99999999999999999999",
]


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
@pytest.mark.parametrize("quotes", [b"", b'"'], ids=["number", "text"])
@pytest.mark.parametrize(
    "template",
    [
        b'{"status":"ok","msg_id":%b}',
        b'{"status":"ok","msg_id":1,"smsc_msg_parts":%b}',
        b'{"status":"ok","msg_id":1,"txn_id":%b}',
        b'{"message_state_code":%b}',
        b'{"balance":%b}',
        b'{"error":{"code":%b}}',
        b'{"status":"success","sms_bulk_name":%b}',
    ],
)
def test_monstrous_numbers(number: bytes, *, quotes: bytes, template: bytes) -> None:
    """Numbers that Python cannot print, or that are none, are survived wherever they stand."""
    read(200, template % (quotes + number + quotes))


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"ok","msg_id":1,"error":{"code":108},"error":null}',
        b'{"error":null,"error":{"code":108,"code":"x"}}',
        b'{"status":"ok","msg_id":"\\ud800"}',
        b'{"status":"success","sms_bulk_name":"\\ud83d Navsol"}',
        b'{"error":{"code":777,"msg":"\\ud800"}}',
        b'{"error":"\\ud800"}',
        b'{"success":false,"data":{"\\ud800":["\\udfff"]}}',
        b'{"balance":"\\ud800"}',
        b'{"status":"\\ud800"}',
    ],
)
def test_duplicates_and_surrogates(body: bytes) -> None:
    """Duplicate names and halves of surrogate pairs give values and errors that can be written down."""
    read(200, body).encode()
