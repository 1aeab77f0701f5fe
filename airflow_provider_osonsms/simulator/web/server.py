"""The gateway's four addresses over HTTP, with the faults, the latency and the rate limit.

Reference:
    OsonSMS protocol 1.5, §2-§5; docs/wire-notes.md "Requests", "Other clients".
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPMethod, HTTPStatus
from random import Random
from time import monotonic
from typing import Any, Final

from aiohttp import web

from airflow_provider_osonsms.protocol.vocabulary import BALANCE_PATH, BULK_PATH, QUERY_PATH, SEND_PATH
from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.behavior import RateLimit
from airflow_provider_osonsms.simulator.calls.refusals import TooFastError
from airflow_provider_osonsms.simulator.calls.serve import Answer
from airflow_provider_osonsms.simulator.faults import ACCEPTING, CODE_BY_FAULT, Fault, FaultRules
from airflow_provider_osonsms.simulator.ledger.records import Call
from airflow_provider_osonsms.simulator.web.form import read_form

_to_json: Final = json.JSONEncoder(check_circular=False).encode
_GARBAGE: Final = b"<?xml version='1.0'?>\x00\xff not JSON"

Fields = Mapping[str, str]


class GatewayServer:
    """The gateway's four addresses.

    Args:
        backend: Serves the requests.
        faults: Decides which requests meet a fault.
        seed: Of the jitter.

    Attributes:
        requests: How many requests each call has had, with every outcome.
    """

    def __init__(self, backend: GatewayBackend, faults: FaultRules, *, seed: int = 0) -> None:
        self.requests: Counter[Call] = Counter()
        self._backend = backend
        self._faults = faults
        self._random = Random(seed)  # noqa: S311
        self._limit = RateLimit()
        self._closing = asyncio.Event()

    def add_routes(self, app: web.Application) -> None:
        """Serve the addresses in *app*, on the running event loop."""
        self._closing = asyncio.Event()
        for path, handler in (
            (SEND_PATH, self._send),
            (QUERY_PATH, self._query),
            (BALANCE_PATH, self._balance),
        ):
            app.router.add_get(path, handler, allow_head=False)
            app.router.add_post(path, handler)
        app.router.add_post(BULK_PATH, self._create_bulk)
        app.on_shutdown.append(self._cancel_delays)

    async def _send(self, request: web.Request) -> web.Response:
        query = _query_of(request)
        serve = partial(
            self._backend.send, query, authorization=_read_authorization(request), remote=request.remote or ""
        )
        return await self._answer(Call.SEND, request, fields=query, serve=serve)

    async def _query(self, request: web.Request) -> web.Response:
        query = _query_of(request)
        serve = partial(self._backend.query, query, authorization=_read_authorization(request))
        return await self._answer(Call.QUERY, request, fields=query, serve=serve)

    async def _balance(self, request: web.Request) -> web.Response:
        query = _query_of(request)
        serve = partial(self._backend.balance, query, authorization=_read_authorization(request))
        return await self._answer(Call.BALANCE, request, fields=query, serve=serve)

    async def _create_bulk(self, request: web.Request) -> web.Response:
        fields, file = await read_form(request)
        serve = partial(self._backend.create_bulk, fields, file, authorization=_read_authorization(request))
        return await self._answer(Call.BULK, request, fields=fields, serve=serve)

    async def _answer(
        self, call: Call, request: web.Request, *, fields: Fields, serve: Callable[[], Answer]
    ) -> web.Response:
        """Serve a request, or refuse it by the rate limit or a fault; answer after the latency."""
        self.requests[call] += 1
        behavior = self._backend.behavior
        max_rate = behavior.max_rate
        if max_rate is not None and not self._limit.admit(monotonic(), max_rate=max_rate):
            status = HTTPStatus(behavior.throttle_status)
            self._backend.refuse(call, fields, TooFastError(f"{max_rate:g}", http_status=status))
            answer = self._throttle(status)
        elif (fault := self._faults.choose(call)) is None:
            answer = _as_json(*serve())
        elif fault in CODE_BY_FAULT:
            uses_up = fault is Fault.NOT_STORED_BUT_USED_UP
            code = CODE_BY_FAULT[fault]
            answer = _as_json(*self._backend.fail(call, fields, code=code, uses_up_txn_id=uses_up))
        else:
            answer = _as_json(*serve()) if fault in ACCEPTING else web.Response()
            answer = await self._apply_fault(answer, fault, request=request)
        if behavior.latency or behavior.jitter:
            spread = self._random.uniform(-behavior.jitter, behavior.jitter)
            await self._delay(max(0.0, behavior.latency + spread))
        return answer

    async def _apply_fault(self, answer: web.Response, fault: Fault, *, request: web.Request) -> web.Response:
        """Return *answer* as *fault* changes it."""
        match fault:
            case Fault.HANG_BEFORE | Fault.HANG_AFTER:
                await self._delay(self._backend.behavior.hang_seconds)
                return _cut(request)
            case Fault.CUT_BEFORE | Fault.CUT_AFTER:
                return _cut(request)
            case Fault.TOO_MANY_REQUESTS:
                return self._throttle(HTTPStatus.TOO_MANY_REQUESTS)
            case Fault.UNAVAILABLE | Fault.UNAVAILABLE_AFTER:
                return self._throttle(HTTPStatus.SERVICE_UNAVAILABLE)
            case Fault.BAD_GATEWAY:
                return _as_html(HTTPStatus.BAD_GATEWAY)
            case Fault.TRUNCATED:
                whole = answer.body
                answer.body = whole[: len(whole) // 2] if isinstance(whole, bytes) else b""
            case Fault.EMPTY:
                answer.body = b""
            case _:
                answer.body = _GARBAGE
        return answer

    def _throttle(self, status: HTTPStatus) -> web.Response:
        """Ask to slow down, for as long as the behavior says."""
        answer = _as_html(status)
        if (seconds := self._backend.behavior.retry_after) is not None:
            answer.headers["Retry-After"] = f"{seconds:g}"
        return answer

    async def _delay(self, seconds: float) -> None:
        """Wait *seconds*, or until the server stops."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    async def _cancel_delays(self, _app: web.Application) -> None:
        self._closing.set()


def _query_of(request: web.Request) -> Fields:
    """Return the query string's fields, the last of a name; a POST has none (wire-notes, "Requests")."""
    if request.method != HTTPMethod.GET:
        return {}
    return dict(request.query.items())


def _read_authorization(request: web.Request) -> str | None:
    return request.headers.get("Authorization")


def _as_json(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=_to_json(body).encode(), content_type="application/json")


def _as_html(status: HTTPStatus) -> web.Response:
    """Answer as a proxy in front of the gateway, which does not know the protocol."""
    title = f"{status.value} {status.phrase}"
    page = f"<html><head><title>{title}</title></head><body>nginx</body></html>"
    return web.Response(status=status, text=page, content_type="text/html")


def _cut(request: web.Request) -> web.Response:
    """Close the connection; the returned response reaches no client."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
