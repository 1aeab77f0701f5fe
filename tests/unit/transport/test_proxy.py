"""Behind a proxy, as in banks: what may have carried a byte of the request is never "not sent"."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, RequestNotSentError
from airflow_provider_osonsms.protocol.models import Request

CUT_ANSWERS = {
    "before the answer": b"",
    "in its first line": b"HTTP/1.1 20",
    "in its headers": b"HTTP/1.1 201 Created\r\nContent-Le",
    "in its body": b'HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n{"status',
}


class Proxy(socketserver.ThreadingTCPServer):
    """A forward proxy for plain requests and CONNECT that ends a connection at a stage of its own.

    Attributes:
        stage: Where it cuts: ``accept``, ``connect``, ``refuse``, ``tunnel``, ``request`` or nowhere.
    """

    daemon_threads = True

    def __init__(self, stage: str) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
        self.stage = stage

    @property
    def url(self) -> str:
        """The proxy's own address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a client that leaves early is no news."""


class _ProxyHandler(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        stage = self.server.stage
        if stage == "accept":
            return
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(65_536)
            if stage == "request" and not head.startswith(b"CONNECT"):
                return
        method, target, *_ = head.split(b" ", 2)
        is_tunnel = method == b"CONNECT"
        if is_tunnel and stage in ("connect", "refuse"):
            if stage == "refuse":
                self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = target.removeprefix(b"http://").partition(b"/")[0].rpartition(b":")
        with socket.create_connection((host.decode(), int(port))) as upstream:
            if not is_tunnel:
                upstream.sendall(head)
            else:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                if stage == "tunnel":
                    return
            self._relay(upstream)

    def _relay(self, upstream: socket.socket) -> None:
        there = threading.Thread(target=_copy, args=(self.request, upstream), daemon=True)
        there.start()
        _copy(upstream, self.request)
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def use_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Proxy]]:
    """Put a proxy that cuts at a stage between the transport and every server."""
    proxies = []

    def start(stage: str) -> Proxy:
        proxies.append(Proxy(stage).__enter__())
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxies[-1].url)
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.__exit__()


@pytest.fixture(params=["plain", "CONNECT"])
def gateway(
    request: pytest.FixtureRequest,
    serve: Callable[..., Any],
    serve_tls: Callable[..., Any],
    *,
    certificate: Path,
    transport: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Start a gateway that is reached by a plain request to the proxy, or through a tunnel."""
    if request.param == "plain":
        return lambda *replies: (server := serve(*replies), server.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    if hasattr(transport, "_transport"):
        context = ssl.create_default_context(cafile=certificate)
        transport._transport._session.connector._ssl = context

    def start(*replies: Any) -> Any:
        server = serve_tls(*replies)
        return server, server.url.replace("http://", "https://")

    return start


def test_an_answer_comes_through(
    transport: Any, gateway: Any, *, use_proxy: Any, send: Any, answer: Any
) -> None:
    """Requests pass a proxy that cuts nothing, several over one connection."""
    use_proxy("nowhere")
    server, url = gateway(answer(b'{"status":"ok"}'), answer(b"{}"))

    bodies = [transport.handle(send(url)).body for _ in range(2)]

    assert bodies == [b'{"status":"ok"}', b"{}"]
    assert len(server.received) == 2


@pytest.mark.parametrize("cut", CUT_ANSWERS)
def test_a_cut_answer_may_have_been_an_acceptance(
    transport: Any, gateway: Any, *, use_proxy: Any, send: Any, reply: Any, cut: str
) -> None:
    """Once the gateway has the request, a connection that is cut leaves the outcome unknown."""
    use_proxy("nowhere")
    server, url = gateway(reply(data=CUT_ANSWERS[cut], then="close"))

    assert _has_no_answer(transport, send(url))
    assert len(server.received) == 1


@pytest.mark.parametrize("cut", CUT_ANSWERS)
def test_a_cut_answer_on_a_kept_connection(
    transport: Any, gateway: Any, *, use_proxy: Any, send: Any, reply: Any, answer: Any, cut: str
) -> None:
    """The same on a connection that has served a request before."""
    use_proxy("nowhere")
    server, url = gateway(answer(), reply(data=CUT_ANSWERS[cut], then="close"))
    transport.handle(send(url))

    assert _has_no_answer(transport, send(url))
    assert len(server.received) == 2


def _has_no_answer(transport: Any, request: Request) -> bool:
    """Whether the outcome is unknown: an error says so, or the answer holds nothing that could be read."""
    try:
        return transport.handle(request).body == b""
    except OutcomeUnknownError:
        return True


@pytest.mark.parametrize("stage", ["accept", "connect", "tunnel", "request"])
def test_a_cut_before_the_gateway(
    transport: Any, gateway: Any, *, use_proxy: Any, send: Any, stage: str
) -> None:
    """A proxy that cuts before the gateway has the request gives an error, and nothing was sent twice."""
    use_proxy(stage)
    server, url = gateway()

    with pytest.raises((OutcomeUnknownError, RequestNotSentError)) as raised:
        transport.handle(send(url))
    assert len(server.received) <= 1
    assert not server.received or raised.type is OutcomeUnknownError


def test_a_plain_request_that_the_proxy_has_seen(
    transport: Any, serve: Any, *, use_proxy: Any, send: Any
) -> None:
    """A proxy that has a byte of the request may have handed it on."""
    use_proxy("request")

    with pytest.raises(OutcomeUnknownError):
        transport.handle(send(serve().url))


def test_a_refused_tunnel(transport: Any, *, use_proxy: Any, send: Any) -> None:
    """A proxy that refuses the CONNECT has had no byte of the request."""
    use_proxy("refuse")

    with pytest.raises(RequestNotSentError):
        transport.handle(send("https://127.0.0.1:9"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_proxy_there(transport: Any, monkeypatch: pytest.MonkeyPatch, *, send: Any, scheme: str) -> None:
    """A proxy that does not listen has had nothing."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{port}")

    with pytest.raises(RequestNotSentError):
        transport.handle(send(f"{scheme}://127.0.0.1:9"))
