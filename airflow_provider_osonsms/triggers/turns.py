"""Work in threads, in turns: many that compute at once would hold up the loop, and with it all triggers."""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from airflow_provider_osonsms.protocol.models import T

PATIENCE: Final = 10.0
"""Seconds after which nobody waits for a turn any longer: whoever has it waits for a storage."""
_TURNS: Final[WeakValueDictionary[asyncio.AbstractEventLoop, asyncio.Lock]] = WeakValueDictionary()
"""A lock lives while somebody has it or waits for it. It holds its loop, so a weak key would stay."""


async def run_in_turn(work: Callable[..., T], *arguments: Any) -> T:
    """Return what *work* returns in a thread, after all work that was given before, or after `PATIENCE`."""
    turn = _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    try:
        async with asyncio.timeout(PATIENCE):
            await turn.acquire()
    except TimeoutError:
        return await asyncio.to_thread(work, *arguments)
    try:
        return await asyncio.to_thread(work, *arguments)
    finally:
        turn.release()
