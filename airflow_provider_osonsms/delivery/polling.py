"""How often and how fast a waiting task polls: young messages often, old messages rarely.

A pause depends on the age of the messages only, so a restarted process polls as the old one would have.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from airflow_provider_osonsms.client.rate import RateLimiter
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

MAX_POLL_INTERVAL: Final = 1800.0
"""Seconds; the default of ``max_poll_interval``: less would be more than 100 questions a message and day."""
_YOUNG: Final = 60.0
"""Seconds: the longest pause until the messages are ten times as old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """The rate of a waiting task's status queries.

    Attributes:
        poll_interval: Seconds between two rounds while the messages are young.
        max_poll_interval: Seconds between two rounds at most; below *poll_interval* it has no effect.
        concurrency: Queries under way at once.
        max_rate: Queries per second at most, evenly spread; None for no limit.
    """

    poll_interval: float = 10.0
    max_poll_interval: float = MAX_POLL_INTERVAL
    concurrency: int = 16
    max_rate: float | None = None

    def plan_pause(self, age: float, *, jitter: float = 0.0) -> float:
        """Return the seconds until the next round: twice the age, at most a minute or a tenth of the age.

        With the defaults, messages are polled at ages of 10, 30, 90, 150, 210 ... seconds, after an hour each
        6 minutes, and after five hours each half hour.

        Args:
            age: Seconds since the wait began.
            jitter: 0 to 1; shortens the pause by up to a tenth, so that waiting tasks do not poll together.
        """
        longest = max(self.poll_interval, self.max_poll_interval)
        age = max(age, 0.0)  # a clock may be set back
        pause = max(min(2 * age, max(_YOUNG, age / 10)), self.poll_interval)
        return min(pause, longest) * (1 - jitter / 10)

    def plan_pause_until(self, deadline: float, *, began: float, now: float, jitter: float = 0.0) -> float:
        """Return the seconds until the next round, which begins at the deadline at the latest.

        After the deadline, the messages without any answer are queried again and again, at last each minute.

        Args:
            deadline: In seconds since the epoch, as the other times.
            began: When the wait began.
            now: Now.
            jitter: See `plan_pause`.
        """
        if now >= deadline:
            return min(max(self.poll_interval, (now - began) / 10, 1.0), max(self.poll_interval, _YOUNG))
        return min(self.plan_pause(now - began, jitter=jitter), deadline - now)

    @staticmethod
    def describe_pause(pause: float, *, now: float) -> str:
        """Return when the next round begins, *pause* seconds after *now*, for a log."""
        moment = datetime.fromtimestamp(now + pause, UTC).astimezone(TAJIK_TIME)
        return f"the next round is in {pause:.0f} s, at {moment:%H:%M:%S} in Dushanbe"

    def make_limiter(self, fallback: float | None) -> RateLimiter:
        """Return the limiter of the queries; *fallback* is the Connection's rate."""
        return RateLimiter(self.max_rate or fallback)
