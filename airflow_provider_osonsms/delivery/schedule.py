"""When a waiting task asks again: young messages often, old ones rarely.

Pure functions of a message's age, so that a restarted process goes on as the old one would have.
"""

from datetime import datetime
from typing import Final

LONGEST_PAUSE: Final = 60.0
"""Seconds; the default of ``max_poll_interval``."""
_GROWTH: Final = 2.0


def plan_pause(
    age: float, *, poll_interval: float, max_poll_interval: float = LONGEST_PAUSE, jitter: float = 0.0
) -> float:
    """Return the seconds to wait before asking again: twice the age, within the two intervals.

    With the defaults messages are asked for at ages of 10, 30, 90, 150 ... seconds.

    Args:
        age: Seconds since the waiting began.
        poll_interval: The shortest pause.
        max_poll_interval: The longest one, unless *poll_interval* is longer.
        jitter: 0 to 1; shortens the pause by up to a tenth, so that waiting tasks do not march in step.
    """
    longest = max(poll_interval, max_poll_interval)
    return min(max(_GROWTH * age, poll_interval), longest) * (1 - jitter / 10)


def plan_patience(now: datetime, deadline: datetime, *, timeout: float) -> float:
    """Return the seconds that a round may take: to the deadline, and one question's *timeout* more."""
    return max((deadline - now).total_seconds(), 0.0) + timeout
