"""What a status means for a waiting task: the one place that decides it, for sensor and trigger.

Reference:
    OsonSMS protocol 1.5, §3.2.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

SIGHTINGS_OF_DOUBT = 3
"""UNKNOWN (§3.2) and an unknown msg_id are believed after so many sightings in a row."""

BACK_OFF = 1.5
LONGEST_PAUSE = 60.0
"""Seconds; the growing pause between two rounds never passes it, nor falls below the user's interval."""


class Decision(StrEnum):
    """What a waiting task does next."""

    WAIT = "wait"
    SUCCEED = "succeed"
    FAIL = "fail"
    TIME_OUT = "time_out"


def is_final(status: DeliveryStatus, *, sightings: int) -> bool:
    """Whether *status*, seen *sightings* times in a row, will not change any more."""
    return status.is_terminal or (status.is_doubtful and sightings >= SIGHTINGS_OF_DOUBT)


def decide(
    *, tracked: int, delivered: int, pending: int, min_delivered: float, now: datetime, deadline: datetime
) -> Decision:
    """Decide what a task that waits for *tracked* messages does next.

    It waits until all have a final status; at the deadline enough delivered ones are enough.

    Args:
        tracked: Messages that can be asked for.
        delivered: Those with the status DELIVERED.
        pending: Those without a final status.
        min_delivered: Share of *tracked*, 0 to 1, that must be delivered.
        now: Aware.
        deadline: Aware.
    """
    if pending and now < deadline:
        return Decision.WAIT
    if delivered >= Decimal(str(min_delivered)) * tracked:
        return Decision.SUCCEED
    return Decision.TIME_OUT if pending else Decision.FAIL


def plan_patience(now: datetime, deadline: datetime, *, timeout: float) -> float:
    """Return the seconds that a round may take: to the deadline, and one question's *timeout* more."""
    return max((deadline - now).total_seconds(), 0.0) + timeout


def plan_pause(round_number: int, *, poll_interval: float, jitter: float = 0.0) -> float:
    """Return the seconds to wait after round *round_number* (0 is the first): 1.5 times more each round.

    Args:
        round_number: Rounds done before this one.
        poll_interval: Seconds after the first round.
        jitter: -1 to 1; moves the pause by up to a tenth, so that waiting tasks do not march in step.
    """
    longest = max(poll_interval, LONGEST_PAUSE)
    exponent = min(round_number, 64)
    return min(poll_interval * BACK_OFF**exponent, longest) * (1 + jitter / 10)


def count_rounds(elapsed: float, *, poll_interval: float) -> int:
    """Count the pauses that fit into *elapsed* seconds: the round of a process that remembers nothing."""
    rounds, spent = 0, plan_pause(0, poll_interval=poll_interval)
    while spent <= elapsed:
        rounds += 1
        spent += plan_pause(rounds, poll_interval=poll_interval)
    return rounds
