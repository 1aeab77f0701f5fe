"""The folder of a budget: which files are read, and what a storage may answer."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_osonsms.preflight.budget import Spent
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.spending.folder import (
    NO_RECORDS,
    OwnRecords,
    SpendingUnknownError,
    count_spent,
    read_spent,
    require_inside,
)
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.tables.paths import name_file
from airflow_provider_osonsms.tables.rows import ResultRow, SpentRow

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
LATER = SINCE + timedelta(days=3)


def write(path: Path, *, parts: int | None = 2, moment: datetime = LATER) -> None:
    """Write a table with one accepted message."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row = ResultRow(1, "a", "992900000001", "accepted", None, "t", "1", parts, moment.isoformat(), 1)
    write_table([row], path, kind=ResultRow)


class Storage:
    """A folder whose files say nothing of their time, as in some object storages; or fail."""

    def __init__(self, path: Path, *, error: Exception | None = None) -> None:
        self._path = path
        self._error = error
        self.name, self.suffix = path.name, path.suffix

    def __str__(self) -> str:
        return str(self._path)

    @property
    def parent(self) -> "Storage":
        """The folder above."""
        return Storage(self._path.parent)

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self._path.is_dir()

    def iterdir(self) -> list["Storage"]:
        """List the folder."""
        return [Storage(path, error=self._error) for path in self._path.iterdir()]

    def stat(self) -> Any:
        """Tell nothing."""
        return SimpleNamespace(st_mtime=0)

    def open(self, mode: str) -> Any:
        """Open the file."""
        if self._error is not None:
            raise self._error
        return self._path.open(mode)


def test_folders_in_the_folder(tmp_path: Path) -> None:
    """Tables are read at any depth, each once, also where a link leads round."""
    write(tmp_path / "a.csv")
    write(tmp_path / "2026" / "11" / "b.csv")
    (tmp_path / "2026" / "round").symlink_to(tmp_path / "2026")

    assert read_spent(tmp_path, since=SINCE, own=NO_RECORDS) == Spent(parts=4)


def test_old_tables_are_not_opened(tmp_path: Path) -> None:
    """A table that was written last before the day before the period cannot tell of a message in it."""
    for name, days in (("old.csv", 2), ("edge.csv", 0.9)):
        (tmp_path / name).write_text("no table")
        moment = (SINCE - timedelta(days=days)).timestamp()
        os.utime(tmp_path / name, (moment, moment))

    with pytest.raises(InvalidMessageError, match=r"'edge\.csv' cannot be read"):
        read_spent(tmp_path, since=SINCE, own=NO_RECORDS)
    (tmp_path / "edge.csv").unlink()
    assert read_spent(tmp_path, since=SINCE, own=NO_RECORDS) == Spent()


def test_a_storage_without_times(tmp_path: Path) -> None:
    """Where a storage does not say when a table was written, it is read."""
    write(tmp_path / "a.csv")

    assert read_spent(Storage(tmp_path), since=SINCE, own=NO_RECORDS) == Spent(parts=2)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionError("https://key@storage"), SpendingUnknownError),
        (FileNotFoundError("gone"), SpendingUnknownError),
        (PermissionError("https://key@storage"), InvalidMessageError),
    ],
)
def test_a_storage_that_fails(tmp_path: Path, error: Exception, kind: type[Exception]) -> None:
    """A storage that fails for now makes a retry, and one that refuses does not; neither shows its URL."""
    write(tmp_path / "a.csv")

    with pytest.raises(kind, match=r"'a\.csv' cannot be read") as caught:
        read_spent(Storage(tmp_path, error=error), since=SINCE, own=NO_RECORDS)
    assert "key@" not in str(caught.value)


def test_own_files_are_left_out(tmp_path: Path) -> None:
    """The task knows its own files better: their rows are asked of it."""
    write(tmp_path / "own.csv", parts=7)
    write(tmp_path / "own.csv.parts" / "c-w-started.csv")
    write(tmp_path / "other.csv", parts=1)
    names = frozenset(name_file(tmp_path / name) for name in ("own.csv", "own.csv.parts"))
    rows = [SpentRow("accepted", None, 3, LATER.isoformat()), SpentRow("uncertain", None, None, None)]

    spent = read_spent(tmp_path, since=SINCE, own=OwnRecords(names, lambda: rows, 4))

    assert spent == Spent(parts=1 + 3 + 4, uncertain=1)


def test_unknown_parts_are_those_of_the_longest() -> None:
    """A message of unknown parts counts as the longest of its table, also if that was sent long ago."""
    rows = [
        SpentRow("accepted", None, 3, (SINCE - timedelta(days=9)).isoformat()),
        SpentRow("accepted", None, 1, LATER.isoformat()),
        SpentRow("uncertain", "no_answer", None, None),
        SpentRow("pending", "not_attempted", None, None),
    ]

    assert count_spent(rows, since=SINCE.timestamp()) == Spent(parts=4, uncertain=1)
    assert count_spent(rows[2:], since=SINCE.timestamp()) == Spent(parts=10, uncertain=1)


@pytest.mark.parametrize(
    ("path", "is_inside"),
    [
        ("{folder}/a.csv", True),
        ("{folder}/2026/a.csv", True),
        ("{folder}", True),
        ("file://{folder}/a.csv", True),
        ("{folder}-b/a.csv", False),
        ("{folder}/../a.csv", False),
        ("s3://bucket/a.csv", False),
        (None, False),
    ],
)
def test_inside(tmp_path: Path, path: str | None, *, is_inside: bool) -> None:
    """A path lies in the folder, or what is spent would be forgotten."""
    given = None if path is None else path.replace("{folder}", str(tmp_path))

    if is_inside:
        require_inside(given, tmp_path, argument="results_path")
        return
    with pytest.raises(InvalidMessageError, match="a budget needs results_path in the folder budget_path"):
        require_inside(given, tmp_path, argument="results_path")
