"""Sending one message, without HTTP (§2)."""

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_osonsms.simulator import GatewayBackend

STAMP = "2026-11-23 09:00:00"
TOKEN = "Bearer demo-salt"


def test_success(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A message is answered with 201 and the fields of a real answer (§2.2; wire-notes, "Answers")."""
    assert backend.send(message) == (
        201,
        {
            "status": "ok",
            "timestamp": STAMP,
            "txn_id": "t-1",
            "msg_id": 100000001,
            "smsc_msg_id": "+05F5E101",
            "smsc_msg_status": "success",
            "smsc_msg_parts": 1,
        },
    )


def test_the_ledger_after_a_success(backend: GatewayBackend, message: dict[str, str], clock: Any) -> None:
    """An accepted message is in the ledger as it was sent, and nothing was refused."""
    backend.send({**message, "is_confidential": "true", "channel": "telegram"})

    (sent,) = backend.messages
    assert (sent.msg_id, sent.txn_id, sent.login, sent.sender) == (100000001, "t-1", "demo", "SHOP")
    assert (sent.phone, sent.text, sent.parts) == ("992900001234", "Salom", 1)
    assert (sent.channel, sent.is_confidential, sent.accepted_at) == ("telegram", True, clock.now)
    assert backend.refusals == []


def test_personal_data_is_not_in_a_repr(backend: GatewayBackend, message: dict[str, str]) -> None:
    """No representation of a value shows a phone, a text or a secret."""
    backend.send(message)

    shown = repr(backend.messages) + repr(backend.accounts)
    assert "992900001234" not in shown
    assert "Salom" not in shown
    assert "demo-salt" not in shown


def test_bearer_needs_no_hash(backend: GatewayBackend, message: dict[str, str]) -> None:
    """With the right token no hash is needed, and a hash that is there is not read."""
    del message["str_hash"]

    assert backend.send(message, authorization=TOKEN)[0] == 201
    assert (
        backend.send({**message, "txn_id": "t-2", "str_hash": "x"}, authorization="bearer demo-salt")[0]
        == 201
    )


def test_another_scheme_is_not_bearer(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A header of another scheme leaves the decision to the hash."""
    assert backend.send(message, authorization="Basic eDp5")[0] == 201


def test_nine_digits(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A number without 992 is accepted, hashed as sent and kept with 992 (wire-notes, "Phones")."""
    digest = "165fff09e23612453d784c22712bcb38d37d294348f945a0cd168e66d1f4dcaf"

    assert backend.send({**message, "phone_number": "900001234", "str_hash": digest})[0] == 201
    assert backend.messages[0].phone == "992900001234"


def test_nine_digits_that_begin_with_992(backend: GatewayBackend, message: dict[str, str]) -> None:
    """The length decides: 992123456 is a local number."""
    backend.send({**message, "phone_number": "992123456"}, authorization=TOKEN)

    assert backend.messages[0].phone == "992992123456"


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("false", False), ("True", False), ("1", False)]
)
def test_is_confidential_is_the_word_true(
    backend: GatewayBackend, message: dict[str, str], *, value: str, expected: bool
) -> None:
    """Only the documented word hides a text, so that a client's "True" is noticed."""
    backend.send({**message, "is_confidential": value})

    assert backend.messages[0].is_confidential is expected


def test_timestamps_are_of_dushanbe(backend: GatewayBackend, message: dict[str, str], clock: Any) -> None:
    """Timestamps are wall time of Dushanbe, across midnight too (wire-notes, "Timestamps")."""
    clock.now += timedelta(hours=15)

    assert backend.send(message)[1]["timestamp"] == "2026-11-24 00:00:00"
