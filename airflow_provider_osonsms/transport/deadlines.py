"""Deadlines of many requests with one timer.

A timer for each request, which is cancelled nearly always, costs a tenth of the request; so does
`asyncio.timeout`, with one timer as with many.
"""

import asyncio
import math
from types import TracebackType


class Deadlines:
    """Ends what takes too long; made inside a running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits: set[_Limit] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf

    def limit(self, seconds: float) -> "_Limit":
        """Return a block that raises TimeoutError after some seconds; entered at once, by a task."""
        limit = _Limit(self._limits, self._loop.time() + seconds)
        if limit.due < self._timer_due:
            self._set_timer(limit.due)
        return limit

    def close(self) -> None:
        """Give up the timer as soon as nothing is under way any more.

        aiohttp wakes nobody who reads an answer while its session is closed.
        """
        self._set_timer(self._find_next())

    def _find_next(self) -> float:
        return min((limit.due for limit in self._limits), default=math.inf)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = None if due == math.inf else self._loop.call_at(due, self._end_overdue)

    def _end_overdue(self) -> None:
        now = max(self._loop.time(), self._timer_due)  # uvloop is early by less than a millisecond
        for limit in [limit for limit in self._limits if limit.due <= now]:
            limit.end()
        self._set_timer(self._find_next())


class _Limit:
    """A block that its task has to leave in time; it does what `asyncio.Timeout` does."""

    __slots__ = ("_cancelling", "_is_over", "_limits", "_task", "due")

    def __init__(self, limits: "set[_Limit]", due: float) -> None:
        self.due = due
        self._limits = limits
        self._is_over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be ended")
        self._task = task
        self._cancelling = task.cancelling()
        self._limits.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._is_over:
            self._limits.discard(self)
        elif self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error

    def end(self) -> None:
        """Let the task leave the block now."""
        self._is_over = True
        self._limits.discard(self)
        self._task.cancel()
