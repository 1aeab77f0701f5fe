"""The thin door: HTTP in front of the backend, and the faults that live between the two.

Nothing here logs a URL: it would hold the hash, the phone and the text.

Reference:
    OsonSMS protocol 1.5, §2-§5; wire-notes 5, 17.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from functools import partial
from http import HTTPMethod, HTTPStatus
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from airflow_provider_osonsms.protocol.vocabulary import (
    BALANCE_PATH,
    BULK_PATH,
    MAX_BULK_FILE_BYTES,
    QUERY_PATH,
    SEND_PATH,
)
from airflow_provider_osonsms.simulator.backend import Answer, GatewayBackend
from airflow_provider_osonsms.simulator.faults import ACCEPTING, CODE_BY_FAULT, Fault, FaultQueue
from airflow_provider_osonsms.simulator.ledger import Call
from airflow_provider_osonsms.simulator.report import describe

LEDGER_PATH: Final = "/_simulator/ledger"
HEALTH_PATH: Final = "/_simulator/health"

_SECONDS_FOR_OPEN_REQUESTS: Final = 1.0
_MAX_BODY_BYTES: Final = 4 * MAX_BULK_FILE_BYTES
"""Enough for a file that is too large to get its documented refusal."""
_GARBAGE: Final = b"<?xml version='1.0'?>\x00\xff not JSON"
_BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

Fields = Mapping[str, str]


class GatewayDoor:
    """The gateway's four addresses, and two of the simulator's own.

    Attributes:
        requests: How many requests each call has had, whatever became of them.
    """

    def __init__(self, backend: GatewayBackend, faults: FaultQueue, *, hang_seconds: float) -> None:
        self.requests: Counter[Call] = Counter()
        self._backend = backend
        self._faults = faults
        self._hang_seconds = hang_seconds
        self._closing = asyncio.Event()

    def make_runner(self) -> web.AppRunner:
        """Return what serves the addresses, on the event loop that runs now."""
        self._closing = asyncio.Event()
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        for path, handler in (
            (SEND_PATH, self._send),
            (QUERY_PATH, self._query),
            (BALANCE_PATH, self._balance),
        ):
            app.router.add_get(path, handler, allow_head=False)
            app.router.add_post(path, handler)
        app.router.add_post(BULK_PATH, self._create_bulk)
        app.router.add_get(LEDGER_PATH, self._show_ledger)
        app.router.add_get(HEALTH_PATH, self._show_health)
        app.on_shutdown.append(self._end_hanging)
        return web.AppRunner(
            app, access_log=None, logger=_quiet_logger(), shutdown_timeout=_SECONDS_FOR_OPEN_REQUESTS
        )

    async def _send(self, request: web.Request) -> web.Response:
        query = _query_of(request)
        serve = partial(
            self._backend.send, query, authorization=_authorization(request), remote=request.remote or ""
        )
        return await self._meet(Call.SEND, request, fields=query, serve=serve)

    async def _query(self, request: web.Request) -> web.Response:
        query = _query_of(request)
        serve = partial(self._backend.query, query, authorization=_authorization(request))
        return await self._meet(Call.QUERY, request, fields=query, serve=serve)

    async def _balance(self, request: web.Request) -> web.Response:
        query = _query_of(request)
        serve = partial(self._backend.balance, query, authorization=_authorization(request))
        return await self._meet(Call.BALANCE, request, fields=query, serve=serve)

    async def _create_bulk(self, request: web.Request) -> web.Response:
        try:
            fields, file = await _read_form(request)
        except ValueError:
            fields, file = {}, None
        serve = partial(self._backend.create_bulk, fields, file, authorization=_authorization(request))
        return await self._meet(Call.BULK, request, fields=fields, serve=serve)

    async def _meet(
        self, call: Call, request: web.Request, *, fields: Fields, serve: Callable[[], Answer]
    ) -> web.Response:
        """Serve a request, unless a fault waits for it."""
        self.requests[call] += 1
        fault = self._faults.pop(call)
        if fault is None:
            return _as_json(*serve())
        if fault in CODE_BY_FAULT:
            uses_up = fault is Fault.NOT_STORED_BUT_USED_UP
            return _as_json(
                *self._backend.fail(call, fields, code=CODE_BY_FAULT[fault], uses_up_txn_id=uses_up)
            )
        answer = _as_json(*serve()) if fault in ACCEPTING else web.Response()
        return await self._spoil(answer, fault, request=request)

    async def _spoil(self, answer: web.Response, fault: Fault, *, request: web.Request) -> web.Response:
        """Return what is left of *answer*."""
        match fault:
            case Fault.HANG_BEFORE | Fault.HANG_AFTER:
                await self._hang()
                return _cut(request)
            case Fault.CUT_BEFORE | Fault.CUT_AFTER:
                return _cut(request)
            case Fault.BAD_GATEWAY:
                return web.Response(
                    status=HTTPStatus.BAD_GATEWAY, text=_BAD_GATEWAY, content_type="text/html"
                )
            case Fault.TRUNCATED:
                whole = answer.body
                answer.body = whole[: len(whole) // 2] if isinstance(whole, bytes) else b""
            case Fault.EMPTY:
                answer.body = b""
            case _:
                answer.body = _GARBAGE
        return answer

    async def _hang(self) -> None:
        """Say nothing for a while, or until the server stops."""
        try:
            await asyncio.wait_for(self._closing.wait(), self._hang_seconds)
        except TimeoutError:
            return

    async def _end_hanging(self, _app: web.Application) -> None:
        self._closing.set()

    async def _show_ledger(self, _request: web.Request) -> web.Response:
        return web.json_response(describe(self._backend, self.requests))

    async def _show_health(self, _request: web.Request) -> web.Response:
        return web.json_response({"ok": True})


def _query_of(request: web.Request) -> Fields:
    """Return the query string's fields, the last of a name; a POST has none (wire-notes 5)."""
    return dict(request.query.items()) if request.method == HTTPMethod.GET else {}


def _authorization(request: web.Request) -> str | None:
    return request.headers.get("Authorization")


async def _read_form(request: web.Request) -> tuple[dict[str, str], bytes | None]:
    """Return the fields of a multipart form and the content of its file; ValueError for another body."""
    fields: dict[str, str] = {}
    file = None
    if request.content_type != "multipart/form-data":
        raise ValueError("not a multipart form")
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + await request.read())
    for part in form.iter_parts():
        payload, name = part.get_payload(decode=True), part.get_param("name", header="Content-Disposition")
        content = payload if isinstance(payload, bytes) else b""
        if name == "file":
            file = content
        elif name:
            fields[str(name)] = content.decode(errors="replace")
    return fields, file


def _as_json(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    """Close the connection; what is returned finds nobody any more."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger(__name__)
    logger.addFilter(_without_request_line)
    return logger


def _without_request_line(record: logging.LogRecord) -> bool:
    """Drop the exception about an unreadable request: its text quotes the URL."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True
