"""Every row of §2.3, and the order of the checks, without HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.simulator import GatewayBackend

STAMP = "2026-11-23 09:00:00"
MANDATORY = "One of the mandatory variables (from,phone_number,msg,login,str_hash,txn_id) not set."


def error(code: int, msg: str) -> dict[str, Any]:
    """Write the body of §2.3."""
    return {"error": {"code": code, "error_type": "fatal", "msg": msg, "timestamp": STAMP}}


@pytest.mark.parametrize("field", ["from", "phone_number", "msg", "login", "str_hash", "txn_id"])
@pytest.mark.parametrize("is_empty", [True, False])
def test_100_missing_field(
    backend: GatewayBackend, message: dict[str, str], *, field: str, is_empty: bool
) -> None:
    """A mandatory field that is missing or empty is refused with 100."""
    message.pop(field)
    if is_empty:
        message[field] = ""

    assert backend.send(message) == (422, error(100, MANDATORY))


@pytest.mark.parametrize(
    "phone",
    [
        "+992900001234",
        "00992900001234",
        "99290000123",
        "9929000012345",
        "900 001234",
        "90000123",
        "٩٩٢٩٠٠٠٠١٢٣٤",
    ],
)
def test_100_phone(backend: GatewayBackend, message: dict[str, str], phone: str) -> None:
    """A phone that is neither 12 digits with 992 nor 9 digits is refused with 100 (a guess)."""
    assert backend.send({**message, "phone_number": phone}) == (422, error(100, MANDATORY))


def test_100_channel(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A channel that §2.1 does not list is refused with 100 (a guess)."""
    assert backend.send({**message, "channel": "pigeon"}) == (422, error(100, MANDATORY))


@pytest.mark.parametrize("login", ["nobody", "Demo"])
def test_105_unknown_login(backend: GatewayBackend, message: dict[str, str], login: str) -> None:
    """An unknown login, or one in another case, is refused with 105."""
    assert backend.send({**message, "login": login}) == (401, error(105, "Inactive or non-existent account"))


def test_105_blocked_login(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A blocked login is refused with 105."""
    backend.change_account("demo", is_blocked=True)

    assert backend.send(message) == (401, error(105, "Inactive or non-existent account"))


@pytest.mark.parametrize("change", [{"txn_id": "t-9"}, {"phone_number": "900001234"}, {"from": "OTHER"}])
def test_106_signed_field_changed(
    backend: GatewayBackend, message: dict[str, str], change: dict[str, str]
) -> None:
    """A hash of other fields than those sent is refused with 106."""
    assert backend.send({**message, **change}) == (422, error(106, "Incorrect hash"))


def test_106_upper_case(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A hash in upper case is refused with 106 (§1: lower-case hex)."""
    message["str_hash"] = message["str_hash"].upper()

    assert backend.send(message) == (422, error(106, "Incorrect hash"))


def test_106_wrong_token(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A wrong token gets 106 and its own words, even beside a right hash (wire-notes, "Two protocols")."""
    answer = backend.send(message, authorization="Bearer wrong")

    assert answer == (422, error(106, "Incorrect Authorization"))


def test_114_whitelist(backend: GatewayBackend, message: dict[str, str]) -> None:
    """An address that is not on the white list is refused with 114, which names it (wire-notes, "Errors")."""
    backend.change_account("demo", whitelist=frozenset({"127.0.0.1"}))

    answer = backend.send(message, remote="203.0.113.7")
    assert answer == (401, error(114, "Host is not in whitelist. Remote address is 203.0.113.7"))
    assert backend.send(message, remote="127.0.0.1")[0] == 201


def test_107_sender(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A sender of somebody else is refused with 107."""
    digest = "583f44cc03203c8502da4c9e9548edfcd5c5ab4ccb3023bd34b4cba2cc34f896"

    answer = backend.send({**message, "from": "OTHER", "str_hash": digest})
    assert answer == (422, error(107, "Incorrect sender"))


def test_108_duplicate(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A txn_id that was accepted is refused with 108, without a msg_id; nothing is sent or billed again."""
    backend.send(message)

    answer = backend.send({**message, "msg": "another text"})
    assert answer == (409, error(108, "Duplicate txn_id. It should be unique."))
    assert len(backend.messages) == 1
    assert backend.accounts["demo"].balance == Decimal("0.25")


def test_108_before_119(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A repeat of an accepted message says 409 even when the money is gone."""
    backend.send(message)
    backend.change_account("demo", balance=Decimal(0))

    assert backend.send(message)[0] == 409


def test_txn_ids_are_unique_per_login(backend: GatewayBackend, message: dict[str, str]) -> None:
    """Two accounts may use the same txn_id."""
    backend.send(message)

    digest = "6ba9aab6a04d6739f4e7d5aaff85cf5924e88aa43941ac1e5f06d2f34e99175b"
    assert backend.send({**message, "login": "second", "str_hash": digest})[0] == 201


def test_119_balance(
    backend: GatewayBackend, message: dict[str, str], second_message: dict[str, str]
) -> None:
    """The balance falls by the price of each part and never below zero."""
    message["msg"] = "ж" * 202
    assert backend.send(message) == (
        402,
        error(119, "Balance overdraft limit has reached. Please top up your balance."),
    )
    message["msg"] = "ж" * 201
    assert backend.send(message)[1]["smsc_msg_parts"] == 3
    assert backend.accounts["demo"].balance == Decimal("0.05")
    assert backend.send(second_message)[0] == 402


def test_exactly_enough_money(backend: GatewayBackend, message: dict[str, str]) -> None:
    """The last somoni can be spent."""
    backend.change_account("demo", balance=Decimal("0.10"))

    assert backend.send(message)[0] == 201
    assert backend.accounts["demo"].balance == 0


def test_order_of_checks(backend: GatewayBackend, message: dict[str, str]) -> None:
    """Checks run in the order 100, 105, 106, 114, 107, 108, 119: each repair shows the next code."""
    digest = "583f44cc03203c8502da4c9e9548edfcd5c5ab4ccb3023bd34b4cba2cc34f896"
    backend.send(message)
    backend.change_account("demo", balance=Decimal(0), is_blocked=True, whitelist=frozenset({"198.51.100.1"}))
    wrong = {**message, "from": "OTHER", "str_hash": "0" * 64, "msg": ""}
    codes = []

    def attempt(**repair: str) -> None:
        wrong.update(repair)
        codes.append(backend.send(wrong)[1]["error"]["code"])

    attempt()
    attempt(msg="Salom")
    backend.change_account("demo", is_blocked=False)
    attempt()
    attempt(str_hash=digest)
    backend.change_account("demo", whitelist=None)
    attempt()
    attempt(**{"from": "SHOP", "str_hash": message["str_hash"]})
    attempt(txn_id="t-2", str_hash="519fc2601382aef4cdb991f3f011ba8db8413641c565dd54da767e3873e85b00")

    assert codes == [100, 105, 106, 114, 107, 108, 119]


def test_a_refusal_does_not_use_up_the_txn_id(backend: GatewayBackend, message: dict[str, str]) -> None:
    """A message refused for lack of money is accepted under the same txn_id after a top-up."""
    backend.change_account("demo", balance=Decimal(0))
    backend.send(message)
    backend.change_account("demo", balance=Decimal(1))

    assert backend.send(message)[0] == 201


def test_refusals_are_kept(backend: GatewayBackend, message: dict[str, str], clock: Any) -> None:
    """A refusal is in the ledger with its code and a reason in words, without phone or text."""
    clock.advance(5)
    backend.send({**message, "login": "nobody"})

    (refusal,) = backend.refusals
    assert (refusal.call, refusal.http_status, refusal.code) == ("send", 401, 105)
    assert (refusal.login, refusal.txn_id, refusal.at) == ("nobody", "t-1", clock.now)
    assert refusal.reason == "no account has this login"
    assert "992900001234" not in repr(refusal)
