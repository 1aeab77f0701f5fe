"""The conversation of an alert: each phone once, whatever becomes of the others, and within seconds.

Reference:
    docs/alerts.md "What goes wrong".
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Final

from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.protocol.errors import OsonSmsError, PhoneNotAllowedError
from airflow_provider_osonsms.protocol.flows import send_once
from airflow_provider_osonsms.protocol.history import TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import Account, Flow, Message, Outcome, SendReceipt

log = logging.getLogger(__name__)

MAX_TIMEOUT: Final = 3.0
"""Seconds for connecting: a callback of a DAG holds up Airflow's DAG processor, which kills it after 50."""
ATTEMPTS: Final = 2
MAX_SECONDS: Final = 15.0
"""After so many seconds no other phone is begun; a pause that the gateway asks for has to end before."""


def limit_patience(account: Account) -> Account:
    """Return *account* with a timeout of seconds, however patient its tasks are."""
    return replace(account, timeout=min(account.timeout, MAX_TIMEOUT))


class AlertEnd(StrEnum):
    """What became of an alert to a phone."""

    SENT = "sent"
    DEDUPLICATED = "deduplicated"
    UNCERTAIN = "uncertain"
    NOT_SENT = "not_sent"


def send_alert(
    messages: Iterable[Message], account: Account, *, clock: Callable[[], float]
) -> Flow[Counter[AlertEnd]]:
    """Send *messages*; what becomes of each stands in the log, and no error leaves.

    Args:
        messages: One for each phone.
        account: Who sends.
        clock: Seconds that only grow.

    Returns:
        How many messages have come to each end.

    Reference:
        OsonSMS protocol 1.5, §2.
    """
    ends: Counter[AlertEnd] = Counter()
    end = clock() + MAX_SECONDS
    for message in messages:
        phone = mask_phone(message.phone)
        if clock() >= end:
            log.error("No alert to %s: the gateway answers too slowly, and the callback ends here", phone)
            ends[AlertEnd.NOT_SENT] += 1
            continue
        try:
            # Any 108 is an alert of this window that was accepted, from another worker or from this callback.
            receipt = yield from send_once(
                message,
                account,
                attempts=ATTEMPTS,
                history=TxnIdHistory.MAYBE_ACCEPTED,
                patience=end - clock(),
            )
        except PhoneNotAllowedError as error:
            log.info("No alert to %s: %s", phone, error)
            ends[AlertEnd.NOT_SENT] += 1
        except OsonSmsError as error:
            is_unsent = read_proof(error).history is TxnIdHistory.UNUSED
            what = "was not sent" if is_unsent else "may have been sent"
            log.error("The alert to %s %s: %s", phone, what, error)  # noqa: TRY400
            ends[AlertEnd.NOT_SENT if is_unsent else AlertEnd.UNCERTAIN] += 1
        else:
            _log_receipt(receipt, phone)
            ends[_ENDS.get(receipt.outcome, AlertEnd.DEDUPLICATED)] += 1
    return ends


_ENDS: Final = {Outcome.ACCEPTED: AlertEnd.SENT, Outcome.UNCERTAIN: AlertEnd.UNCERTAIN}


def _log_receipt(receipt: SendReceipt, phone: str) -> None:
    if receipt.outcome is Outcome.ACCEPTED:
        log.info("The alert to %s was sent: msg_id %s, %s parts", phone, receipt.msg_id, receipt.parts)
    elif receipt.outcome is Outcome.UNCERTAIN:
        log.warning(
            "It is not known whether the alert to %s was sent: the gateway reported an error, and then knew "
            "its txn_id %s. Look for it in the cabinet",
            phone,
            receipt.txn_id,
        )
    else:
        log.info(
            "The alert to %s is throttled: the gateway has one of this window already (txn_id %s)",
            phone,
            receipt.txn_id,
        )
