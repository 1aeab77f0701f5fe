"""What a send leaves in the folder of a budget."""

import csv
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome, SendReceipt
from airflow_provider_osonsms.spending import send_table
from airflow_provider_osonsms.spending.send_table import SendTable

MESSAGE = Message(phone="992900000001", text="Салом!", sender="SHOP", txn_id="a" * 32)


@pytest.fixture
def open_table(tmp_path: Path, clock: Any) -> Any:
    """Open the table of a try."""

    def open_table(number: int = 1, *, history: TxnIdHistory = TxnIdHistory.UNUSED) -> SendTable:
        options = {"parts": 2, "try_number": number, "history": history, "clock": clock}
        return SendTable(tmp_path, "b" * 32, MESSAGE, **options)

    return open_table


def read(path: Path) -> list[str]:
    """Return outcome, msg_id and parts of the only row."""
    (row,) = csv.DictReader(path.read_text().splitlines())
    return [row["outcome"], row["msg_id"], row["parts"]]


def test_from_begin_to_end(open_table: Any) -> None:
    """The message counts as sent from before it is sent; billed parts replace the estimated ones."""
    table = open_table()
    table.begin()
    assert read(table.path) == ["uncertain", "", "2"]

    table.end(SendReceipt(txn_id=MESSAGE.txn_id, msg_id="7", parts=3))
    assert read(table.path) == ["accepted", "7", "3"]
    assert open_table(2).receipt == SendReceipt(txn_id=MESSAGE.txn_id, msg_id="7", parts=3, is_stored=True)


def test_what_is_accepted_stays(open_table: Any) -> None:
    """A later try, which may know less, does not write over an acceptance."""
    first = open_table()
    first.begin()
    first.end(SendReceipt(txn_id=MESSAGE.txn_id, msg_id="7", parts=2))

    second = open_table(2)
    second.begin()
    second.end(SendReceipt(txn_id=MESSAGE.txn_id, outcome=Outcome.ACCEPTED_UNTRACKED))
    second.withdraw()
    assert read(second.path) == ["accepted", "7", "2"]


def test_withdrawn_only_if_no_earlier_try_may_have_sent(open_table: Any) -> None:
    """A try that surely sent nothing says so, but not for the try before it whose answer was lost."""
    first = open_table()
    first.begin()
    first.withdraw()
    assert read(first.path)[0] == "pending"

    open_table(2).begin()
    third = open_table(3)
    third.begin()
    third.withdraw()
    assert read(third.path)[0] == "uncertain"


@pytest.mark.parametrize("history", list(TxnIdHistory))
@pytest.mark.parametrize("left_behind", list(TxnIdHistory))
def test_withdrawn_only_if_no_attempt_may_have_sent(
    open_table: Any, *, history: TxnIdHistory, left_behind: TxnIdHistory
) -> None:
    """A refusal proves nothing about the attempt before it, and nothing about a try before the budget."""
    table = open_table(2, history=history)
    table.begin()
    table.doubt(left_behind)
    table.withdraw()

    is_unsent = history == left_behind == TxnIdHistory.UNUSED
    assert read(table.path)[0] == ("pending" if is_unsent else "uncertain")


def test_an_end_that_cannot_be_written(open_table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage that fails after the message was sent does not fail the task: the message counts as sent."""
    table = open_table()
    table.begin()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(send_table, "write_table", fail)
    table.end(SendReceipt(txn_id=MESSAGE.txn_id, msg_id="7", parts=3))
    assert read(table.path) == ["uncertain", "", "2"]
