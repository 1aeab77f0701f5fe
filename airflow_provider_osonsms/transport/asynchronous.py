"""Asynchronous transport on aiohttp: keep-alive, no redirects, no URL in any text."""

import io
from functools import cache, lru_cache
from typing import Any, NamedTuple, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from airflow_provider_osonsms.protocol.models import Request, Response
from airflow_provider_osonsms.transport.deadlines import Deadlines
from airflow_provider_osonsms.transport.errors import (
    MAX_ANSWER_BYTES,
    is_failure,
    is_throttled,
    make_too_long_error,
    make_transport_error,
    read_deadline,
    read_retry_after,
)

_NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,  # the proxy has refused the CONNECT
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    UnicodeError,
)


class _Connector(aiohttp.TCPConnector):
    """Never reuses a connection on which bytes wait: they are a stray answer to an earlier request."""

    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        """Return a connection that is fresh, or idle and silent."""
        while True:
            connection = await super().connect(*args, **kwargs)
            protocol = connection.protocol
            if protocol is None or not protocol.should_close:
                return connection
            connection.close()


class PreparedRequest(NamedTuple):
    """A request, and what aiohttp is given of it.

    Attributes:
        seconds: After which it is given up.
    """

    request: Request
    url: URL
    headers: CIMultiDict[str]
    timeout: aiohttp.ClientTimeout
    proxy: str | None
    seconds: float


class AiohttpTransport:
    """Send requests, many at a time, over one session; made inside a running event loop."""

    def __init__(self, *, max_connections: int = 100) -> None:
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=max_connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        _forbid_resending(self._session)
        self._deadlines = Deadlines()
        self._find_place = cache(_find_place)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._deadlines.close()
        await self._session.close()

    def prepare(self, request: Request) -> PreparedRequest:
        """Make all of a request that can be made before it is sent.

        Raises:
            RequestNotSentError: Its URL is none.
        """
        base, _, query = request.url.partition("?")
        try:
            place = self._find_place(base)
            url = URL.build(
                scheme=place.scheme,
                authority=place.authority,
                path=place.path,
                query_string=query,
                encoded=True,
            )
        except ValueError as error:
            failure = make_transport_error(error, request, may_have_arrived=False)
        else:
            return PreparedRequest(
                request=request,
                url=url,
                headers=_make_headers(request.headers),
                timeout=_make_timeout(request.timeout),
                proxy=place.proxy,
                seconds=read_deadline(request),
            )
        raise failure

    async def exchange(self, prepared: PreparedRequest) -> Response:
        """Send a request of `prepare` and wait for its answer, whatever it is.

        Raises:
            RequestNotSentError: Nothing reached the gateway.
            OutcomeUnknownError: The request may have arrived.
            UnexpectedAnswerError: The answer is longer than any of this gateway.
        """
        request = prepared.request
        try:
            with self._deadlines.limit(prepared.seconds):
                answer = await self._session.request(
                    request.method,
                    prepared.url,
                    headers=prepared.headers,
                    data=_make_form(request),
                    timeout=prepared.timeout,
                    proxy=prepared.proxy,
                    allow_redirects=False,
                )
                try:
                    is_here = answer.content.is_eof()  # mostly it came with the headers
                    body = answer.content.read_nowait() if is_here else await _read_body(answer)
                    response = _make_response(answer, body)
                finally:
                    if not answer.closed:  # one that was read to its end has given its connection back
                        answer.release()
            if response is not None:
                return response
            failure = make_too_long_error(request)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            was_connected = not isinstance(error, _NEVER_CONNECTED)
            failure = make_transport_error(error, request, may_have_arrived=was_connected)
        raise failure


def _forbid_resending(session: aiohttp.ClientSession) -> None:
    """Let aiohttp not send a GET again by itself when a kept-alive connection breaks.

    The flow would never learn that a first copy may have been accepted, and would take its own 409 for
    somebody else's.
    """
    if not hasattr(session, "_retry_connection"):
        raise RuntimeError(
            f"aiohttp {aiohttp.__version__} may send a request twice, and cannot be told not to: nothing was "
            f"sent. Install the aiohttp of this package's constraints"
        )
    session._retry_connection = False  # noqa: SLF001


@lru_cache(maxsize=8)
def _make_headers(headers: tuple[tuple[str, str], ...]) -> CIMultiDict[str]:
    return CIMultiDict((*headers, ("Accept-Encoding", "identity")))


@cache
def _make_timeout(connect: float) -> aiohttp.ClientTimeout:
    """Limit connecting, from the lookup of the name on; `Deadlines` limits the whole."""
    return aiohttp.ClientTimeout(total=None, connect=connect)


async def _read_body(answer: aiohttp.ClientResponse) -> bytes:
    """Read the answer to its end, or beyond what an answer may have."""
    body = b""
    while len(body) <= MAX_ANSWER_BYTES and not answer.content.at_eof():
        body += await answer.content.readany()
    return body


def _make_response(answer: aiohttp.ClientResponse, body: bytes) -> Response | None:
    """Return the answer with its body; None for one that is longer than any of this gateway."""
    is_whole = len(body) <= MAX_ANSWER_BYTES
    protocol = answer._protocol  # noqa: SLF001
    if protocol is not None and (not is_whole or is_failure(answer.status)):
        protocol.force_close()  # once it is idle: another request may be on it already
    if not is_whole:
        return None
    retry_after = read_retry_after(answer.headers) if is_throttled(answer.status) else 0.0
    return Response(status=answer.status, body=body, retry_after=retry_after)


def _make_form(request: Request) -> aiohttp.FormData | None:
    if request.file is None:
        return None
    form = aiohttp.FormData(dict(request.form))
    form.add_field("file", io.BytesIO(request.file), filename="recipients.csv", content_type="text/csv")
    return form


class _Place(NamedTuple):
    """Where requests go that differ only behind the ``?``: it is read from the URL of the first of them."""

    scheme: str
    authority: str
    path: str
    proxy: str | None


def _find_place(base: str) -> _Place:
    url = URL(base, encoded=True)
    if url.port is None:  # it is read now, and raises the same if it is no number
        raise ValueError("neither http nor https")
    proxy = _find_proxy(url.scheme, url.raw_authority)
    return _Place(url.scheme, url.raw_authority, url.raw_path, proxy)


def _find_proxy(scheme: str, authority: str) -> str | None:
    """Find the environment's proxy; aiohttp's ``trust_env`` would also send credentials of ~/.netrc."""
    return None if not authority or proxy_bypass(authority) else getproxies().get(scheme)
