"""Asking for a status and for the balance, without HTTP (§3, §4)."""

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_osonsms.simulator import GatewayBackend
from airflow_provider_osonsms.simulator.delivery import plan_statuses

TOKEN = "Bearer demo-salt"
QUERY_MANDATORY = "One of the mandatory variables (login,str_hash,msg_id) not set."
BALANCE_MANDATORY = "One of the mandatory variables (login,str_hash,txn_id) not set."


def error(code: int, msg: str) -> dict[str, Any]:
    """Write the body of §3.3 and §4.3."""
    stamp = "2026-11-23 09:00:00"
    return {"error": {"code": code, "error_type": "fatal", "msg": msg, "timestamp": stamp}}


def test_both_shapes_at_once(
    backend: GatewayBackend, message: dict[str, str], question: dict[str, str], clock: Any
) -> None:
    """An answer holds the documented status and the one that the provider's own client reads."""
    backend.send(message)
    clock.advance(2)

    assert backend.query(question) == (
        200,
        {
            "status": "DELIVERED",
            "timestamp": "2026-11-23 09:00:02",
            "txn_id": "t-1",
            "msg_id": 100000001,
            "message_state": "Delivered",
            "message_state_code": 2,
        },
    )


def test_delivery_advances_with_time(
    backend: GatewayBackend, message: dict[str, str], question: dict[str, str], clock: Any
) -> None:
    """A message is ENROUTE for half a second, ACCEPTED for another half, then DELIVERED."""
    backend.send(message)

    seen = []
    for seconds in (0, 0.49, 0.01, 0.49, 0.01, 3600):
        clock.advance(seconds)
        answer = backend.query(question)[1]
        seen.append((answer["status"], answer["message_state_code"]))
    assert seen == [
        ("ENROUTE", 1),
        ("ENROUTE", 1),
        ("ACCEPTED", 6),
        ("ACCEPTED", 6),
        ("DELIVERED", 2),
        ("DELIVERED", 2),
    ]


@pytest.mark.parametrize(
    ("ending", "status", "code"),
    [
        ("91", "EXPIRED", 3),
        ("92", "DELETED", 4),
        ("93", "UNDELIVERABLE", 5),
        ("94", "REJECTED", 8),
        ("95", "UNKNOWN", 7),
        ("96", "ACCEPTED", 6),
        ("90", "DELIVERED", 2),
        ("97", "DELIVERED", 2),
    ],
)
def test_magic_digits(
    backend: GatewayBackend,
    message: dict[str, str],
    *,
    question: dict[str, str],
    clock: Any,
    ending: str,
    status: str,
    code: int,
) -> None:
    """The last two digits of a phone choose what becomes of its message."""
    backend.send({**message, "phone_number": f"9929000012{ending}"}, authorization=TOKEN)
    clock.advance(86400)

    answer = backend.query(question)[1]
    assert (answer["status"], answer["message_state_code"]) == (status, code)


def test_history(backend: GatewayBackend, message: dict[str, str], clock: Any) -> None:
    """Every status of a message is known beforehand, with the moment it begins."""
    backend.send(message)

    assert plan_statuses(backend.messages[0], backend.behavior) == (
        ("ENROUTE", clock.now),
        ("ACCEPTED", clock.now + timedelta(seconds=0.5)),
        ("DELIVERED", clock.now + timedelta(seconds=1)),
    )


@pytest.mark.parametrize("field", ["login", "str_hash", "msg_id", "txn_id"])
def test_query_100(backend: GatewayBackend, question: dict[str, str], field: str) -> None:
    """A query without one of its fields is refused with 100, which lists what §3.3 lists."""
    del question[field]

    assert backend.query(question) == (422, error(100, QUERY_MANDATORY))


def test_query_105(backend: GatewayBackend, question: dict[str, str]) -> None:
    """A query under an unknown login is refused with 105."""
    answer = backend.query({**question, "login": "Demo"})
    assert answer == (401, error(105, "Inactive or non-existent account"))


def test_query_106_order_of_fields(
    backend: GatewayBackend, question: dict[str, str], balance_question: dict[str, str]
) -> None:
    """The hash of a balance query is not the hash of a status query (§3.1)."""
    answer = backend.query({**question, "str_hash": balance_question["str_hash"]})
    assert answer == (422, error(106, "Incorrect hash"))


@pytest.mark.parametrize("msg_id", ["100000002", "x", "0100000001"])
def test_query_107_unknown(
    backend: GatewayBackend, message: dict[str, str], question: dict[str, str], msg_id: str
) -> None:
    """An unknown msg_id is refused with 107 and other words than a sender (wire-notes, "Message ids")."""
    backend.send(message)

    assert backend.query({**question, "msg_id": msg_id}) == (422, error(107, "Message ID is invalid"))


def test_query_107_somebody_else(
    backend: GatewayBackend, message: dict[str, str], question: dict[str, str]
) -> None:
    """The message of another account is unknown."""
    backend.send(message)
    digest = "036401fcf895c28139bf7338716ea74273c7c6e3141a730d57e5fa091a10fdd1"

    answer = backend.query({**question, "login": "second", "str_hash": digest})
    assert answer == (422, error(107, "Message ID is invalid"))


def test_query_with_a_token(backend: GatewayBackend, message: dict[str, str]) -> None:
    """Under Bearer a query needs neither hash nor txn_id."""
    backend.send(message)

    answer = backend.query({"login": "demo", "msg_id": "100000001"}, authorization=TOKEN)
    assert answer[1]["status"] == "ENROUTE"


def test_balance(backend: GatewayBackend, balance_question: dict[str, str]) -> None:
    """The balance is a JSON number, with a timestamp."""
    assert backend.balance(balance_question) == (200, {"balance": 0.35, "timestamp": "2026-11-23 09:00:00"})


def test_balance_with_a_token(backend: GatewayBackend) -> None:
    """Under Bearer a balance query needs no hash."""
    assert backend.balance({"login": "demo", "txn_id": "n-1"}, authorization=TOKEN)[0] == 200


@pytest.mark.parametrize("field", ["login", "str_hash", "txn_id"])
def test_balance_100(backend: GatewayBackend, balance_question: dict[str, str], field: str) -> None:
    """A balance query without one of its fields is refused with 100."""
    del balance_question[field]

    assert backend.balance(balance_question) == (422, error(100, BALANCE_MANDATORY))


def test_balance_105(backend: GatewayBackend, balance_question: dict[str, str]) -> None:
    """A blocked login does not learn its balance."""
    backend.change_account("demo", is_blocked=True)

    assert backend.balance(balance_question) == (401, error(105, "Inactive or non-existent account"))


def test_balance_106(
    backend: GatewayBackend, balance_question: dict[str, str], question: dict[str, str]
) -> None:
    """The hash of a status query is not the hash of a balance query (§4.1)."""
    answer = backend.balance({**balance_question, "str_hash": question["str_hash"]})
    assert answer == (422, error(106, "Incorrect hash"))
