"""What a status means for a waiting task: the one table for the decision, the lists and the report.

Reference:
    OsonSMS protocol 1.5, §3.2; docs/wire-notes.md "Statuses".
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final

from airflow_provider_osonsms.preflight.parameters import read_flag, read_positive_int
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

UNKNOWN_LIMIT: Final = 3
_MAX_REPEATS: Final = 200


class Reach(Enum):
    """Whether a message is known to have reached its recipient."""

    REACHED = "reached"
    NOT_REACHED = "not reached"
    NOT_KNOWN = "not known"
    ON_ITS_WAY = "still on its way"


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
"""By the last status; a status that needs confirmation counts only after enough repeats."""


class Decision(StrEnum):
    """What a waiting task does next."""

    WAIT = "wait"
    SUCCEED = "succeed"
    FAIL = "fail"
    TIME_OUT = "time_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCriteria:
    """The conditions under which a wait ends, and is a success.

    Attributes:
        min_delivered: A float is the share of the tracked messages, 0 to 1, that must be delivered; an int is
            their number.
        accepted_is_delivered: Whether ACCEPTED counts as delivered, for networks that never report more.
        unknown_limit: How often in a row UNKNOWN (§3.2), or an unknown msg_id, must be seen to be final.

    Raises:
        ValueError: A value is out of its range.
    """

    min_delivered: float = 1.0
    accepted_is_delivered: bool = False
    unknown_limit: int = UNKNOWN_LIMIT

    def __post_init__(self) -> None:
        """Check the values."""
        least = self.min_delivered
        if least == 1 and isinstance(least, int):
            raise ValueError("min_delivered=1 may mean one message or all of them: write 1.0 for all")
        is_share = isinstance(least, float) and 0 <= least <= 1
        if isinstance(least, bool) or not (is_share or (isinstance(least, int) and least >= 0)):
            raise ValueError(
                "min_delivered must be a share, a float from 0.0 to 1.0, or a number of messages, an int"
            )
        read_flag(self.accepted_is_delivered, "accepted_is_delivered")
        read_positive_int(self.unknown_limit, "unknown_limit", maximum=_MAX_REPEATS)

    @property
    def requirement(self) -> str:
        """How many messages should be delivered, as a sentence for people."""
        if isinstance(self.min_delivered, int):
            return f"at least {self.min_delivered} should be delivered"
        return f"at least a share of {self.min_delivered:g} should be delivered"

    def judge(self, status: DeliveryStatus, *, repeats: int) -> Reach:
        """Return what *status*, seen *repeats* times in a row, means for its message."""
        if status is DeliveryStatus.ACCEPTED and self.accepted_is_delivered:
            return Reach.REACHED
        if status.needs_confirmation and repeats < self.unknown_limit:
            return Reach.ON_ITS_WAY
        return _REACH[status]

    def is_delivered(self, status: DeliveryStatus) -> bool:
        """Whether *status* counts as delivered."""
        return self.judge(status, repeats=self.unknown_limit) is Reach.REACHED

    def is_final(self, status: DeliveryStatus, *, repeats: int) -> bool:
        """Whether *status*, seen *repeats* times in a row, ends the wait for its message."""
        return self.judge(status, repeats=repeats) is not Reach.ON_ITS_WAY

    def decide(
        self, *, tracked: int, delivered: int, pending: int, now: datetime, deadline: datetime
    ) -> Decision:
        """Decide what a task that waits for *tracked* messages does next.

        It waits until all messages have a final status or until the deadline; then the delivered ones decide.

        Args:
            tracked: The number of messages with a msg_id.
            delivered: How many of them count as delivered.
            pending: How many of them have no final status.
            now: Aware.
            deadline: Aware.
        """
        if pending and now < deadline:
            return Decision.WAIT
        if delivered >= self._count_needed(tracked):
            return Decision.SUCCEED
        return Decision.TIME_OUT if pending else Decision.FAIL

    def _count_needed(self, tracked: int) -> Decimal:
        if isinstance(self.min_delivered, int):
            return Decimal(self.min_delivered)
        return Decimal(str(self.min_delivered)) * tracked
