"""Answers without an end: by time, by size, and those that are not the answer."""

import gzip
import socketserver
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, UnexpectedAnswerError
from airflow_provider_osonsms.protocol.models import Request
from airflow_provider_osonsms.protocol.parse import parse_send

HEAD = b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture
def drip() -> Iterator[Callable[[bytes], str]]:
    """Start a server that writes an answer a byte at a time for ever."""
    servers, stopping = [], threading.Event()

    def start(data: bytes) -> str:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    self.rfile.readline()
                    self.wfile.write(data)
                    while not stopping.wait(0.05):
                        self.wfile.write(b"x")

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    stopping.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 201 Created\r\nX-Drip: ", HEAD])
def test_a_dripping_answer_ends(transport: Any, drip: Any, *, send: Any, data: bytes) -> None:
    """A server that never stops writing is given up at the deadline, wherever in the answer it is."""
    with pytest.raises(OutcomeUnknownError, match="send"):
        transport.handle(send(drip(data), timeout=0.2))


def test_an_upload_that_is_answered_in_drips_ends(transport: Any, drip: Any) -> None:
    """The same holds for a bulk job."""
    upload = Request(
        call="bulk",
        method="POST",
        url=f"{drip(HEAD)}/api/v1/bulk-sms/create",
        headers=(),
        form=(("from", "KITOB"),),
        file=b"992900001234\n",
        timeout=0.2,
    )
    with pytest.raises(OutcomeUnknownError, match="bulk"):
        transport.handle(upload)


def chunked(body: bytes) -> bytes:
    """Return *body* as an answer of unknown length."""
    head = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("size", [65_537, 3_000_000])
def test_a_long_answer_is_unexpected(
    transport: Any, serve: Any, *, send: Any, reply: Any, answer: Any, size: int
) -> None:
    """More than 64 KB is no answer of this gateway, announced or not; what came before it goes on working."""
    server = serve(
        answer(b"x" * size, then="close"), reply(data=chunked(b"x" * size), then="close"), answer()
    )

    for _ in range(2):
        with pytest.raises(UnexpectedAnswerError, match="longer than 65,536 bytes"):
            transport.handle(send(server.url))
    assert transport.handle(send(server.url)).status == 201


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 201 Created\r\nX-Long: " + b"x" * 5_000_000 + b"\r\n\r\n",
        pytest.param(
            b"HTTP/1.1 201 Created\r\n" + b"X-Many: x\r\n" * 500_000 + b"\r\n",
            marks=pytest.mark.skipif(
                tuple(map(int, version("aiohttp").split(".")[:2])) < (3, 14),
                reason="this aiohttp reads any number of headers",
            ),
        ),
        b"HTTP/1.1 " + b"2" * 5_000_000 + b"\r\n\r\n",
    ],
    ids=["a long one", "many", "a long status line"],
)
def test_headers_without_end(transport: Any, serve: Any, *, send: Any, reply: Any, data: bytes) -> None:
    """Headers of megabytes are given up before they are read: they prove nothing, and take no memory."""
    server = serve(reply(data=data, then="close"))
    tracemalloc.start()
    try:
        with pytest.raises(OutcomeUnknownError, match="send"):
            parse_send(transport.handle(send(server.url)), txn_id="t-1")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_the_longest_answer(transport: Any, serve: Any, *, send: Any, reply: Any, answer: Any) -> None:
    """Just 64 KB are read whole, announced or not."""
    body = b"y" * 65_536
    server = serve(answer(body), reply(data=chunked(body)))

    assert [transport.handle(send(server.url)).body for _ in range(2)] == [body] * 2


def test_nothing_is_unpacked(transport: Any, serve: Any, *, send: Any, answer: Any) -> None:
    """No compression is asked for, and what comes compressed all the same stays as small as it came."""
    bomb = gzip.compress(b"\0" * 10_000_000)
    server = serve(answer(bomb, headers="Content-Encoding: gzip\r\n"))

    assert transport.handle(send(server.url)).body == bomb
    assert b"Accept-Encoding: identity\r\n" in server.received[0]


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_an_interim_answer_is_none(
    transport: Any, serve: Any, *, send: Any, reply: Any, interim: str
) -> None:
    """What comes before the answer is skipped, with its headers, several times too."""
    early = f"HTTP/1.1 {interim}\r\nLink: </a.css>\r\n\r\n".encode()
    final = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}"
    server = serve(reply(data=early * 2 + final))

    assert transport.handle(send(server.url)).status == 409


def test_a_stray_answer_is_not_the_next_one(
    transport: Any, serve: Any, *, send: Any, reply: Any, answer: Any
) -> None:
    """A second answer to one request never answers the request after it."""
    first = answer(b'{"n":1}').data
    stray = answer(b'{"n":"stray"}', status="422 No").data
    server = serve(reply(data=first + stray), answer(b'{"n":2}'))

    bodies = [transport.handle(send(server.url)).body]
    transport.rest(0.05)
    bodies.append(transport.handle(send(server.url)).body)

    assert bodies == [b'{"n":1}', b'{"n":2}']


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "599 Odd"])
def test_a_failed_server_is_met_anew(
    transport: Any, serve: Any, *, send: Any, answer: Any, status: str
) -> None:
    """After a failure of the server or of a proxy the next request has a connection of its own."""
    server = serve(answer(status=status), answer())

    for _ in range(2):
        transport.handle(send(server.url))

    assert server.connections == 2
