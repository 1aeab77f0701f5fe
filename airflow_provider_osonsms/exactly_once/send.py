"""One message of a task, exactly once."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.store import (
    NullStateStore,
    StateStore,
    note_used_key,
    read_history,
    refuse_other_keys,
    save_result,
)
from airflow_provider_osonsms.protocol.errors import OsonSmsError, OutcomeUnknownError
from airflow_provider_osonsms.protocol.flows import PATIENCE
from airflow_provider_osonsms.protocol.history import TxnIdHistory, is_collision
from airflow_provider_osonsms.protocol.models import Message, Outcome, SendReceipt

log = logging.getLogger(__name__)


class HistoryNotStoredError(OsonSmsError):
    """What a later try would have to know of this one could not be stored: a person has to look."""


def send_exactly_once(
    client: OsonSmsClient,
    message: Message,
    *,
    store: StateStore,
    history: TxnIdHistory,
    on_history: Callable[[TxnIdHistory], None] = lambda _history: None,
    patience: float = PATIENCE,
) -> SendReceipt:
    """Send *message*, or return the receipt that an earlier try has stored.

    The store holds ``{"past": ..., "by": ...}``, a `TxnIdHistory` and who has written it, under the txn_id
    until there is a receipt. While an attempt is under way it says "maybe accepted", because the task may be
    killed then; afterwards what the attempt has left.

    Args:
        client: Sends it.
        message: What to send; its txn_id is the same in every try.
        store: Holds what earlier tries of this task have stored under the txn_id.
        history: What is known of earlier tries without the store.
        on_history: Told what this try's attempts have left behind of the txn_id.
        patience: Seconds to wait in all where the gateway asks to slow down.

    Raises:
        HistoryNotStoredError: A later try would take the gateway's next answer for something else.
        OsonSmsError: See `flows.send_once`. A later try may go on.
    """
    store_key = _name_record(message.txn_id)
    record = store.get(store_key)
    if (receipt := _read_receipt(record, message.txn_id)) is not None:
        log.info(
            "An earlier try ended as %s under txn_id %s: nothing is sent again",
            receipt.outcome,
            receipt.txn_id,
        )
        return receipt
    before = history if record is None else _read_record(record)
    if isinstance(store, NullStateStore) and before is TxnIdHistory.MAYBE_ACCEPTED:
        log.info("Nothing is remembered of earlier tries: if the gateway knows the txn_id, one was accepted")
    notes = _Notes(store, store_key, before=before, record=record)
    notes.begin()

    def keep(left_behind: TxnIdHistory) -> None:
        on_history(left_behind)
        notes.keep(left_behind)

    try:
        receipt = client.send(message, history=before, on_history=keep, patience=patience)
    except OsonSmsError as error:
        newer = notes.find_receipt(message.txn_id)
        if newer is None:
            if is_collision(error) and notes.has_rival():
                error = OutcomeUnknownError(
                    f"{error}, and another try of this task has begun: one of the two was taken for dead"
                )
            notes.end(error)
            if isinstance(error, OutcomeUnknownError):
                raise OutcomeUnknownError(
                    f"{error}. The message may have been accepted: a retry or a Clear asks again under the "
                    f"same txn_id and cannot text anybody twice"
                ) from None
            raise
        receipt = newer
    else:
        if receipt.msg_id is None:
            receipt = notes.find_receipt(message.txn_id) or receipt
    save_result(
        store, store_key, {"outcome": str(receipt.outcome), "msg_id": receipt.msg_id, "parts": receipt.parts}
    )
    return receipt


def read_memory(
    store: StateStore, txn_id: str, *, history: TxnIdHistory
) -> tuple[SendReceipt | None, TxnIdHistory]:
    """Return the receipt that an earlier try has stored, if there is one, and what is known of the txn_id.

    Args:
        store: Of the task.
        txn_id: Of the message.
        history: What is known of earlier tries without the store.
    """
    record = store.get(_name_record(txn_id))
    return _read_receipt(record, txn_id), history if record is None else _read_record(record)


def has_begun(store: StateStore, txn_id: str) -> bool:
    """Whether this task has a receipt for *txn_id*, or may have used it."""
    receipt, history = read_memory(store, txn_id, history=TxnIdHistory.UNUSED)
    return receipt is not None or history is not TxnIdHistory.UNUSED


def refuse_other_txn_ids(store: StateStore, txn_id: str, *, identity: str) -> None:
    """Return when this task has not sent its message under another txn_id, and note this one.

    Args:
        store: Of the task.
        txn_id: Of the message.
        identity: Names the message, whatever the key_namespace is.

    Raises:
        KeysChangedError: It has, or may have, so the same person would be texted a second time.
    """
    index = f"osonsms_sends_{identity}"
    store_key = _name_record(txn_id)

    def find_sent(other: str) -> str | None:
        record = store.get(other)
        if record is None or _read_record(record) is TxnIdHistory.UNUSED:
            return None
        return "sent its message in this run, or may have, under another key_namespace, category or once_per"

    refuse_other_keys(store, index, store_key, find_sent=find_sent)
    note_used_key(store, index, store_key)


def _name_record(txn_id: str) -> str:
    return f"osonsms_send_{txn_id}"


class _Notes:
    """What the store says of the txn_id while it is used.

    A store that fails in the middle does not end the sending: what it should hold is known here, and is
    written again at the end. What another try has written meanwhile stays: one of the two was taken for dead.
    """

    def __init__(self, store: StateStore, store_key: str, *, before: TxnIdHistory, record: Any) -> None:
        self._store = store
        self._store_key = store_key
        self._before = before
        self._record = record
        self._stored = before
        self._left_behind = TxnIdHistory.UNUSED
        self._own = uuid.uuid4().hex[:8]
        self._has_rival = False

    def begin(self) -> None:
        """Write that an attempt is under way; raises when it cannot be written, and nothing is sent then."""
        self._write(max(self._before, TxnIdHistory.MAYBE_ACCEPTED))

    def find_receipt(self, txn_id: str) -> SendReceipt | None:
        """Return the receipt that another try has stored meanwhile, if there is one.

        Without it, the 108 of a message that was sent would read as somebody else's, and its receipt be lost.
        If that try has explained a 108 by a lost answer and this one has met a refusal that may have used up
        the txn_id, nobody can tell.
        """
        try:
            receipt = _read_receipt(self._store.get(self._store_key), txn_id)
        except Exception as error:  # noqa: BLE001 - the store's own errors
            log.warning("Whether another try has a receipt is not known (%s)", type(error).__name__)
            return None
        is_consumed = max(self._before, self._left_behind) is TxnIdHistory.MAYBE_CONSUMED
        if receipt is not None and receipt.msg_id is None and is_consumed:
            return replace(receipt, outcome=Outcome.UNCERTAIN)
        return receipt

    def has_rival(self) -> bool:
        """Whether another try has begun meanwhile, and may have sent the message; unknown counts as yes."""
        try:
            self._learn_of(self._store.get(self._store_key))
        except Exception as error:  # noqa: BLE001 - the store's own errors
            log.warning("Whether another try has begun is not known (%s)", type(error).__name__)
            return True
        return self._has_rival

    def keep(self, left_behind: TxnIdHistory) -> None:
        """Write what the attempts so far have left behind, before the next one."""
        self._left_behind = left_behind
        try:
            self._add(max(self._before, left_behind))
        except Exception as error:  # noqa: BLE001 - the store's own errors
            log.warning("What an attempt has left behind is not stored for now (%s)", type(error).__name__)

    def end(self, error: OsonSmsError) -> None:
        """Write what all attempts have left behind.

        Raises:
            HistoryNotStoredError: It cannot be written, and a later try would guess.
        """
        history = max(self._before, self._left_behind)
        if self._stored is history:
            return
        try:
            self._add(history)
        except Exception as failure:  # noqa: BLE001 - the store's own errors
            if history < self._stored:  # a doubt too many: a later try asks under the same txn_id
                log.warning("That nothing was sent is not stored (%s)", type(failure).__name__)
                return
            raise HistoryNotStoredError(
                f"{error}. The message may have been accepted or may have used up its txn_id, and that could "
                f"not be stored ({type(failure).__name__}). Look for it in the cabinet. If it is there, mark "
                f"this task as success. If it is not there, clear this task: it asks again under the same "
                f"txn_id, and cannot text anybody twice"
            ) from None

    def _add(self, history: TxnIdHistory) -> None:
        """Write *history*, or more where another try has written meanwhile; a receipt stays."""
        record = self._store.get(self._store_key)
        if isinstance(record, dict) and "outcome" in record:
            return
        self._learn_of(record)
        self._write(max(history, self._before))

    def _learn_of(self, record: Any) -> None:
        """Take in what another try has written over the *record* of this one."""
        if record is not None and record != self._record:
            self._before = max(self._before, _read_record(record))
            self._has_rival = True

    def _write(self, history: TxnIdHistory) -> None:
        record = {"past": int(history), "by": self._own}
        self._store.set(self._store_key, record)
        self._stored, self._record = history, record


def _read_record(record: Any) -> TxnIdHistory:
    return read_history(record.get("past") if isinstance(record, dict) else None)


def _read_receipt(record: Any, txn_id: str) -> SendReceipt | None:
    if not isinstance(record, dict) or record.get("outcome") not in tuple(Outcome):
        return None
    return SendReceipt(
        txn_id=txn_id,
        outcome=Outcome(record["outcome"]),
        msg_id=record.get("msg_id"),
        parts=record.get("parts"),
        is_stored=True,
    )
