"""How often and how fast a waiting task polls: young messages often, old messages rarely.

A pause depends on the age of the messages only, so a restarted process polls as the old one would have.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from airflow_provider_osonsms.client.rate import make_limiter
from airflow_provider_osonsms.preflight.parameters import read_positive_int, read_rate, read_seconds

MAX_POLL_INTERVAL: Final = 60.0
"""Seconds; the default of ``max_poll_interval``."""
_GROWTH: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """The rate of a waiting task's status queries.

    Attributes:
        poll_interval: Seconds between two rounds while the messages are young.
        max_poll_interval: Seconds between two rounds at most; below *poll_interval* it has no effect.
        concurrency: Queries under way at once.
        max_rate: Queries per second at most, evenly spread; None for no limit.

    Raises:
        ValueError: A value is out of its range.
    """

    poll_interval: float = 10.0
    max_poll_interval: float = MAX_POLL_INTERVAL
    concurrency: int = 16
    max_rate: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        read_seconds(self.poll_interval, "poke_interval")
        read_seconds(self.max_poll_interval, "max_poll_interval")
        read_positive_int(self.concurrency, "concurrency")
        read_rate(self.max_rate, "max_rate")

    def plan_pause(self, age: float, *, jitter: float = 0.0) -> float:
        """Return the seconds until the next round: twice the age, within the two intervals.

        With the defaults, messages are polled at ages of 10, 30, 90, 150 ... seconds.

        Args:
            age: Seconds since the wait began.
            jitter: 0 to 1; shortens the pause by up to a tenth, so that waiting tasks do not poll together.
        """
        longest = max(self.poll_interval, self.max_poll_interval)
        return min(max(_GROWTH * age, self.poll_interval), longest) * (1 - jitter / 10)

    def make_limiter(self, fallback: float | None) -> Callable[[], Awaitable[None]] | None:
        """Return the limiter of the queries (`make_limiter`); *fallback* is the Connection's rate."""
        return make_limiter(self.max_rate or fallback)


def plan_time_limit(now: datetime, deadline: datetime, *, timeout: float) -> float:
    """Return the seconds that a round may take: until the deadline, and one query's *timeout* more."""
    return max((deadline - now).total_seconds(), 0.0) + timeout
