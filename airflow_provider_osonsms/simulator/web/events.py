"""Server-sent events: that something has changed, so that the page is live."""

import asyncio
from itertools import count
from typing import Final

from aiohttp import web

from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.delivery import foresee

_SECONDS_BETWEEN_LOOKS: Final = 0.25
_LOOKS_PER_TICK: Final = 4
_MESSAGES_WATCHED: Final = 200
"""Of the latest messages, a status that changes by time alone is news too: once a second."""


async def stream_events(
    request: web.Request, backend: GatewayBackend, *, closing: asyncio.Event
) -> web.StreamResponse:
    """Send the backend's revision whenever something has changed, until the client or the server leaves."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    told = -1
    is_unfinished = False
    for look in count():
        if backend.revision != told or (is_unfinished and look % _LOOKS_PER_TICK == 0):
            told, is_unfinished = backend.revision, _has_unfinished(backend)
            try:
                await response.write(f"data: {told}\n\n".encode())
            except ConnectionResetError:
                break
        try:
            await asyncio.wait_for(closing.wait(), _SECONDS_BETWEEN_LOOKS)
            break
        except TimeoutError:
            continue
    return response


def _has_unfinished(backend: GatewayBackend) -> bool:
    now = backend.now()
    latest = backend.newest_messages(_MESSAGES_WATCHED)
    return any(foresee(message, backend.behavior)[-1][1] > now for message in latest)
