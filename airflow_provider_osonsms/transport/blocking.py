"""Blocking transport on requests: keep-alive, no redirects, no URL in any text, one deadline for all of it.

Whether a failed request may have arrived is not read from the error: behind a proxy urllib3 says ProxyError
of a connection that was cut in the middle of an answer. The connection itself keeps it, see `_Exchange`.
"""

import http.client
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from threading import Timer
from typing import Any, ClassVar, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter

from airflow_provider_osonsms.protocol.models import Request, Response
from airflow_provider_osonsms.protocol.vocabulary import BALANCE_PATH, BULK_PATH, QUERY_PATH, SEND_PATH
from airflow_provider_osonsms.transport.errors import (
    MAX_ANSWER_BYTES,
    is_failure,
    is_throttled,
    make_too_long_error,
    make_transport_error,
    read_deadline,
    read_retry_after,
)

_PATHS = (SEND_PATH, QUERY_PATH, BALANCE_PATH, BULK_PATH)


class _Exchange:
    """One request on its way, as its connection sees it.

    Attributes:
        has_begun: Whether a byte of the request may have left. Connecting, the CONNECT to a proxy and the TLS
            handshake come before: while they fail, nothing was sent.
        is_expired: Whether the deadline has ended it.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self.is_expired = False
        self._socket: socket.socket | None = None

    def attach(self, connected: socket.socket) -> None:
        """Let the deadline end what waits for *connected*."""
        self._socket = connected
        if self.is_expired:
            raise TimeoutError

    def expire(self) -> None:
        """End it: whoever waits for the socket, byte by byte for ever, gets an error."""
        self.is_expired = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_exchange: ContextVar[_Exchange] = ContextVar("osonsms_exchange")


class _FinalAnswer(http.client.HTTPResponse):
    """Skips interim answers: http.client does so for 100 only, and would take a 103 for the answer."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        while 100 <= status < 200:  # noqa: PLR2004
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, status, reason


class _Tracked:
    """A connection that tells its exchange how far the request has come."""

    response_class: Any = _FinalAnswer
    sock: Any
    _is_connecting = False

    def connect(self) -> None:
        """Connect, through a proxy if there is one."""
        self._is_connecting = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._is_connecting = False

    def send(self, data: Any) -> None:
        """Send bytes: of the request, or while connecting of the CONNECT to a proxy."""
        if not self._is_connecting:
            if self.sock is None:
                self.connect()
            exchange = _exchange.get()
            exchange.attach(self.sock)
            exchange.has_begun = True
        super().send(data)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        _exchange.get().attach(connected)
        return connected


class _HttpConnection(_Tracked, urllib3.connection.HTTPConnection):
    pass


class _HttpsConnection(_Tracked, urllib3.connection.HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class _Adapter(HTTPAdapter):
    """Makes tracked connections, to the gateway and to a proxy."""

    _pools: ClassVar[dict[str, Any]] = {"http": _HttpPool, "https": _HttpsPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools of connections through *proxy*."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if proxy.lower().startswith("socks"):
            _exchange.get().has_begun = True  # its connections are not tracked: nothing proves "not sent"
        else:
            manager.pool_classes_by_scheme = self._pools
        return manager


class _Session(requests.Session):
    """Sees no redirects; requests reads the target of one even when told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """See nothing in *resp*."""


class RequestsTransport:
    """Send requests one after the other over one kept-alive session."""

    def __init__(self) -> None:
        for name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
            logging.getLogger(name).addFilter(_hide_urls)
        self._session = _Session()
        self._session.auth = _keep_authorization
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["Accept-Encoding"] = "identity"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def handle(self, request: Request) -> Response:
        """Send *request* and wait for its answer, whatever it is.

        Raises:
            RequestNotSentError: Nothing reached the gateway.
            OutcomeUnknownError: The request may have arrived.
            UnexpectedAnswerError: The answer is longer than any of this gateway.
        """
        exchange = _Exchange()
        try:
            with _ending(exchange, read_deadline(request)), self._send(request) as answer:
                body = _read_body(answer)
            if exchange.is_expired:  # cut in its headers, an answer looks like one without a body
                raise TimeoutError
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            cause = TimeoutError() if exchange.is_expired else error
            failure = make_transport_error(cause, request, may_have_arrived=exchange.has_begun)
        else:
            is_whole = len(body) <= MAX_ANSWER_BYTES
            if not is_whole or is_failure(answer.status_code):
                self._session.close()  # its connections only: the next request opens another
            if is_whole:
                status = answer.status_code
                retry_after = read_retry_after(answer.headers) if is_throttled(status) else 0.0
                return Response(status=status, body=body, retry_after=retry_after)
            failure = make_too_long_error(request)
        raise failure

    def _send(self, request: Request) -> requests.Response:
        return self._session.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            data=request.form,
            files={"file": ("recipients.csv", request.file, "text/csv")} if request.file else None,
            timeout=request.timeout,
            allow_redirects=False,
            stream=True,
        )


@contextmanager
def _ending(exchange: _Exchange, seconds: float) -> Iterator[None]:
    """Let *exchange* be the one of this thread, and end it after *seconds*."""
    token = _exchange.set(exchange)
    timer = Timer(seconds, exchange.expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _exchange.reset(token)


def _read_body(answer: requests.Response) -> bytes:
    """Read the answer to its end, or a byte beyond what an answer may have."""
    body = b""
    while len(body) <= MAX_ANSWER_BYTES:
        part = answer.raw.read(MAX_ANSWER_BYTES + 1 - len(body), decode_content=False)
        if not part:
            break
        body += part
    return body


def _hide_urls(record: logging.LogRecord) -> bool:
    """Drop debug lines of urllib3 about our requests: the URL holds login, hash, phone and text."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not any(path in str(argument) for argument in arguments for path in _PATHS)


def _keep_authorization(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the headers alone; without this, requests takes credentials of the host from ~/.netrc."""
    return prepared
