"""Other clients against the simulator: what they put on the wire, in our own words and data.

Seen in public code (2026-11): the PHP example of OsonSMS, and the packages and shop modules made of it,
build the query with ``http_build_query`` (a space is ``+``; from, phone_number, msg, str_hash, txn_id,
login) and send curl's headers; the provider's package 3.0.0 has a Bearer token instead of str_hash
(wire-notes, "Two protocols", "Other clients"). Node services write the query by hand
(``%20``, login first) or with ``querystring`` and numbers of 9 digits; a C# service adds a
parameter ``t``; casdoor's go-sms-sender sorts the parameters by name. The digests were made outside
Python: ``printf '%s' 't-php;shop;SHOP;992900000101;other-salt' | sha256sum``.
"""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from airflow_provider_osonsms.simulator import SimulatedGateway

RECORDED = json.loads(Path(__file__).with_name("other_clients.json").read_text(encoding="utf-8"))
MESSAGES = {case["client"]: case for case in RECORDED["messages"]}


@pytest.fixture
def gateway() -> Iterator[SimulatedGateway]:
    """A gateway with the account shop."""
    with SimulatedGateway(
        login="shop", secret="other-salt", senders=("SHOP",), enroute_seconds=0, accepted_seconds=0
    ) as running:
        yield running


def exchange(url: str, head: str, *headers: str, body: bytes = b"") -> tuple[int, dict]:
    """Send a request byte by byte as it is written here: HTTP status and JSON."""
    address = urlsplit(url)
    lines = (f"{head} HTTP/1.1", f"Host: {address.netloc}", *headers, f"Content-Length: {len(body)}", "", "")
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        with HTTPResponse(connection) as answer:
            answer.begin()
            return answer.status, json.load(answer)


@pytest.mark.parametrize("client", MESSAGES)
def test_a_message_of_another_client(gateway: SimulatedGateway, client: str) -> None:
    """The message is accepted, its text arrives as it was meant, and the answer can be read."""
    status, answer = exchange(gateway.url, MESSAGES[client]["request"], *MESSAGES[client]["headers"])

    assert (status, answer["status"], answer["smsc_msg_status"]) == (201, "ok", "success")
    assert type(answer["msg_id"]) is int
    assert [sms.text for sms in gateway.sent] == [RECORDED["text"]]
    assert gateway.sent[0].phone.startswith("9929000001")
    assert gateway.refusals == []


def test_a_status_for_every_reader(gateway: SimulatedGateway) -> None:
    """One answer serves clients that read ``status`` and those that read ``message_state`` and its code."""
    _, sent = exchange(gateway.url, MESSAGES["go, sorted"]["request"])
    digest = "c5799b5befd16dd20d29ce0b5042252566f2cde8848036f57e3f32c99c1031cb"
    query = f"/query_sms.php?login=shop&txn_id=n-1&str_hash={digest}&msg_id={sent['msg_id']}"

    status, answer = exchange(gateway.url, f"GET {query}")

    assert (status, answer["status"]) == (200, "DELIVERED")
    assert (answer["message_state"], answer["message_state_code"]) == ("Delivered", 2)


def test_a_balance_for_every_reader(gateway: SimulatedGateway) -> None:
    """The balance is a JSON number, with a hash and with a token."""
    digest = "ece1b22c94dc69271a9a72d27d700dad2c61072532378c5702480c446f308a80"
    by_hash = exchange(gateway.url, f"GET /check_balance.php?txn_id=n-2&login=shop&str_hash={digest}")
    by_token = exchange(
        gateway.url, "GET /check_balance.php?login=shop&txn_id=n-3", "Authorization: Bearer other-salt"
    )

    assert by_hash[0] == by_token[0] == 200
    assert by_hash[1]["balance"] == by_token[1]["balance"] == 100.0


def test_a_posted_message(gateway: SimulatedGateway) -> None:
    """A client that posts gets code 100: only the query string is read (wire-notes, "Requests")."""
    body = MESSAGES["php, http_build_query and curl"]["request"].partition("?")[2].encode()

    status, answer = exchange(
        gateway.url,
        "POST /sendsms_v1.php",
        "Content-Type: application/x-www-form-urlencoded",
        "Connection: close",
        body=body,
    )

    assert (status, answer["error"]["code"]) == (422, 100)
    assert gateway.sent == []
    assert "in the query string of a GET" in gateway.refusals[0].advice
