"""What becomes of an accepted message as time goes by.

A message is ENROUTE, then ACCEPTED, then final. The last two digits of the phone choose the final status.

Reference:
    OsonSMS protocol 1.5, §3.2; wire-notes 7.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from airflow_provider_osonsms.protocol.vocabulary import STATUS_BY_CODE, DeliveryStatus
from airflow_provider_osonsms.simulator.ledger import AcceptedMessage

FINAL_STATUS_BY_ENDING: Final = {
    "91": DeliveryStatus.EXPIRED,
    "92": DeliveryStatus.DELETED,
    "93": DeliveryStatus.UNDELIVERABLE,
    "94": DeliveryStatus.REJECTED,
    "95": DeliveryStatus.UNKNOWN,
    "96": DeliveryStatus.ACCEPTED,
}
"""Magic phones, by their last two digits; 96 stays ACCEPTED for ever, every other phone gets its message."""

CODE_BY_STATUS: Final = {status: code for code, status in STATUS_BY_CODE.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPace:
    """How long a message stays in each of its first two statuses, in seconds."""

    enroute_seconds: float = 0.5
    accepted_seconds: float = 0.5

    def history(self, message: AcceptedMessage) -> tuple[tuple[DeliveryStatus, datetime], ...]:
        """Return every status of *message*, past and to come, with the moment it begins."""
        sent_at = message.accepted_at + timedelta(seconds=self.enroute_seconds)
        final_at = sent_at + timedelta(seconds=self.accepted_seconds)
        final = FINAL_STATUS_BY_ENDING.get(message.phone[-2:], DeliveryStatus.DELIVERED)
        begun = ((DeliveryStatus.ENROUTE, message.accepted_at), (DeliveryStatus.ACCEPTED, sent_at))
        return begun if final is DeliveryStatus.ACCEPTED else (*begun, (final, final_at))

    def status_at(self, message: AcceptedMessage, moment: datetime) -> DeliveryStatus:
        """Return the status of *message* at *moment*."""
        reached = [status for status, since in self.history(message) if since <= moment]
        return reached[-1] if reached else DeliveryStatus.ENROUTE
