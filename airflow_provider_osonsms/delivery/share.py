"""How many questions a wait may have under way, where many waits run in one event loop.

Twenty waits with 16 questions each made so many objects in one turn of a triggerer's loop that Python's
garbage collector took them for lasting ones. So again and again it looked through all that the process holds,
which held up every other trigger for a tenth of a second.
"""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

MAX_UNDER_WAY: Final = 100
"""Questions to one gateway from one event loop, where at most so many waits ask."""


class Share:
    """What each of the waits may have that ask at this moment; a wait asks while the block lasts.

    Attributes:
        most: Questions under way at once, for each wait.
    """

    def __init__(self) -> None:
        self._count(0)

    def __enter__(self) -> None:
        self._count(self._waits + 1)

    def __exit__(self, *_: object) -> None:
        self._count(self._waits - 1)

    def _count(self, waits: int) -> None:
        self._waits = waits
        self.most = max(MAX_UNDER_WAY // max(waits, 1), 1)


_SHARES: Final[WeakValueDictionary[tuple[asyncio.AbstractEventLoop, str], Share]] = WeakValueDictionary()
"""They live while a wait has them."""


def find_share(gateway: str) -> Share:
    """Return the share of the waits in this event loop that ask this *gateway*."""
    return _SHARES.setdefault((asyncio.get_running_loop(), gateway), Share())
