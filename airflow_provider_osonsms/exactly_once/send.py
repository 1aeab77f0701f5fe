"""One message of a task, exactly once."""

import logging
from typing import Any

from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.store import NullStateStore, StateStore, save_result
from airflow_provider_osonsms.protocol.errors import OsonSmsError, OutcomeUnknownError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome, SendReceipt

log = logging.getLogger(__name__)


def send_exactly_once(
    client: OsonSmsClient, message: Message, *, store: StateStore, history: TxnIdHistory
) -> SendReceipt:
    """Send *message*, or return the receipt that an earlier try has stored.

    The store holds ``{"past": ...}``, a `TxnIdHistory`, under the txn_id until there is a receipt. While an
    attempt is under way it says "maybe accepted", because the task may be killed then; afterwards what the
    attempt has left.

    Args:
        client: Sends it.
        message: What to send; its txn_id is the same in every try.
        store: Holds what earlier tries of this task have stored under the txn_id.
        history: What is known of earlier tries without the store.

    Raises:
        OsonSmsError: See `flows.send_once`. A later try may go on.
    """
    store_key = f"osonsms_send_{message.txn_id}"
    record = store.get(store_key)
    if (receipt := _read_receipt(record, message.txn_id)) is not None:
        log.info(
            "An earlier try ended as %s under txn_id %s: nothing is sent again",
            receipt.outcome,
            receipt.txn_id,
        )
        return receipt
    before = history if record is None else _read_history(record)
    if isinstance(store, NullStateStore) and before is TxnIdHistory.MAYBE_ACCEPTED:
        log.info("Nothing is remembered of earlier tries: if the gateway knows the txn_id, one was accepted")
    left_behind = TxnIdHistory.UNUSED

    def save_history(history: TxnIdHistory) -> None:
        nonlocal left_behind
        left_behind = history
        store.set(store_key, {"past": int(max(before, history))})

    store.set(store_key, {"past": int(max(before, TxnIdHistory.MAYBE_ACCEPTED))})
    try:
        receipt = client.send(message, history=before, on_history=save_history)
    except OutcomeUnknownError as error:
        raise OutcomeUnknownError(
            f"{error}. The message may have been accepted: a retry or a Clear asks again under the same "
            f"txn_id and cannot text anybody twice"
        ) from None
    except OsonSmsError:
        if left_behind is TxnIdHistory.UNUSED:
            store.set(store_key, {"past": int(before)})
        raise
    save_result(
        store, store_key, {"outcome": str(receipt.outcome), "msg_id": receipt.msg_id, "parts": receipt.parts}
    )
    return receipt


def _read_history(record: Any) -> TxnIdHistory:
    """Read what an earlier try has stored; anything strange says at least that there was an attempt."""
    stored = record.get("past") if isinstance(record, dict) else None
    return TxnIdHistory(stored) if stored in tuple(TxnIdHistory) else TxnIdHistory.MAYBE_ACCEPTED


def _read_receipt(record: Any, txn_id: str) -> SendReceipt | None:
    if not isinstance(record, dict) or record.get("outcome") not in tuple(Outcome):
        return None
    return SendReceipt(
        txn_id=txn_id,
        outcome=Outcome(record["outcome"]),
        msg_id=record.get("msg_id"),
        parts=record.get("parts"),
    )
