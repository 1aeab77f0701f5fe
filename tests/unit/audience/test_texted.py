"""Whom results tables say to have been texted; which rows count is asserted on the ledger elsewhere."""

from datetime import UTC, datetime

import pytest

from airflow_provider_osonsms.audience.texted import TextedPhones
from airflow_provider_osonsms.tables.files import DamagedTableError, write_table
from airflow_provider_osonsms.tables.rows import RejectRow, ResultRow

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FULL = ["992900000001", "992900000003"]


def make_row(phone: str | None, *, outcome: str = "accepted", category: str = "marketing") -> ResultRow:
    """Make a row that was accepted at noon."""
    moment = NOON.isoformat() if outcome == "accepted" else None
    return ResultRow(1, "k", phone, outcome, None, "t", "7", 1, moment, 1, category)


def read(*paths, at_most: int = 2) -> list[str]:
    """Return who is full by some tables."""
    texted = TextedPhones(category="marketing", since=NOON.timestamp())
    for path in paths:
        texted.add_table(path)
    return texted.find_full(at_most=at_most).choose(["992900000001", "992900000002", "992900000003"])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_messages_of_all_tables_are_counted(tmp_path, suffix):
    """Both formats say the same: who has so many messages of the category, over all tables, is full."""
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    tables = [
        [make_row(phone) for phone in ("992900000001", "992900000002", None)],
        [make_row("992900000001"), make_row("992900000002", category="news")],
        [make_row("992900000003"), make_row("992900000003", outcome="uncertain")],
    ]
    paths = [tmp_path / f"{number}{suffix}" for number in range(3)]
    for rows, path in zip(tables, paths, strict=True):
        write_table(rows, path, kind=ResultRow)

    assert read(*paths) == FULL


def test_messages_without_a_phone_are_counted_apart(tmp_path):
    """A message to somebody who has left the audience has no phone, and is not lost in silence."""
    path = tmp_path / "table.csv"
    write_table([make_row(None), make_row("992900000001")], path, kind=ResultRow)
    texted = TextedPhones(category="marketing", since=0.0)
    texted.add_table(path)

    assert texted.nameless == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_another_table_is_none(tmp_path, suffix):
    """A table of another kind, or a file that is none, is refused."""
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"table{suffix}"
    write_table([RejectRow(1, "992•••••001", "empty", None)], path, kind=RejectRow)
    with pytest.raises(DamagedTableError):
        read(path)

    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DamagedTableError):
        read(path)
