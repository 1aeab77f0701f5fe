"""A server that does what a script says, byte for byte, and both transports behind one blocking face."""

import asyncio
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from airflow_provider_osonsms.protocol.models import Request, Response
from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport
from airflow_provider_osonsms.transport.blocking import RequestsTransport

SEND_QUERY = (
    "from=KITOB&phone_number=992900001234&msg=Salom%20Dilshod&login=kitobkhona&txn_id=t-1"
    "&str_hash=b52633ed94ed612ebd6a88891cf01a88dfddb695039453f45e29b6e2dfef2a31"
)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the server does after it has read a request: write, then keep, close or hang."""

    data: bytes = b""
    then: str = "keep"


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Answers each request with the next reply; without one it closes the connection.

    Attributes:
        received: Every request as it came, head and body.
        connections: How many connections were opened.
    """

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[bytes] = []
        self.connections = 0
        self.replies = list(replies)
        self.stopping = threading.Event()
        self.open: list[socket.socket] = []

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        for connection in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a client that leaves early is no news."""


class _Handler(socketserver.StreamRequestHandler):
    server: ScriptedServer

    def handle(self) -> None:
        self.server.connections += 1
        self.server.open.append(self.connection)
        while request := self._read_request():
            self.server.received.append(request)
            reply = self.server.replies.pop(0) if self.server.replies else Reply(then="close")
            self.wfile.write(reply.data)
            if reply.then == "hang":
                self.server.stopping.wait(10)
            if reply.then != "keep":
                return

    def _read_request(self) -> bytes:
        head = b""
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            head += line
        size = next(
            (int(line[15:]) for line in head.splitlines() if line.lower().startswith(b"content-length:")), 0
        )
        return head and head + b"\r\n" + self.rfile.read(size)


class AsyncTransportInLine:
    """The asynchronous transport as a blocking one, on an event loop of its own."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._transport = self._runner.run(_open())

    def handle(self, request: Request) -> Response:
        """Send a request and wait for its answer, though not for ever."""
        prepared = self._transport.prepare(request)
        return self._runner.run(asyncio.wait_for(self._transport.exchange(prepared), 4))

    def rest(self, seconds: float) -> None:
        """Let time pass while the event loop runs, as it does in a triggerer."""
        self._runner.run(asyncio.sleep(seconds))

    def close(self) -> None:
        """Close the session and the event loop."""
        self._runner.run(self._transport.__aexit__())
        self._runner.close()


class BlockingTransport(RequestsTransport):
    """The blocking transport with the same two extra methods."""

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        threading.Event().wait(seconds)

    def close(self) -> None:
        """Close the session."""
        self.__exit__()


async def _open() -> AiohttpTransport:
    return AiohttpTransport()


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Start scripted servers that live as long as the test."""
    servers = []

    def start(*replies: Reply) -> ScriptedServer:
        servers.append(ScriptedServer(replies).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture(params=["sync", "async"])
def transport(
    request: pytest.FixtureRequest,
    serve: Callable[..., ScriptedServer],
) -> Iterator[Any]:
    """Either transport."""
    opened = BlockingTransport() if request.param == "sync" else AsyncTransportInLine()
    yield opened
    opened.close()


@pytest.fixture
def reply() -> type[Reply]:
    """Make replies."""
    return Reply


@pytest.fixture
def answer() -> Callable[..., Reply]:
    """Make a proper answer of a whole body."""

    def make(
        body: bytes = b"{}", *, then: str = "keep", status: str = "201 Created", headers: str = ""
    ) -> Reply:
        head = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        return Reply(data=head.encode() + body, then=then)

    return make


@pytest.fixture
def send() -> Callable[..., Request]:
    """Make the request of a message, with everything that must stay unseen."""

    def make(base: str, *, timeout: float = 5.0, token: str | None = None) -> Request:
        headers = (("Accept", "application/json"),)
        return Request(
            call="send",
            method="GET",
            url=f"{base}/sendsms_v1.php?{SEND_QUERY}",
            headers=(*headers, ("Authorization", f"Bearer {token}")) if token else headers,
            timeout=timeout,
        )

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command is missing")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [openssl, *arguments, *names, "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.fixture
def serve_tls(serve: Callable[..., ScriptedServer], certificate: Path) -> Callable[..., ScriptedServer]:
    """Start scripted servers behind that certificate."""

    def start(*replies: Reply) -> ScriptedServer:
        server = serve(*replies)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        return server

    return start
