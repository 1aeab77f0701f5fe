"""Work in threads, in turns: many that compute at once would hold up the loop, and with it all triggers."""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from airflow_provider_osonsms.protocol.models import T

PATIENCE: Final = 3.0
"""Seconds after which work gives its turn to the next: it waits for a storage then, and computes no more."""
_TURNS: Final[WeakValueDictionary[asyncio.AbstractEventLoop, asyncio.Lock]] = WeakValueDictionary()
"""A lock lives while somebody has it or waits for it. It holds its loop, so a weak key would stay."""


async def run_in_turn(work: Callable[..., T], *arguments: Any) -> T:
    """Return what *work* returns in a thread; it begins when all that was given before has had its turn."""
    async with _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        working = asyncio.create_task(asyncio.to_thread(work, *arguments))
        try:
            await asyncio.wait((working,), timeout=PATIENCE)
        except asyncio.CancelledError:
            working.cancel()
            raise
    return await working
