"""How many requests begin in a second: evenly spread, slower when the gateway asks for it, then faster again.

The gateway documents no limit, so it is learned as TCP learns that of a network: additive increase,
multiplicative decrease (RFC 5681). A 429 or 503 halves the rate; while no further one comes, it grows in each
second by a tenth of the last rate that was too high, up to ``max_rate``. Without a ``max_rate`` there is no
limit until the first 429; then half of the rate is taken that was accepted until then.

All requests of one moment are turned away together, and tell one thing. So each request is begun under a
number, and a 429 counts only if the rate was not halved since.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOGS: Final = 60.0
_LOWEST_RATE: Final = 1.0
_SLOWEST_GROWTH: Final = 1.0
"""A second more in each second, so that who has come to nothing comes back."""
_GROWTH: Final = 0.1
_LONGEST_NAP: Final = 1.0
"""Seconds after which somebody who waits for a turn looks whether all is over."""
_LATENESS: Final = 0.02
"""Seconds that a turn may be late without making the later ones fewer."""
_LONGEST_GAP: Final = 10.0
"""Seconds without an answer that no measured rate holds, such as those between two rounds of a wait."""


class RateLimiter:
    """Gives turns to begin a request; it belongs to one event loop.

    Args:
        max_rate: Requests per second at most; None for no limit but the one that the gateway shows.
        is_over: Whether nobody needs a turn any more.
        clock: Seconds that only grow.
        sleep: Waits for some seconds.

    Attributes:
        rate: Requests per second at most, for now; infinite for no limit.
        throttled_since: When the gateway began to turn away each request, by *clock*; None if it does not.
        throttled: How many requests were turned away.
    """

    def __init__(
        self,
        max_rate: float | None = None,
        *,
        is_over: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.rate = self._max_rate = math.inf if max_rate is None else max_rate
        self.throttled_since: float | None = None
        self.throttled = 0
        self._is_over = is_over
        self._clock = clock
        self._sleep = sleep
        self._turns = asyncio.Lock()
        self._next_turn = -math.inf
        self._is_waited_for = False
        self._number = 0
        self._answered = 0
        self._began_at = self._answered_at = self._grown_at = clock()
        self._too_high = 0.0
        self._logged_at = -math.inf
        self._unlogged = 0

    @property
    def seconds_throttled(self) -> float:
        """Seconds since the gateway turns away each request; 0 if it does not."""
        return 0.0 if self.throttled_since is None else self._clock() - self.throttled_since

    async def take_turn(self) -> int:
        """Wait until a request may begin, and return the number under which it begins."""
        if self.rate == math.inf:
            return self._number
        async with self._turns:
            while (seconds := self._next_turn - self._clock()) > 0 and not self._is_over():
                self._is_waited_for = True
                await self._sleep(min(seconds, _LONGEST_NAP))
            now = self._clock()
            is_in_time = now - self._next_turn <= _LATENESS
            self._next_turn = (self._next_turn if is_in_time else now) + 1 / self.rate
        return self._number

    def count_answer(self) -> None:
        """Count a request that the gateway has answered, and let the rate grow."""
        now = self._clock()
        if now - self._answered_at > _LONGEST_GAP:
            self._began_at, self._answered = now, 0
        self._answered_at = now
        self._answered += 1
        self.throttled_since = None
        if self.rate < self._max_rate:
            self._grow(now)

    def slow_down(self, number: int, *, retry_after: float, status: int) -> None:
        """Halve the rate after a request was turned away.

        Args:
            number: That under which the request began.
            retry_after: Seconds in which no request is to begin.
            status: The HTTP status, for the log.
        """
        now = self._clock()
        self.throttled += 1
        self._unlogged += 1
        if self.throttled_since is None:
            self.throttled_since = now
        if number == self._number:
            self._halve(now)
        if retry_after:
            self._next_turn = max(self._next_turn, now + retry_after)
        if now - self._logged_at >= SECONDS_BETWEEN_LOGS:
            text = "The gateway asks to slow down (HTTP %d, %d times): %.3g requests a second for now%s"
            pause = f", after a pause of {retry_after:.0f} s" if retry_after else ""
            log.warning(text, status, self._unlogged, self.rate, pause)
            self._logged_at, self._unlogged = now, 0

    def _halve(self, now: float) -> None:
        rate = self.rate
        if rate == math.inf:
            rate = self._answered / max(now - self._began_at, 1e-3)
        if self._answered:  # else the gateway is away, which tells nothing about a rate
            self._too_high = rate
        self.rate = max(rate / 2, min(_LOWEST_RATE, self._max_rate))
        self._next_turn = max(self._next_turn, now + 1 / self.rate)
        self._number += 1
        self._answered = 0
        self._grown_at = now
        self._is_waited_for = False

    def _grow(self, now: float) -> None:
        """Grow by the seconds since the last growth, unless the rate is not what holds the requests up."""
        seconds = min(now - self._grown_at, 1.0)
        self._grown_at = now
        if self._is_waited_for:
            self._is_waited_for = False
            step = max(self._too_high * _GROWTH, _SLOWEST_GROWTH)
            self.rate = min(self.rate + step * seconds, self._max_rate)
