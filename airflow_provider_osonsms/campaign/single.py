"""One message of a task, exactly once."""

import logging
from typing import Any

from airflow_provider_osonsms.campaign.journal import Journal, NoJournal, note_result
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.protocol.errors import OsonSmsError, OutcomeUnknownError
from airflow_provider_osonsms.protocol.models import Message, Outcome, Past, SendReceipt

log = logging.getLogger(__name__)


def send_with_journal(
    client: OsonSmsClient, message: Message, *, journal: Journal, past: Past
) -> SendReceipt:
    """Send *message*, or return the receipt that an earlier try has noted.

    The journal holds ``{"past": ...}`` under the txn_id until there is a receipt. It says "attempted" while
    an attempt is under way, because the task may be killed then, and what the attempt has proven afterwards.

    Args:
        client: Sends it.
        message: What to send; its txn_id is the same in every try.
        journal: Holds this task's earlier tries under the txn_id.
        past: What is known of earlier tries without the journal.

    Raises:
        OsonSmsError: See `flows.send_once`. A later try may go on.
    """
    key = f"osonsms_send_{message.txn_id}"
    record = journal.get(key)
    if (receipt := _read_receipt(record, message.txn_id)) is not None:
        log.info(
            "An earlier try ended as %s under txn_id %s: nothing is sent again",
            receipt.outcome,
            receipt.txn_id,
        )
        return receipt
    before = past if record is None else _read_past(record)
    if isinstance(journal, NoJournal) and before is Past.ATTEMPTED:
        log.info("Nothing is remembered of earlier tries: if the gateway knows the txn_id, one was accepted")
    doubts: list[Past] = []
    journal.set(key, {"past": int(max(before, Past.ATTEMPTED))})

    def note_doubt(doubt: Past) -> None:
        doubts.append(doubt)
        journal.set(key, {"past": int(max(before, doubt))})

    try:
        receipt = client.send(message, past=before, on_doubt=note_doubt)
    except OutcomeUnknownError as error:
        raise OutcomeUnknownError(
            f"{error}. The message may have been accepted: a retry or a Clear asks again under the same "
            f"txn_id and cannot text anybody twice"
        ) from None
    except OsonSmsError:
        if not doubts:
            journal.set(key, {"past": int(before)})
        raise
    note_result(
        journal, key, {"outcome": str(receipt.outcome), "msg_id": receipt.msg_id, "parts": receipt.parts}
    )
    return receipt


def _read_past(record: Any) -> Past:
    """Read what an earlier try has noted; anything strange says at least that there was an attempt."""
    noted = record.get("past") if isinstance(record, dict) else None
    return Past(noted) if noted in tuple(Past) else Past.ATTEMPTED


def _read_receipt(record: Any, txn_id: str) -> SendReceipt | None:
    if not isinstance(record, dict) or record.get("outcome") not in tuple(Outcome):
        return None
    return SendReceipt(
        txn_id=txn_id,
        outcome=Outcome(record["outcome"]),
        msg_id=record.get("msg_id"),
        parts=record.get("parts"),
    )
