"""How fast a waiting task asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from airflow_provider_osonsms.client.rate import make_limiter
from airflow_provider_osonsms.delivery.schedule import LONGEST_PAUSE, plan_pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a waiting task asks.

    Attributes:
        poll_interval: Seconds before a young message is asked for again.
        max_poll_interval: Seconds before an old one is; a shorter one than *poll_interval* changes nothing.
        concurrency: Questions under way at once.
        max_rate: Questions per second at most, evenly spread; None for no limit.

    Raises:
        ValueError: A value is out of its range.
    """

    poll_interval: float = 10.0
    max_poll_interval: float = LONGEST_PAUSE
    concurrency: int = 16
    max_rate: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.poll_interval > 0:
            raise ValueError("poke_interval must be above 0 seconds")
        if not self.max_poll_interval > 0:
            raise ValueError("max_poll_interval must be above 0 seconds")
        if (
            not isinstance(self.concurrency, int)
            or isinstance(self.concurrency, bool)
            or self.concurrency < 1
        ):
            raise ValueError("concurrency must be a whole number, at least 1")
        if self.max_rate is not None and not self.max_rate > 0:
            raise ValueError("max_rate must be a number of questions per second above 0, or None")

    def plan_pause(self, age: float, *, jitter: float = 0.0) -> float:
        """Return the seconds to wait before asking again; see `schedule.plan_pause`."""
        return plan_pause(
            age, poll_interval=self.poll_interval, max_poll_interval=self.max_poll_interval, jitter=jitter
        )

    def make_limiter(self, fallback: float | None) -> Callable[[], Awaitable[None]] | None:
        """Make what lets one question pass at a time; *fallback* is the Connection's ``max_rate``."""
        return make_limiter(self.max_rate or fallback)
