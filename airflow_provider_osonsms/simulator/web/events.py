"""Server-sent events: the page learns from them when to load the ledger again."""

import asyncio
from itertools import count
from typing import Final

from aiohttp import web

from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.delivery import plan_statuses

_CHECK_SECONDS: Final = 0.25
_CHECKS_PER_SECOND: Final = 4
_MAX_MESSAGES: Final = 200
"""While one of so many latest messages is under way, an event is sent each second: its status will change."""


async def stream_events(
    request: web.Request, backend: GatewayBackend, *, closing: asyncio.Event
) -> web.StreamResponse:
    """Send the backend's revision after each change, until the client or the server closes."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    sent = -1
    is_unfinished = False
    for check in count():
        if backend.revision != sent or (is_unfinished and check % _CHECKS_PER_SECOND == 0):
            sent, is_unfinished = backend.revision, _has_unfinished(backend)
            try:
                await response.write(f"data: {sent}\n\n".encode())
            except ConnectionResetError:
                break
        try:
            await asyncio.wait_for(closing.wait(), _CHECK_SECONDS)
            break
        except TimeoutError:
            continue
    return response


def _has_unfinished(backend: GatewayBackend) -> bool:
    now = backend.now()
    latest = backend.newest_messages(_MAX_MESSAGES)
    return any(plan_statuses(message, backend.behavior)[-1][1] > now for message in latest)
