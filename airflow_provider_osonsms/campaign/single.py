"""One message of a task, exactly once."""

import logging
from typing import Any

from airflow_provider_osonsms.campaign.journal import Journal, note_result
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, TemporaryRefusalError
from airflow_provider_osonsms.protocol.models import Message, Outcome, Past, SendReceipt

log = logging.getLogger(__name__)


def send_with_journal(
    client: OsonSmsClient, message: Message, *, journal: Journal, past: Past
) -> SendReceipt:
    """Send *message*, or return the receipt that an earlier try has noted.

    Args:
        client: Sends it.
        message: What to send; its txn_id is the same in every try.
        journal: Holds this task's earlier tries under the txn_id.
        past: What is known of earlier tries without the journal.

    Raises:
        OsonSmsError: See `flows.send_once`. The journal knows of the attempt, so a later try may go on.
    """
    key = f"osonsms_send_{message.txn_id}"
    record = journal.get(key)
    if (receipt := _read_receipt(record, message.txn_id)) is not None:
        log.info("Message %s was sent by an earlier try: nothing is sent again", message.txn_id)
        return receipt
    if record is None:
        journal.set(key, {"past": Past.ATTEMPTED})
    try:
        receipt = client.send(message, past=_read_past(record, past))
    except TemporaryRefusalError:
        note_result(journal, key, {"past": Past.REFUSED_FOR_NOW})
        raise
    except OutcomeUnknownError as error:
        raise OutcomeUnknownError(
            f"{error}. The message may have been accepted: a retry or a Clear asks again under the same "
            f"txn_id and cannot text anybody twice"
        ) from None
    note_result(journal, key, {"outcome": receipt.outcome, "msg_id": receipt.msg_id, "parts": receipt.parts})
    return receipt


def _read_past(record: Any, past: Past) -> Past:
    if record is None:
        return past
    is_refused = isinstance(record, dict) and record.get("past") == Past.REFUSED_FOR_NOW
    return Past.REFUSED_FOR_NOW if is_refused else Past.ATTEMPTED


def _read_receipt(record: Any, txn_id: str) -> SendReceipt | None:
    if not isinstance(record, dict) or record.get("outcome") not in tuple(Outcome):
        return None
    return SendReceipt(
        txn_id=txn_id,
        outcome=Outcome(record["outcome"]),
        msg_id=record.get("msg_id"),
        parts=record.get("parts"),
    )
