"""The simulator's own addresses: how a running gateway is looked at and told to behave."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from airflow_provider_osonsms.protocol.vocabulary import BALANCE_PATH, SEND_PATH
from airflow_provider_osonsms.simulator import SimulatedGateway

Ask = Callable[..., tuple[int, Any]]
TOKEN = "Bearer demo-salt"


@pytest.fixture
def tell(ask_json: Ask) -> Ask:
    """Ask one of the simulator's own addresses with a JSON body."""

    def request(method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        content = None if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        return ask_json(f"/_simulator{path}", query, method=method, body=content, headers=headers)

    return request


def test_behavior(tell: Ask, gateway: SimulatedGateway) -> None:
    """Behavior is changed field by field, and shown."""
    assert tell("PATCH", "/behavior", {"latency": "20ms", "max_rate": 50})[0] == 200
    status, shown = tell("GET", "/behavior")

    assert (status, shown["latency"], shown["max_rate"], shown["enroute_seconds"]) == (200, 0.02, 50, 0.5)
    assert gateway.backend.behavior.latency == 0.02


def test_faults(tell: Ask, ask: Ask, message: dict[str, str], gateway: SimulatedGateway) -> None:
    """A rule that was added is met by the next request and can be taken back."""
    assert tell("POST", "/faults", {"fault": "not_sent", "times": "always"})[0] == 200
    assert ask(SEND_PATH, message)[0] == 501
    assert tell("GET", "/faults")[1] == [
        {"fault": "not_sent", "call": "send", "times": None, "every": 1, "probability": 1.0}
    ]
    assert tell("DELETE", "/faults") == (200, [])
    assert ask(SEND_PATH, message)[0] == 201
    assert len(gateway.sent) == 1


def test_accounts(tell: Ask, ask: Ask, message: dict[str, str], gateway: SimulatedGateway) -> None:
    """An account is topped up, blocked, white-listed and added while the gateway runs; no secret is shown."""
    status, shown = tell("PATCH", "/accounts/demo", {"balance": "7.50", "is_blocked": True})
    assert (status, shown["balance"], shown["is_blocked"]) == (200, 7.5, True)
    assert ask(SEND_PATH, message)[0] == 401

    tell("PATCH", "/accounts/demo", {"is_blocked": False, "whitelist": ["192.0.2.1"]})
    assert b'"code": 114' in ask(SEND_PATH, message)[1]

    status, added = tell("POST", "/accounts", {"login": "second", "secret": "x-salt", "senders": ["BANK"]})
    assert (status, added["senders"]) == (201, ["BANK"])
    assert [account["login"] for account in tell("GET", "/accounts")[1]] == ["demo", "second"]
    assert "salt" not in json.dumps(tell("GET", "/accounts"))
    assert gateway.backend.accounts["second"].secret == "x-salt"


def test_time_and_clear(tell: Ask, ask: Ask, message: dict[str, str], gateway: SimulatedGateway) -> None:
    """Time can be moved on, and the ledger cleared, over HTTP."""
    ask(SEND_PATH, message)
    assert tell("POST", "/advance", {"seconds": "1h"})[1]["now"] == "2026-11-23T10:00:00+05:00"
    assert tell("GET", "/ledger")[1]["messages"][0]["status"] == "DELIVERED"
    assert tell("POST", "/clear") == (200, {"ok": True})
    assert gateway.sent == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("PATCH", "/behavior", {"latency": "soon"}, 400, "latency: Input should be a valid number"),
        ("PATCH", "/behavior", {"speed": 3}, 400, "speed: Extra inputs are not permitted"),
        ("POST", "/faults", {"fault": "flood"}, 400, "fault: Input should be 'cut_before'"),
        ("POST", "/faults", ["cut_after"], 400, "the body must be a JSON object"),
        ("POST", "/advance", {"seconds": -5}, 400, "seconds: Input should be greater than or equal to 0"),
        ("POST", "/accounts", {"login": "demo", "secret": "hush"}, 409, "change it with PATCH"),
        ("POST", "/accounts", {"login": "a;b", "secret": "hush"}, 400, "login: String should match"),
        ("PATCH", "/accounts/demo", {"secret": ["hush"]}, 400, "secret: Input should be a valid string"),
        ("PATCH", "/accounts/demo", {"login": "other"}, 400, "a login cannot be changed"),
        ("PATCH", "/accounts/nobody", {"balance": 1}, 404, "no account has the login nobody"),
        ("GET", "/inbox?limit=0", None, 400, "limit: Input should be greater"),
        ("GET", "/inbox?language=tg", None, 400, "language: Input should be 'en' or 'ru'"),
        ("GET", "/inbox?phone=x", None, 400, "phone: String should match"),
    ],
)
def test_mistakes_are_told(
    tell: Ask, *, method: str, path: str, body: object, status: int, words: str
) -> None:
    """A request that cannot be served gets a sentence that names the field and shows no value."""
    answer = tell(method, path, body)

    assert answer[0] == status
    assert words in answer[1]["error"]
    assert "hush" not in answer[1]["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8025"}, 200),
        ({"Host": "[::1]:8025"}, 200),
        ({"Host": "rebound.example:8025"}, 403),
        ({"Origin": "http://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_other_sites_are_kept_out(tell: Ask, headers: dict[str, str], status: int) -> None:
    """No page of another site, and no foreign name for this machine, reaches the own addresses."""
    assert tell("POST", "/clear", **headers)[0] == status


def test_the_gateway_itself_is_open(ask: Ask, balance_question: dict[str, str]) -> None:
    """The four addresses of the protocol look at no origin, as the real ones do not."""
    headers = {"Host": "api.osonsms.example", "Origin": "http://example.org"}
    assert ask(BALANCE_PATH, balance_question, headers=headers)[0] == 200


def test_the_description_is_whole(tell: Ask) -> None:
    """OpenAPI describes every control address, and each of its references leads somewhere."""
    status, api = tell("GET", "/openapi.json")

    assert (status, api["openapi"]) == (200, "3.1.0")
    assert {(path, method) for path, methods in api["paths"].items() for method in methods} == {
        (f"/_simulator{path}", method)
        for path, methods in {
            "/health": ["get"],
            "/ledger": ["get"],
            "/clear": ["post"],
            "/behavior": ["get", "patch"],
            "/faults": ["get", "post", "delete"],
            "/accounts": ["get", "post"],
            "/accounts/{login}": ["patch"],
            "/advance": ["post"],
            "/inbox": ["get"],
        }.items()
        for method in methods
    }
    text = json.dumps(api)
    references = {part.split('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert references == set(api["components"]["schemas"]) != set()


def test_the_inbox(tell: Ask, gateway: SimulatedGateway, message: dict[str, str]) -> None:
    """The page gets the newest first, can search in any case and choose a handset."""
    for number, (text, phone, confidential) in enumerate(
        [("Салом", "992900000101", ""), ("Тахфиф", "992900000102", ""), ("код 4829", "992900000101", "true")]
    ):
        query = {**message, "msg": text, "phone_number": phone, "txn_id": f"i-{number}"}
        gateway.backend.send({**query, "is_confidential": confidential}, authorization=TOKEN)

    everything = tell("GET", "/inbox")[1]
    assert [one["text"] for one in everything["messages"]] == [None, "Тахфиф", "Салом"]
    assert everything["handsets"][0] | {"last_at": ""} == {
        "phone": "992900000101",
        "messages": 2,
        "last_at": "",
    }
    assert everything["totals"] == {"handsets": 2, "messages": 3, "parts": 3, "bulks": 0, "refusals": 0}
    found = tell("GET", f"/inbox?{urlencode({'search': 'САЛОМ'})}")[1]["messages"]
    assert [one["text"] for one in found] == ["Салом"]
    assert tell("GET", "/inbox?search=4829")[1]["messages"] == []
    assert len(tell("GET", "/inbox?phone=992900000101&limit=1")[1]["messages"]) == 1


def test_news(gateway: SimulatedGateway, message: dict[str, str]) -> None:
    """The page hears of a message at once, of a status that changes by time, and of the end."""
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=10)
    connection.request("GET", "/_simulator/events")
    news = connection.getresponse()
    assert news.getheader("Content-Type") == "text/event-stream"
    first = news.readline()

    gateway.backend.send(message)
    assert news.readline() == b"\n"
    second = news.readline()
    assert int(second.split()[1]) > int(first.split()[1])
    assert news.readline() == b"\n"
    assert news.readline().startswith(b"data: ")  # the message is still on its way

    gateway.stop()
    news.read()
    connection.close()
