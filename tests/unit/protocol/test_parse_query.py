"""Answers to a status query (§3.2, §3.3), in both shapes (wire-notes, "Statuses")."""

import json
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    GatewayError,
    ServiceUnavailableError,
    UnexpectedAnswerError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.models import Response
from airflow_provider_osonsms.protocol.parse import parse_query
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

WORDS = ["ENROUTE", "ACCEPTED", "DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "REJECTED", "UNKNOWN"]


def answer(body: Any, *, status: int = 200) -> Response:
    """Write an answer in JSON."""
    return Response(status=status, body=json.dumps(body).encode())


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("spell", [str.upper, str.capitalize, str.lower, " {} ".format])
@pytest.mark.parametrize("shape", ["status", "message_state"])
def test_every_word_in_both_shapes(word: str, spell: Any, shape: str) -> None:
    """A documented word is read from either field, in any case."""
    assert parse_query(answer({shape: spell(word), "timestamp": "-"})) is DeliveryStatus[word]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (1, "ENROUTE"),
        (2, "DELIVERED"),
        (3, "EXPIRED"),
        (4, "DELETED"),
        (5, "UNDELIVERABLE"),
        (6, "ACCEPTED"),
        (7, "UNKNOWN"),
        (8, "REJECTED"),
        ("2", "DELIVERED"),
        (0, "UNRECOGNIZED"),
        (9, "UNRECOGNIZED"),
    ],
)
def test_codes(code: Any, word: str) -> None:
    """A code alone is enough, and one that nobody listed is neither success nor failure."""
    assert parse_query(answer({"message_state_code": code})) is DeliveryStatus[word]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"status": "DELIVERED", "message_state": "Delivered", "message_state_code": 2}, "DELIVERED"),
        ({"status": "DELIVERED", "message_state": "Expired"}, "DELIVERED"),
        ({"status": "ok", "message_state": "Delivered"}, "DELIVERED"),
        ({"status": "ok", "message_state": "Zugestellt", "message_state_code": 2}, "DELIVERED"),
        ({"status": None, "message_state": "Rejected"}, "REJECTED"),
        ({"status": 2, "message_state_code": 8}, "REJECTED"),
        ({"status": "SCHEDULED"}, "UNRECOGNIZED"),
        ({"status": ""}, "UNRECOGNIZED"),
        ({"status": "SCHEDULED", "message_state_code": 99}, "UNRECOGNIZED"),
    ],
)
def test_which_word_counts(body: dict[str, Any], word: str) -> None:
    """The documented field goes first, a word that says nothing gives way, an unknown one never crashes."""
    assert parse_query(answer(body)) is DeliveryStatus[word]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"timestamp": "-"},
        {"status": None},
        {"status": ["DELIVERED"]},
        {"message_state_code": True},
        [],
        7,
    ],
)
def test_no_status_at_all(body: Any) -> None:
    """An answer without any status cannot be read."""
    with pytest.raises(UnexpectedAnswerError):
        parse_query(answer(body))


def test_a_byte_order_mark_is_no_part_of_the_answer() -> None:
    """A PHP file that was saved with a mark puts it before every answer."""
    body = b'\xef\xbb\xbf{"status":"DELIVERED"}'

    assert parse_query(Response(status=200, body=body)) is DeliveryStatus.DELIVERED


def test_a_status_under_an_error_page_is_not_believed() -> None:
    """A status counts only in an answer of 2xx."""
    with pytest.raises(UnexpectedAnswerError):
        parse_query(answer({"status": "DELIVERED"}, status=500))
    with pytest.raises(ServiceUnavailableError):
        parse_query(answer({"status": "DELIVERED"}, status=503))


def test_107_is_about_this_message_only() -> None:
    """In a query 107 means an unknown msg_id, not a wrong sender (wire-notes, "Message ids")."""
    with pytest.raises(UnknownMessageError, match="msg_id") as caught:
        parse_query(answer({"error": {"code": 107, "msg": "Message ID is invalid"}}, status=422))

    assert caught.value.code == 107
    assert "sender" not in str(caught.value)


@pytest.mark.parametrize("code", [100, 105, 106])
def test_the_rows_of_the_document(code: int) -> None:
    """Each row of §3.3 is a final refusal with its code."""
    with pytest.raises(GatewayError) as caught:
        parse_query(answer({"error": {"code": code, "msg": "-"}}, status=422))

    assert type(caught.value) is FinalRefusalError
    assert caught.value.code == code
