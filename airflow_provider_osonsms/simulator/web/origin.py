"""Protection of the control addresses from web pages of other sites.

A page of another origin could send requests to them from the user's browser, or make a name of its own point
to 127.0.0.1 (DNS rebinding) and read the ledger. The gateway's four addresses are open, as the real ones are.
"""

from collections.abc import Awaitable, Callable
from http import HTTPMethod
from ipaddress import ip_address
from typing import Final

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ALLOWED_SITES: Final = frozenset({None, "same-origin", "none"})
_READING_METHODS: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD})


def is_loopback(host: str) -> bool:
    """Whether *host* can be reached from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_origin(handler: Handler, *, is_local: bool) -> Handler:
    """Return *handler* with a check that no web page of another site has made the request.

    Args:
        handler: The handler of a control address.
        is_local: Whether the simulator listens on a loopback address; then it answers to loopback names only.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if is_local and not is_loopback(host if host.endswith("]") else host.rpartition(":")[0] or host):
            return _forbid("this simulator answers to 127.0.0.1 and localhost only: use one of these names")
        origin = request.headers.get("Origin")
        is_foreign = (origin is not None and origin.partition("://")[2] != host) or (
            request.headers.get("Sec-Fetch-Site") not in _ALLOWED_SITES
            and request.method not in _READING_METHODS
        )
        if is_foreign:
            return _forbid("a page of another site may not use this simulator")
        return await handler(request)

    return handle


def _forbid(why: str) -> web.Response:
    return web.json_response({"error": why}, status=403)
