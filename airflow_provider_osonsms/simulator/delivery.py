"""The delivery of an accepted message: its statuses over time.

A message is ENROUTE, then ACCEPTED, then final. The last two digits of the phone decide the final status.

Reference:
    OsonSMS protocol 1.5, §3.2; docs/wire-notes.md "Statuses".
"""

from datetime import datetime, timedelta
from typing import Final

from airflow_provider_osonsms.protocol.vocabulary import STATUS_BY_CODE, DeliveryStatus
from airflow_provider_osonsms.simulator.behavior import Behavior
from airflow_provider_osonsms.simulator.ledger.records import AcceptedMessage

FINAL_STATUS_BY_ENDING: Final = {
    "91": DeliveryStatus.EXPIRED,
    "92": DeliveryStatus.DELETED,
    "93": DeliveryStatus.UNDELIVERABLE,
    "94": DeliveryStatus.REJECTED,
    "95": DeliveryStatus.UNKNOWN,
    "96": DeliveryStatus.ACCEPTED,
}
"""Magic phones, by their last two digits; 96 stays ACCEPTED for ever, a message to any other phone is
delivered."""

CODE_BY_STATUS: Final = {status: code for code, status in STATUS_BY_CODE.items()}
_SLOW_ENDING: Final = "97"

History = tuple[tuple[DeliveryStatus, datetime], ...]
"""Statuses, each with the time at which it began."""


def plan_statuses(message: AcceptedMessage, behavior: Behavior) -> History:
    """Return every status of *message*, past and future, with the time at which it begins."""
    ending = message.phone[-2:]
    sent_at = message.accepted_at + timedelta(seconds=behavior.enroute_seconds)
    final_at = sent_at + timedelta(
        seconds=behavior.accepted_seconds + (behavior.slow_seconds if ending == _SLOW_ENDING else 0)
    )
    final = FINAL_STATUS_BY_ENDING.get(ending, DeliveryStatus.DELIVERED)
    begun = ((DeliveryStatus.ENROUTE, message.accepted_at), (DeliveryStatus.ACCEPTED, sent_at))
    return begun if final is DeliveryStatus.ACCEPTED else (*begun, (final, final_at))


def history(message: AcceptedMessage, behavior: Behavior, *, until: datetime) -> History:
    """Return the statuses that *message* has had *until* a time, the latest last."""
    reached = tuple((status, since) for status, since in plan_statuses(message, behavior) if since <= until)
    return reached or ((DeliveryStatus.ENROUTE, message.accepted_at),)
