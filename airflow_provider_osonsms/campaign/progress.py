"""How far a campaign is: a line in the log every 10 seconds, and nothing about single messages."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final

log = logging.getLogger(__name__)

_SECONDS: Final = 10.0


class Progress:
    """Counts what is settled.

    Args:
        total: Rows of the campaign.
        done: Rows that earlier tries have settled.
        clock: Seconds, monotonic.
    """

    def __init__(self, total: int, *, done: int = 0, clock: Callable[[], float] = monotonic) -> None:
        self._total = total
        self._done = self._done_before = done
        self._failures = 0
        self._clock = clock
        self._began_at = self._logged_at = clock()

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return self._clock() - self._began_at

    def count(self) -> None:
        """Count a settled row."""
        self._done += 1
        self._log_if_due()

    def count_failure(self) -> None:
        """Count an attempt that has settled nothing."""
        self._failures += 1
        self._log_if_due()

    def _log_if_due(self) -> None:
        now = self._clock()
        if now - self._logged_at >= _SECONDS:
            self._logged_at = now
            self._log()

    def _log(self) -> None:
        seconds = max(self.seconds, 1e-9)
        rate = (self._done - self._done_before) / seconds
        left = self._total - self._done
        eta = f"{left / rate:.0f} s" if rate else "unknown"
        log.info(
            "%d of %d settled, %.0f per second, %s to go, %d failed attempts",
            self._done,
            self._total,
            rate,
            eta,
            self._failures,
        )
