"""The gateway over HTTP."""

import json
import logging
import socket
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from airflow_provider_osonsms.simulator import SimulatedGateway

SEND, QUERY, BALANCE = "/sendsms_v1.php", "/query_sms.php", "/check_balance.php"
BULK = "/api/v1/bulk-sms/create"


def test_send_then_query(
    gateway: SimulatedGateway,
    ask_json: Callable[..., Any],
    message: dict[str, str],
    question: dict[str, str],
    clock: Any,
) -> None:
    """A message is accepted with 201, billed, and its status can be asked for."""
    status, accepted = ask_json(SEND, message)
    assert (status, accepted["msg_id"]) == (201, 100000001)
    assert gateway.balance == Decimal("99.9")
    assert [sent.text for sent in gateway.inbox("992900001234")] == ["Salom"]
    assert gateway.inbox("992900001235") == []

    clock.advance(1)
    status, answer = ask_json(QUERY, question)
    assert (status, answer["status"], answer["message_state"]) == (200, "DELIVERED", "Delivered")


@pytest.mark.parametrize("written", ["Nav%20roj%2B", "Nav+roj%2B"])
def test_a_space_is_a_plus_or_a_percent(
    gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str], written: str
) -> None:
    """A space may come as ``+`` or ``%20``, and ``%2B`` is a plus."""
    rest = urlencode({**message, "msg": ""}).replace("msg=", "")

    assert ask(SEND, f"{rest}&msg={written}")[0] == 201
    assert gateway.sent[0].text == "Nav roj+"


def test_any_order_and_unicode(
    gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str]
) -> None:
    """Parameters may come in any order, and a text is UTF-8."""
    text = "Салом, ҳамсоя 😀; 100%&=?#"
    message["msg"] = text

    assert ask(SEND, urlencode(dict(reversed(message.items())), quote_via=quote))[0] == 201
    assert gateway.sent[0].text == text


def test_broken_utf8_does_not_break_the_gateway(ask: Callable[..., Any], message: dict[str, str]) -> None:
    """Bytes that are not UTF-8 are a refusal or a text, never a crash."""
    query = urlencode({**message, "from": ""}) + "&from=%FF%ED%A0%80"

    assert ask(SEND, query)[0] == 422


@pytest.mark.parametrize(("path", "call"), [(SEND, "send"), (QUERY, "query"), (BALANCE, "balance")])
def test_post_is_refused_with_100(
    gateway: SimulatedGateway, ask_json: Callable[..., Any], message: dict[str, str], path: str, call: str
) -> None:
    """Only the query string of a GET is read: a POST misses every field (wire-notes, "Requests")."""
    status, body = ask_json(path, message, method="POST", body=urlencode(message))

    assert (status, body["error"]["code"]) == (422, 100)
    assert gateway.requests[call] == 1
    assert gateway.sent == []


def test_head_sends_nothing(
    gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str]
) -> None:
    """A HEAD is not a send."""
    assert ask(SEND, message, method="HEAD")[0] == 405
    assert gateway.sent == []


def test_bearer_header(
    gateway: SimulatedGateway, ask_json: Callable[..., Any], message: dict[str, str]
) -> None:
    """The token comes in the header."""
    del message["str_hash"]

    assert ask_json(SEND, message, headers={"Authorization": "Bearer wrong"})[1]["error"]["code"] == 106
    assert ask_json(SEND, message, headers={"Authorization": "Bearer demo-salt"})[0] == 201
    assert len(gateway.refusals) == 1


def test_the_remote_address_is_checked(
    gateway: SimulatedGateway, ask_json: Callable[..., Any], message: dict[str, str]
) -> None:
    """The white list is about the address of the client's socket."""
    gateway.backend.change_account("demo", whitelist=frozenset({"198.51.100.1"}))

    assert ask_json(SEND, message)[1]["error"]["msg"].endswith("Remote address is 127.0.0.1")


def test_balance(ask_json: Callable[..., Any], balance_question: dict[str, str]) -> None:
    """The balance is a JSON number."""
    assert ask_json(BALANCE, balance_question)[1]["balance"] == 100.0


def test_bulk(
    gateway: SimulatedGateway,
    ask_json: Callable[..., Any],
    bulk_fields: dict[str, str],
    form: Callable[..., Any],
) -> None:
    """A bulk job comes as a multipart form with a file."""
    body, headers = form({**bulk_fields, "msg": "Салом"}, b"992900001234\r\n")

    status, answer = ask_json(BULK, method="POST", body=body, headers=headers)
    assert (status, answer["sms_bulk_name"]) == (200, "bulk-1")
    assert (gateway.bulks[0].text, gateway.bulks[0].phones) == ("Салом", ("992900001234",))


def test_a_bulk_file_of_full_size(
    gateway: SimulatedGateway, ask: Callable[..., Any], bulk_fields: dict[str, str], form: Callable[..., Any]
) -> None:
    """384,615 phones fit into one file."""
    body, headers = form(bulk_fields, b"992900001234\n" * 384_615)

    assert ask(BULK, method="POST", body=body, headers=headers, timeout=30)[0] == 200
    assert len(gateway.bulks[0].phones) == 384_615


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data", "multipart/form-data; boundary=other"]
)
def test_bulk_that_is_not_a_form(ask_json: Callable[..., Any], content_type: str) -> None:
    """A body that is not a readable form has no fields."""
    status, answer = ask_json(BULK, method="POST", body=b"--cut\r\n", headers={"Content-Type": content_type})

    assert (status, len(answer["data"])) == (422, 7)


def test_ledger_over_http(
    ask_json: Callable[..., Any],
    message: dict[str, str],
    second_message: dict[str, str],
    bulk_fields: dict[str, str],
    form: Callable[..., Any],
) -> None:
    """Another process reads everything, without secrets and without confidential texts."""
    ask_json(SEND, message)
    ask_json(SEND, {**second_message, "is_confidential": "true"})
    ask_json(SEND, message)
    body, headers = form(bulk_fields, b"992900001234\n")
    ask_json(BULK, method="POST", body=body, headers=headers)

    status, ledger = ask_json("/_simulator/ledger")
    assert status == 200
    assert "demo-salt" not in json.dumps(ledger)
    assert (ledger["accounts"][0]["login"], ledger["accounts"][0]["balance"]) == ("demo", 99.8)
    assert [(sent["text"], sent["status"]) for sent in ledger["messages"]] == [
        ("Salom", "ENROUTE"),
        (None, "ENROUTE"),
    ]
    assert [job["phones"] for job in ledger["bulks"]] == [["992900001234"]]
    assert [(refusal["call"], refusal["code"]) for refusal in ledger["refusals"]] == [("send", 108)]
    assert ledger["requests"] == {"send": 3, "query": 0, "balance": 0, "bulk": 1}


def test_health(ask_json: Callable[..., Any]) -> None:
    """A script can wait until the simulator is there."""
    assert ask_json("/_simulator/health") == (200, {"ok": True})


def test_nothing_is_logged(
    gateway: SimulatedGateway,
    ask: Callable[..., Any],
    message: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No log record holds a hash, a phone or a text, not even of a request that cannot be read."""
    caplog.set_level(logging.DEBUG)

    ask(SEND, message)
    assert ask(SEND, {**message, "msg": "Salom" * 4000})[0] == 400
    with socket.create_connection(urlsplit(gateway.url).netloc.split(":"), timeout=5) as raw:
        raw.sendall(b"Salom 992900001234\r\n\r\n")
        raw.recv(4096)

    assert "992900001234" not in caplog.text
    assert "Salom" not in caplog.text
    assert message["str_hash"] not in caplog.text
