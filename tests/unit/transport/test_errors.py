"""How each way to get no answer is told: never left, or perhaps arrived."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, RequestNotSentError, TransportError
from airflow_provider_osonsms.protocol.parse import parse_send
from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport


def test_connection_refused(transport: Any, send: Callable[..., Any]) -> None:
    """Where nobody listens, nothing was sent."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(RequestNotSentError):
            transport.handle(send(f"http://127.0.0.1:{nobody.getsockname()[1]}"))


@pytest.mark.parametrize("host", ["gateway.invalid", "x" * 64 + ".invalid", "a..b"])
def test_a_name_that_nobody_knows(transport: Any, send: Callable[..., Any], host: str) -> None:
    """Where a name has no address, nothing was sent."""
    with pytest.raises(RequestNotSentError):
        transport.handle(send(f"http://{host}"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:port", "http://[::1"])
def test_an_address_that_is_none(transport: Any, send: Callable[..., Any], url: str) -> None:
    """Where no connection can be opened, nothing was sent."""
    with pytest.raises(RequestNotSentError):
        transport.handle(send(url))


BROKEN = {
    "closed without a word": b"",
    "half a status line": b"HTTP/1.1 2",
    "half of the headers": b"HTTP/1.1 201 Created\r\nContent-Le",
    "half of the body": b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"status":"ok"',
    "half of a chunk": b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{"status"',
    "no last chunk": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "not gzip": b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "not HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "a strange length": b"HTTP/1.1 201 Created\r\nContent-Length: many\r\n\r\n{}",
    "a strange status": b"HTTP/1.1 abc Created\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_answers(
    transport: Any, serve: Callable[..., Any], send: Callable[..., Any], *, reply: Any, data: bytes
) -> None:
    """Once the request was read, a broken answer proves nothing, and none is a crash."""
    server = serve(reply(data=data, then="close"))

    with pytest.raises(OutcomeUnknownError):
        parse_send(transport.handle(send(server.url)), txn_id="t-1")
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 201 Created\r\n", b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"]
)
def test_silence(
    transport: Any, serve: Callable[..., Any], send: Callable[..., Any], *, reply: Any, data: bytes
) -> None:
    """A gateway that falls silent is given up after the timeout, and may have accepted."""
    server = serve(reply(data=data, then="hang"))

    start = time.monotonic()
    with pytest.raises(OutcomeUnknownError, match=r"timeout 0\.3 s"):
        transport.handle(send(server.url, timeout=0.3))
    assert time.monotonic() - start < 3
    assert len(server.received) == 1


def test_an_upload_that_nobody_reads(transport: Any, send: Callable[..., Any]) -> None:
    """A gateway that stops reading in the middle of a file is given up after the timeout too."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = send(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.5)
        upload = type(request)(
            call="bulk",
            method="POST",
            url=request.url,
            headers=request.headers,
            form=(("from", "KITOB"),),
            file=b"9" * 20_000_000,
            timeout=0.5,
        )
        with pytest.raises(OutcomeUnknownError):
            transport.handle(upload)


def test_tls_to_a_plain_port(transport: Any, send: Callable[..., Any]) -> None:
    """A gateway that answers TLS with plain HTTP, as web servers do, is one of our errors."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=complain, args=(listener,))
        thread.start()
        with pytest.raises(TransportError):
            transport.handle(send(f"https://127.0.0.1:{listener.getsockname()[1]}"))
        thread.join()


def complain(listener: socket.socket) -> None:
    """Answer one greeting with what a plain web server says to TLS."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def test_a_certificate_that_nobody_trusts(
    transport: Any, serve_tls: Callable[..., Any], send: Callable[..., Any]
) -> None:
    """Behind an untrusted certificate nothing is sent, for it may be somebody else."""
    server = serve_tls()

    with pytest.raises(RequestNotSentError):
        transport.handle(send(server.url.replace("http:", "https:")))
    assert server.received == []


def test_a_name_server_that_is_silent(send: Callable[..., Any]) -> None:
    """A lookup that hangs is given up after the timeout for connecting: nothing was sent."""

    async def main() -> None:
        async def hang(*_: object, **__: object) -> None:
            await asyncio.sleep(60)

        asyncio.get_running_loop().getaddrinfo = hang  # type: ignore[method-assign, assignment]
        async with AiohttpTransport() as transport:
            await transport.exchange(transport.prepare(send("http://gateway.invalid", timeout=0.1)))

    with pytest.raises(RequestNotSentError, match="no connection"):
        asyncio.run(main())
