"""Who may use the simulator's own addresses: no page of another origin, and no name made to point here.

The gateway's four addresses are open, as the real ones are.
"""

from collections.abc import Awaitable, Callable
from http import HTTPMethod
from ipaddress import ip_address
from typing import Final

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OWN_SITES: Final = frozenset({None, "same-origin", "none"})
_HARMLESS: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD})


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches *host*."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_origin(handler: Handler, *, is_local: bool) -> Handler:
    """Return *handler* for requests that nobody else's web page has made.

    Args:
        handler: Of one of the simulator's own addresses.
        is_local: Whether the simulator listens on a loopback address, where no other name may lead to it.
    """

    async def guarded(request: web.Request) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if is_local and not is_loopback(host if host.endswith("]") else host.rpartition(":")[0] or host):
            return _forbid("this simulator answers to 127.0.0.1 and localhost only: use one of these names")
        origin = request.headers.get("Origin")
        is_foreign = (origin is not None and origin.partition("://")[2] != host) or (
            request.headers.get("Sec-Fetch-Site") not in _OWN_SITES and request.method not in _HARMLESS
        )
        if is_foreign:
            return _forbid("another site's page may not use this simulator")
        return await handler(request)

    return guarded


def _forbid(why: str) -> web.Response:
    return web.json_response({"error": why}, status=403)
