"""How fast the gateway delivers and answers, and how much it bears."""

import http.client
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import ValidationError

from airflow_provider_osonsms.protocol.vocabulary import BALANCE_PATH, SEND_PATH
from airflow_provider_osonsms.simulator import Behavior, Fault, GatewayBackend, SimulatedGateway
from airflow_provider_osonsms.simulator.behavior import RateLimit

TOKEN = "Bearer demo-salt"


@pytest.mark.parametrize(
    ("written", "seconds"), [("20ms", 0.02), ("1.5s", 1.5), ("5m", 300), ("2h", 7200), ("3", 3), (0.5, 0.5)]
)
def test_durations(written: str | float, seconds: float) -> None:
    """A duration is a number of seconds, or a text with its unit."""
    assert Behavior(latency=written).latency == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["soon", "-1s", "1.2.3s", float("nan"), float("inf"), -1])
def test_no_duration(written: object) -> None:
    """Anything else is refused."""
    with pytest.raises(ValidationError):
        Behavior(latency=written)


def test_rate_limit() -> None:
    """A second's worth is borne at once, then one for each share of a second, and rest is not saved up."""
    limit = RateLimit()
    burst = [limit.admit(100.0, max_rate=10) for _ in range(11)]
    assert burst == [True] * 10 + [False]
    assert [limit.admit(100.1, max_rate=10) for _ in range(2)] == [True, False]
    assert sum(limit.admit(1000.0, max_rate=10) for _ in range(30)) == 10


def test_too_fast_over_http(
    gateway: SimulatedGateway, ask: Callable[..., tuple[int, bytes]], message: dict[str, str]
) -> None:
    """What goes over the rate gets HTTP 429 that is not JSON, is not served, and is in the ledger."""
    gateway.backend.change_behavior(max_rate=1)

    assert ask(SEND_PATH, message)[0] == 201
    status, body = ask(SEND_PATH, {**message, "txn_id": "t-2"})

    assert (status, body[:6], len(gateway.sent)) == (429, b"<html>", 1)
    assert gateway.refusals[-1].reason == "more than 1 requests a second"


def get(gateway: SimulatedGateway, message: dict[str, str]) -> http.client.HTTPResponse:
    """Send a message, and return the answer with its headers."""
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=5)
    connection.request("GET", f"{SEND_PATH}?{urlencode(message)}", headers={"Connection": "close"})
    return connection.getresponse()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("retry_after", "header"), [(None, None), (5, "5"), ("1.5s", "1.5"), ("1m", "60")])
def test_how_it_turns_away(
    gateway: SimulatedGateway, message: dict[str, str], *, status: int, retry_after: Any, header: str | None
) -> None:
    """Above the rate, and with the faults of these statuses, it says for how long to wait, if it is to."""
    gateway.backend.change_behavior(max_rate=1, throttle_status=status, retry_after=retry_after)
    answers = [get(gateway, message) for _ in range(2)]
    gateway.backend.change_behavior(max_rate=None)
    gateway.inject(Fault.TOO_MANY_REQUESTS if status == 429 else Fault.UNAVAILABLE)
    answers.append(get(gateway, message))

    assert [answer.status for answer in answers] == [201, status, status]
    assert [answer.headers.get("Retry-After") for answer in answers] == [None, header, header]
    assert len(gateway.sent) == 1


def test_a_503_after_it_was_accepted(gateway: SimulatedGateway, message: dict[str, str]) -> None:
    """The message is in the ledger, and the answer is that of a proxy."""
    gateway.inject(Fault.UNAVAILABLE_AFTER)
    answer = get(gateway, message)

    assert (answer.status, answer.read()[:6], len(gateway.sent)) == (503, b"<html>", 1)


@pytest.mark.parametrize("status", [200, 500, "slow", True])
def test_other_statuses_are_refused(status: Any) -> None:
    """Only the two statuses that mean it turn anybody away."""
    with pytest.raises(ValidationError):
        Behavior(throttle_status=status)


def test_latency(gateway: SimulatedGateway, ask: Callable[..., tuple[int, bytes]]) -> None:
    """An answer takes at least the latency less the jitter."""
    gateway.backend.change_behavior(latency="150ms", jitter="50ms")
    began = time.monotonic()

    assert ask(BALANCE_PATH, {"login": "nobody"})[0] == 422
    assert time.monotonic() - began >= 0.1


def test_time_can_be_driven(message: dict[str, str], question: dict[str, str]) -> None:
    """Time that a test lets pass delivers messages at once."""
    with SimulatedGateway(enroute_seconds="1h", accepted_seconds="1h") as gateway:
        gateway.backend.send(message)
        seen = []
        for _ in range(3):
            seen.append(gateway.backend.query(question)[1]["status"])
            gateway.advance(3600)

    assert seen == ["ENROUTE", "ACCEPTED", "DELIVERED"]


def test_queries_may_learn_of_a_message_late(
    backend: GatewayBackend, message: dict[str, str], question: dict[str, str], clock: Any
) -> None:
    """For the first ``unknown_seconds`` a new message is answered for as one that nobody knows."""
    backend.change_behavior(unknown_seconds=35)
    backend.send(message, authorization=TOKEN)

    def ask() -> tuple[int, Any]:
        asked = {**question, "msg_id": str(backend.messages[0].msg_id)}
        status, answer = backend.query(asked, authorization=TOKEN)
        return status, answer.get("error", {}).get("code")

    assert ask() == (422, 107)
    clock.advance(35)
    assert ask() == (200, None)


def test_a_slow_handset(backend: GatewayBackend, message: dict[str, str], clock: Any) -> None:
    """A phone that ends in 97 is reached in the end, ``slow_seconds`` later."""
    backend.send({**message, "phone_number": "992900000197"}, authorization=TOKEN)
    clock.advance(60)
    assert backend.status(backend.messages[0]) == "ACCEPTED"
    clock.advance(1)
    assert backend.status(backend.messages[0]) == "DELIVERED"
