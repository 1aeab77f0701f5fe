"""A gateway on a clock that stands still, and golden requests.

The digests were made outside Python, for example:
``printf '%s' 't-1;demo;SHOP;992900001234;demo-salt' | sha256sum``.
"""

import http.client
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from airflow_provider_osonsms.simulator import GatewayBackend, SimAccount, SimulatedGateway


@pytest.fixture
def backend(clock: Callable[[], datetime]) -> GatewayBackend:
    """Two accounts: demo may send three parts, second has its own secret."""
    return GatewayBackend(
        SimAccount(
            login="demo",
            secret="demo-salt",
            senders=frozenset({"SHOP"}),
            balance=Decimal("0.35"),
            price=Decimal("0.10"),
        ),
        SimAccount(
            login="second",
            secret="second-salt",
            senders=frozenset({"SHOP"}),
            balance=Decimal(1),
            price=Decimal("0.10"),
        ),
        clock=clock,
    )


@pytest.fixture
def gateway(clock: Callable[[], datetime]) -> Iterator[SimulatedGateway]:
    """The same over HTTP, with the one account demo."""
    with SimulatedGateway(clock=clock, hang_seconds=30) as running:
        yield running


@pytest.fixture
def message() -> dict[str, str]:
    """A send that is right in every respect."""
    return {
        "from": "SHOP",
        "phone_number": "992900001234",
        "msg": "Salom",
        "login": "demo",
        "str_hash": "c8f3674e14c8f7e6812db63d2d4760ffa8d9a8c03916dd0681469ba4c7e23779",
        "txn_id": "t-1",
    }


@pytest.fixture
def second_message(message: dict[str, str]) -> dict[str, str]:
    """The same under the next txn_id."""
    digest = "519fc2601382aef4cdb991f3f011ba8db8413641c565dd54da767e3873e85b00"
    return {**message, "txn_id": "t-2", "str_hash": digest}


@pytest.fixture
def question() -> dict[str, str]:
    """A status query about the first message."""
    digest = "d847bee96acf2a76a772f7d58ca34c7bd6f2c7f2a78b608e9c430765ce657eb2"
    return {"login": "demo", "txn_id": "n-1", "msg_id": "100000001", "str_hash": digest}


@pytest.fixture
def balance_question() -> dict[str, str]:
    """A balance query."""
    digest = "6586e5a14538b6bf932cb4cc6450c1e6c948172b0b84e5a113c59c910cb37469"
    return {"login": "demo", "txn_id": "n-1", "str_hash": digest}


@pytest.fixture
def bulk_fields() -> dict[str, str]:
    """The fields of a bulk job, without its file."""
    return {
        "from": "SHOP",
        "msg": "Salom",
        "login": "demo",
        "str_hash": "f9a2f2a09d24155491f1927427c09976c46c85a83f8e9dbac987caac4320b33f",
        "txn_id": "b-1",
        "send_at": "2026-11-24 10:00:00",
    }


@pytest.fixture
def form() -> Callable[..., tuple[bytes, dict[str, str]]]:
    """Write a multipart form by hand: body and headers."""

    def write(fields: dict[str, str], file: bytes | None) -> tuple[bytes, dict[str, str]]:
        parts = [
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        if file is not None:
            head = (
                'Content-Disposition: form-data; name="file"; filename="phones.csv"\r\nContent-Type: text/csv'
            )
            parts.append(f"--cut\r\n{head}\r\n\r\n".encode() + file + b"\r\n")
        return b"".join(parts) + b"--cut--\r\n", {"Content-Type": "multipart/form-data; boundary=cut"}

    return write


@pytest.fixture
def ask(gateway: SimulatedGateway) -> Callable[..., tuple[int, bytes]]:
    """Make one HTTP request on a connection of its own: status and body."""

    def request(path: str, query: dict[str, str] | str = "", **options: Any) -> tuple[int, bytes]:
        query = query if isinstance(query, str) else urlencode(query)
        connection = http.client.HTTPConnection(
            urlsplit(gateway.url).netloc, timeout=options.pop("timeout", 5)
        )
        try:
            connection.request(options.pop("method", "GET"), f"{path}?{query}", **options)
            with connection.getresponse() as response:
                return response.status, response.read()
        finally:
            connection.close()

    return request


@pytest.fixture
def ask_json(ask: Callable[..., tuple[int, bytes]]) -> Callable[..., tuple[int, Any]]:
    """Make one HTTP request: status and JSON."""

    def request(*args: Any, **options: Any) -> tuple[int, Any]:
        status, body = ask(*args, **options)
        return status, json.loads(body)

    return request
