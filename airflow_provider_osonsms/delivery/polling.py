"""When a waiting task asks again, and how fast: young messages often, old ones rarely.

Pauses are pure functions of a message's age, so that a restarted process goes on as the old one would have.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from airflow_provider_osonsms.client.rate import make_limiter
from airflow_provider_osonsms.preflight.parameters import read_positive_int, read_rate, read_seconds

MAX_PAUSE: Final = 60.0
"""Seconds; the default of ``max_poll_interval``."""
_GROWTH: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """How often and how fast a waiting task asks.

    Attributes:
        poll_interval: Seconds before a young message is asked for again.
        max_poll_interval: Seconds before an old one is; a shorter one than *poll_interval* changes nothing.
        concurrency: Questions under way at once.
        max_rate: Questions per second at most, evenly spread; None for no limit.

    Raises:
        ValueError: A value is out of its range.
    """

    poll_interval: float = 10.0
    max_poll_interval: float = MAX_PAUSE
    concurrency: int = 16
    max_rate: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        read_seconds(self.poll_interval, "poke_interval")
        read_seconds(self.max_poll_interval, "max_poll_interval")
        read_positive_int(self.concurrency, "concurrency")
        read_rate(self.max_rate, "max_rate")

    def plan_pause(self, age: float, *, jitter: float = 0.0) -> float:
        """Return the seconds to wait before asking again: twice the age, within the two intervals.

        With the defaults messages are asked for at ages of 10, 30, 90, 150 ... seconds.

        Args:
            age: Seconds since the waiting began.
            jitter: 0 to 1; shortens the pause by up to a tenth, so that waiting tasks do not ask in step.
        """
        longest = max(self.poll_interval, self.max_poll_interval)
        return min(max(_GROWTH * age, self.poll_interval), longest) * (1 - jitter / 10)

    def make_limiter(self, fallback: float | None) -> Callable[[], Awaitable[None]] | None:
        """Make what lets one question pass at a time; *fallback* is the Connection's ``max_rate``."""
        return make_limiter(self.max_rate or fallback)


def plan_time_limit(now: datetime, deadline: datetime, *, timeout: float) -> float:
    """Return the seconds that a round may take: to the deadline, and one question's *timeout* more."""
    return max((deadline - now).total_seconds(), 0.0) + timeout
