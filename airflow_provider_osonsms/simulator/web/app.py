"""The aiohttp application with all addresses: those of the gateway, of the control and of the page.

No URL is logged, because a URL of a send holds the hash, the phone and the text.
"""

import asyncio
import logging
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from airflow_provider_osonsms.protocol.vocabulary import MAX_BULK_FILE_BYTES
from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.faults import FaultRules
from airflow_provider_osonsms.simulator.web.control import PREFIX, Control, with_json_errors
from airflow_provider_osonsms.simulator.web.events import stream_events
from airflow_provider_osonsms.simulator.web.openapi import describe_api
from airflow_provider_osonsms.simulator.web.origin import Handler, check_origin
from airflow_provider_osonsms.simulator.web.server import GatewayServer

_SHUTDOWN_SECONDS: Final = 1.0
_MAX_BODY_BYTES: Final = 4 * MAX_BULK_FILE_BYTES
"""Large enough that a bulk file above the limit gets the documented refusal, not one of aiohttp."""
_PAGE: Final = files("airflow_provider_osonsms.simulator") / "page"
_CONTENT_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def make_runner(
    server: GatewayServer, backend: GatewayBackend, faults: FaultRules, *, is_local: bool
) -> web.AppRunner:
    """Return the runner that serves all addresses on the running event loop.

    Args:
        server: The gateway's addresses.
        backend: The gateway without HTTP.
        faults: The fault rules.
        is_local: Whether only this machine can reach the simulator.
    """
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    server.add_routes(app)
    for method, path, handler in _own_routes(
        app, backend, Control(backend, faults, requests=server.requests)
    ):
        app.router.add_route(method, path, check_origin(handler, is_local=is_local))
    return web.AppRunner(app, access_log=None, logger=_make_logger(), shutdown_timeout=_SHUTDOWN_SECONDS)


def _own_routes(
    app: web.Application, backend: GatewayBackend, control: Control
) -> Iterator[tuple[str, str, Handler]]:
    routes = control.routes()
    for route in routes:
        yield route.method, route.path, with_json_errors(route.handler)
    description = describe_api(routes)
    closing = asyncio.Event()

    async def show_api(_request: web.Request) -> web.Response:
        return web.json_response(description)

    async def send_events(request: web.Request) -> web.StreamResponse:
        return await stream_events(request, backend, closing=closing)

    async def stop_events(_app: web.Application) -> None:
        closing.set()

    app.on_shutdown.append(stop_events)
    yield "GET", f"{PREFIX}/openapi.json", show_api
    yield "GET", f"{PREFIX}/events", send_events
    yield "GET", "/", _show_page
    yield "GET", PREFIX + "/page/{name}", _show_page


async def _show_page(request: web.Request) -> web.Response:
    """Answer with a file of the page."""
    name = request.match_info.get("name", "index.html")
    file = _PAGE / name
    content_type = _CONTENT_TYPES.get("." + name.rpartition(".")[2])
    if content_type is None or "/" in name or "\\" in name or not file.is_file():
        raise web.HTTPNotFound
    return web.Response(
        body=file.read_bytes(), content_type=content_type, charset="utf-8", headers=_PAGE_HEADERS
    )


def _make_logger() -> logging.Logger:
    logger = logging.getLogger(__name__)
    logger.addFilter(_remove_request_line)
    return logger


def _remove_request_line(record: logging.LogRecord) -> bool:
    """Remove the exception about an unreadable request, because its text quotes the URL."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True
