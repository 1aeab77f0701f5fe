"""The gateway's thread: beginning, end, and what a test sees of it."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from airflow_provider_osonsms.simulator import SimulatedGateway

SEND = "/sendsms_v1.php"


def test_connection_json(gateway: SimulatedGateway) -> None:
    """The Connection for Airflow points every call at this gateway."""
    assert json.loads(gateway.connection_json(timeout=3)) == {
        "conn_type": "osonsms",
        "host": gateway.url,
        "port": int(gateway.url.rpartition(":")[2]),
        "login": "demo",
        "password": "demo-salt",
        "extra": {"sender": "SHOP", "bulk_url": gateway.url, "timeout": 3},
    }


def test_a_kept_alive_connection_serves_many_requests(
    gateway: SimulatedGateway, message: dict[str, str], second_message: dict[str, str]
) -> None:
    """Requests may share a connection, and an idle one does not delay the end."""
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=5)
    for query in (message, second_message):
        connection.request("GET", f"{SEND}?{urlencode(query)}")
        assert json.loads(connection.getresponse().read())["status"] == "ok"

    start = time.monotonic()
    gateway.stop()
    connection.close()
    assert time.monotonic() - start < 1


def test_one_message_once_under_concurrency(
    gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str]
) -> None:
    """Of many simultaneous requests with one txn_id exactly one is accepted."""
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(ask(SEND, message)[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201] + [409] * 7
    assert len(gateway.sent) == 1


def test_a_second_block_opens_the_same_gateway(message: dict[str, str]) -> None:
    """A gateway that went away comes back on the same address with everything it knew."""
    gateway = SimulatedGateway()
    with gateway:
        url = gateway.url
        gateway.backend.send(message)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(urlsplit(url).netloc.split(":"), timeout=5)
    with gateway:
        assert gateway.url == url
        assert len(gateway.sent) == 1


def test_a_taken_port_is_an_error(gateway: SimulatedGateway) -> None:
    """A gateway that cannot listen says so and leaves no thread behind."""
    threads = threading.active_count()

    with pytest.raises(OSError, match="in use"), SimulatedGateway(port=urlsplit(gateway.url).port):
        pass
    assert threading.active_count() == threads
