"""What a status means for a waiting task: the one table for the decision, the lists and the report.

Reference:
    OsonSMS protocol 1.5, §3.2; docs/wire-notes.md "Statuses".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

UNKNOWN_LIMIT: Final = 3
UNKNOWN_AFTER: Final = 300.0
"""Seconds: a gateway may answer for a new message only a while after it has accepted it."""
MAX_UNKNOWN_SHARE: Final = Decimal("0.2")
"""Of more messages than this share the gateway knows nothing: they were probably sent by another account."""


class Reach(StrEnum):
    """Whether a message is known to have reached its recipient."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    NOT_KNOWN = "not_known"
    ON_ITS_WAY = "on_its_way"


_REACH: Final = {
    DeliveryStatus.ENROUTE: Reach.ON_ITS_WAY,
    DeliveryStatus.ACCEPTED: Reach.ON_ITS_WAY,  # final in SMPP; here a delivery report may follow
    DeliveryStatus.DELIVERED: Reach.REACHED,
    DeliveryStatus.EXPIRED: Reach.NOT_REACHED,
    DeliveryStatus.DELETED: Reach.NOT_REACHED,
    DeliveryStatus.UNDELIVERABLE: Reach.NOT_REACHED,
    DeliveryStatus.REJECTED: Reach.NOT_REACHED,
    DeliveryStatus.UNKNOWN: Reach.NOT_KNOWN,
    DeliveryStatus.NOT_FOUND: Reach.NOT_KNOWN,
    DeliveryStatus.UNRECOGNIZED: Reach.ON_ITS_WAY,  # not a status of §3.2, so it ends no wait
}
"""By the last status; a status that needs confirmation counts only after enough repeats, and enough time."""


class Decision(StrEnum):
    """What a waiting task does next."""

    WAIT = "wait"
    SUCCEED = "succeed"
    FAIL = "fail"
    TIME_OUT = "time_out"
    ASK_ACCOUNT = "ask_account"
    """Of too many messages the gateway knows nothing, so it is perhaps not the account that sent them."""

    @property
    def is_verdict(self) -> bool:
        """Whether the wait is over, and enough is known to list undelivered rows."""
        return self in (Decision.SUCCEED, Decision.FAIL, Decision.TIME_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCriteria:
    """The conditions under which a wait ends, and is a success.

    Attributes:
        min_delivered: The share of the tracked messages, 0 to 1, that must be delivered.
        min_delivered_count: Their number, in place of a share.
        accepted_is_delivered: Whether ACCEPTED counts as delivered, for networks that never report more.
        unknown_limit: How often in a row UNKNOWN (§3.2), or an unknown msg_id, must be seen to be final.
        unknown_after: Seconds since its acceptance after which that may be final.
        stop_early: Whether the wait ends once no pending message can change the decision.
    """

    min_delivered: float = 1.0
    min_delivered_count: int | None = None
    accepted_is_delivered: bool = False
    unknown_limit: int = UNKNOWN_LIMIT
    unknown_after: float = UNKNOWN_AFTER
    stop_early: bool = False

    @property
    def requirement(self) -> str:
        """How many messages should be delivered, as a sentence for people."""
        if self.min_delivered_count is not None:
            return f"at least {self.min_delivered_count} should be delivered"
        return f"at least a share of {self.min_delivered:g} should be delivered"

    def judge(self, status: DeliveryStatus, *, repeats: int, age: float) -> Reach:
        """Return what *status* means for its message.

        Args:
            status: The last one that was seen.
            repeats: How many times in a row it was seen.
            age: Seconds from the acceptance of the message until then.
        """
        if status is DeliveryStatus.ACCEPTED and self.accepted_is_delivered:
            return Reach.REACHED
        if status.needs_confirmation and (repeats < self.unknown_limit or age < self.unknown_after):
            return Reach.ON_ITS_WAY
        return _REACH[status]

    def judge_final(self, status: DeliveryStatus) -> Reach:
        """Return what *status* means once it is confirmed."""
        return self.judge(status, repeats=self.unknown_limit, age=self.unknown_after)

    def is_delivered(self, status: DeliveryStatus) -> bool:
        """Whether *status* counts as delivered."""
        return self.judge_final(status) is Reach.REACHED

    def count_reach(self, by_status: Mapping[str, int], *, total: int) -> dict[Reach, int]:
        """Count the messages of an ended wait by what their last status means.

        Args:
            by_status: Counts by the last status, of the messages that have one.
            total: All messages; what is not surely reached, or not reached, is not known.
        """
        counts = {Reach.REACHED: 0, Reach.NOT_REACHED: 0}
        for status, count in by_status.items():
            reach = self.judge_final(DeliveryStatus(status))
            if reach in counts:
                counts[reach] += count
        return {**counts, Reach.NOT_KNOWN: total - sum(counts.values())}

    def decide(self, *, tracked: int, delivered: int, pending: int, unknown: int, is_over: bool) -> Decision:
        """Decide what a task that waits for *tracked* messages does next.

        It waits until all messages have a final status or until its time is over; then the delivered ones
        decide.

        Args:
            tracked: The number of messages with a msg_id.
            delivered: How many of them count as delivered.
            pending: How many of them have no final status.
            unknown: How many of them the gateway does not know.
            is_over: Whether the task waits no longer.
        """
        needed = self._count_needed(tracked)
        is_doubtful = unknown > MAX_UNKNOWN_SHARE * tracked
        is_decided = delivered >= needed or delivered + pending < needed
        may_stop = self.stop_early and is_decided and not is_doubtful
        if pending and not is_over and not may_stop:
            return Decision.WAIT
        if is_doubtful:
            return Decision.ASK_ACCOUNT
        if delivered >= needed:
            return Decision.SUCCEED
        return Decision.TIME_OUT if pending and is_over else Decision.FAIL

    def _count_needed(self, tracked: int) -> Decimal:
        if self.min_delivered_count is not None:
            return Decimal(self.min_delivered_count)
        return Decimal(str(self.min_delivered)) * tracked
