"""The results table of a single send with a budget: one row in the folder of the budget."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import Message, Outcome, SendReceipt
from airflow_provider_osonsms.tables.files import read_table, write_table
from airflow_provider_osonsms.tables.paths import guard_storage
from airflow_provider_osonsms.tables.rows import ResultRow

log = logging.getLogger(__name__)

_ACCEPTED: Final = (Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED)


class SendTable:
    """Writes that a message may have been sent before it is, and what became of it afterwards.

    Args:
        folder: Of the budget.
        name: Of the table, in letters and digits: the same in all tries.
        message: What is sent.
        parts: Of its text, as estimated: they stand in the table where the billed ones are unknown.
        try_number: Of the task.
        history: What is known of earlier tries without the table.
        clock: Gives aware datetimes.

    Attributes:
        path: Of the table.
        receipt: Of an earlier try whose message was accepted; None where there is none.

    Raises:
        InvalidMessageError, PathUnavailableError: What an earlier try wrote cannot be read.
    """

    def __init__(
        self,
        folder: Any,
        name: str,
        message: Message,
        *,
        parts: int,
        try_number: int,
        history: TxnIdHistory,
        clock: Callable[[], datetime],
    ) -> None:
        self.path = folder / f"send-{name}.csv"
        self._message = message
        self._parts = parts
        self._try_number = try_number
        self._clock = clock
        rows = guard_storage(self._read, "the table of an earlier try in budget_path", "read")
        self.receipt = next((_read_receipt(row) for row in rows if row.outcome in _ACCEPTED), None)
        self._may_be_sent = any(row.may_have_been_sent for row in rows)
        if not rows:  # the budget may be newer than the task's first try
            self._may_be_sent = history is not TxnIdHistory.UNUSED

    def begin(self) -> None:
        """Write that the message may have been sent, before it is: the process may be killed then.

        Raises:
            InvalidMessageError, PathUnavailableError: It cannot be written; nothing was sent.
        """
        if self.receipt is None:
            guard_storage(lambda: self._write(Outcome.UNCERTAIN), "the table in budget_path", "written")

    def doubt(self, left_behind: TxnIdHistory) -> None:
        """Keep in mind what an attempt has left behind: whatever the next one shows, it may be sent."""
        self._may_be_sent |= left_behind is not TxnIdHistory.UNUSED

    def end(self, receipt: SendReceipt) -> None:
        """Write what became of the message; if that fails, it stays one that may have been sent."""
        if self.receipt is None:
            self._try_to_write(receipt.outcome, receipt)

    def withdraw(self) -> None:
        """Write that nothing was sent, unless an earlier attempt may have sent it."""
        if not self._may_be_sent:
            self._try_to_write(Outcome.PENDING)

    def _try_to_write(self, outcome: Outcome, receipt: SendReceipt | None = None) -> None:
        try:
            self._write(outcome, receipt)
        except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
            text = "The table in budget_path cannot be written (%s): the message counts as sent"
            log.warning(text, type(error).__name__)

    def _read(self) -> list[ResultRow]:
        return list(read_table(self.path, kind=ResultRow)) if self.path.exists() else []

    def _write(self, outcome: Outcome, receipt: SendReceipt | None = None) -> None:
        message = self._message
        row = ResultRow(
            row=1,
            key=message.phone,
            phone=message.phone,
            outcome=str(outcome),
            reason=None,
            txn_id=message.txn_id,
            msg_id=None if receipt is None else receipt.msg_id,
            parts=self._parts if receipt is None or receipt.parts is None else receipt.parts,
            accepted_at=self._clock().astimezone(UTC).isoformat(timespec="seconds"),
            try_=self._try_number,
        )
        write_table([row], self.path, kind=ResultRow)


@contextmanager
def record_send(table: SendTable | None) -> Iterator[Callable[[TxnIdHistory], None]]:
    """Let *table* say that the message of this block may be sent, until an error proves that it was not.

    Args:
        table: None where nothing is recorded.

    Yields:
        What takes in what each attempt has left behind of the txn_id.
    """
    if table is None:
        yield lambda _left_behind: None
        return
    table.begin()
    try:
        yield table.doubt
    except OsonSmsError as error:
        if read_proof(error).history is TxnIdHistory.UNUSED:
            table.withdraw()
        raise


def _read_receipt(row: ResultRow) -> SendReceipt:
    return SendReceipt(
        txn_id=row.txn_id or "",
        outcome=Outcome(row.outcome or ""),
        msg_id=row.msg_id,
        parts=row.parts,
        is_stored=True,
    )
