"""How a campaign is sent."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_osonsms.client.rate import make_limiter


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """How a campaign is sent.

    Attributes:
        sender: Sender name of every message.
        channel: None for an SMS.
        is_confidential: Whether the gateway keeps no text.
        concurrency: Requests under way at once.
        max_rate: Requests per second at most, evenly spread; None for no limit.
        max_consecutive_failures: Failures in a row that stop the sending.
        closes_at: When no further row is begun; None for no such moment.
        rounds: Attempts at each row; a retry without a journal asks for all rows again, so few may be left.
    """

    sender: str
    channel: str | None = None
    is_confidential: bool = False
    concurrency: int = 16
    max_rate: float | None = None
    max_consecutive_failures: int = 50
    closes_at: datetime | None = None
    rounds: int = 6

    def make_limiter(self) -> Callable[[], Awaitable[None]] | None:
        """Make what lets one request pass at a time, evenly; None without a limit."""
        return make_limiter(self.max_rate)
