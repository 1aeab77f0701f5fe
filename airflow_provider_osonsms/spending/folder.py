"""The folder of a budget (`budget_path`): what its tables, part files and receipts say was spent in a period.

It holds such tables and nothing else: what cannot be understood could be spending, so it stops the task. The
other tables that this package writes cost nothing, and are passed by; so are pages, and drafts with a dot.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from airflow_provider_osonsms.bulk.receipts import JobState
from airflow_provider_osonsms.campaign.acceptance import print_moment, read_acceptance
from airflow_provider_osonsms.campaign.result_parts import is_part, is_people, is_started
from airflow_provider_osonsms.preflight.budget import Spent
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.files import DamagedTableError, read_columns, read_table
from airflow_provider_osonsms.tables.paths import is_final_storage_error, name_file
from airflow_provider_osonsms.tables.rows import (
    PartRow,
    ReceiptRow,
    ResultRow,
    SpentRow,
    find_kind,
    may_have_been_sent,
    read_seconds,
)

T = TypeVar("T")

UNKNOWN_PARTS: Final = 10
"""What a message of unknown parts is taken to cost where its table knows the parts of no other."""
_MARGIN: Final = timedelta(days=1)
"""By so much the clock of a storage may differ from ours."""
_TABLES: Final = (".csv", ".parquet")
_PAGES: Final = (".html",)
_PASSING: Final = (".probe",)
"""Files that check for a moment whether a place can be written."""


class UnreadableSpendingError(InvalidMessageError):
    """A file in the folder of the budget cannot be understood; this try sent nothing."""


class SpendingUnknownError(OsonSmsError):
    """What was spent is not known for now; this try sent nothing, and a later one may."""


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """What the folder holds of the running task itself, which knows it better.

    Attributes:
        names: Of its files and folders, as `name_file` spells them: they are not read.
        read_rows: Reads what its earlier tries have sent, in place of them.
        parts: What a message of it costs at most, as estimated.
    """

    names: frozenset[str] = frozenset()
    read_rows: Callable[[], Iterable[SpentRow | ResultRow]] = tuple
    parts: int = UNKNOWN_PARTS


NO_RECORDS: Final = OwnRecords()


def read_spent(folder: Any, *, since: datetime, own: OwnRecords) -> Spent:
    """Return what was spent from *since* on, by all tasks that leave their tables in *folder*, or below it.

    Args:
        folder: A local path, or Airflow's ObjectStoragePath.
        since: Aware.
        own: Of the running task.

    Raises:
        InvalidMessageError: There is no such folder, or something in it cannot be understood.
        SpendingUnknownError: Another task sends, or has not ended; or the storage fails for now.
    """
    files = _list_files(folder, own)
    spent = count_spent(own.read_rows(), since=since.timestamp(), most=own.parts)
    parts = [file for file in files.values() if is_part(file.path) and not is_people(file.path)]
    for file in files.values():
        if file.may_count(since) and not is_part(file.path):
            spent += _use(file.path, partial(_read_file, file.path, since.timestamp()))
    spent += _read_parts([file.path for file in parts if file.may_count(since)], since.timestamp())
    if _list_times(_list_files(folder, own)) != _list_times(files):
        raise SpendingUnknownError(
            "another task has written to budget_path while it was read: this try sent nothing, and the next "
            "one reads it again. Let the tasks of one budget run one after the other, with pool='osonsms'"
        )
    return spent


def count_spent(rows: Iterable[SpentRow | ResultRow], *, since: float, most: int = 0) -> Spent:
    """Return what the messages of *rows* have cost from *since* on.

    A message whose time is unknown counts, and one whose parts are unknown counts with as many as the longest
    other one.

    Args:
        rows: Of one campaign.
        since: Seconds since the epoch.
        most: Parts of the longest message, as far as it is known beforehand.
    """
    parts = uncertain = unknown = 0
    for row in rows:
        if not may_have_been_sent(row.outcome, row.reason):
            continue
        billed = max(row.parts or 0, 0)
        most = max(most, billed)
        seconds = read_seconds(row.accepted_at)
        if seconds is None or seconds >= since:
            parts += billed
            unknown += not billed
            uncertain += seconds is None or not billed
    return Spent(parts=parts + unknown * (most or UNKNOWN_PARTS), uncertain=uncertain)


def require_inside(path: Any, folder: Any, *, argument: str) -> None:
    """Check that what the task itself spends is read from *folder* later.

    Args:
        path: Of its table, or of its receipts; None where none is set.
        folder: Of the budget.
        argument: The operator's parameter for *path*.

    Raises:
        InvalidMessageError: It would be forgotten.
    """
    inside = f"{name_file(folder).rstrip('/')}/"
    name = "" if path is None else f"{name_file(path)}/"
    if not name.startswith(inside) or "/." in name.removeprefix(inside.rstrip("/")):
        raise InvalidMessageError(
            f"a budget needs {argument} in the folder budget_path, and no name with a dot in front: what "
            f"this task spends would be forgotten. This try sent nothing"
        )


class _File(NamedTuple):
    path: Any
    written: float | None
    """Seconds since the epoch; None where the storage does not say so."""

    def may_count(self, since: datetime) -> bool:
        """Whether it was written after *since*, so that it may tell of a message after it."""
        return self.written is None or self.written >= (since - _MARGIN).timestamp()


def _list_files(folder: Any, own: OwnRecords) -> dict[str, _File]:
    if not _use(folder, folder.is_dir):
        raise InvalidMessageError(
            "budget_path is no folder that exists: this try sent nothing. Make it once (in an object storage "
            "by an empty file .keep in it); a disk that is missing must not read as nothing spent"
        )
    return dict(_use(folder, lambda: list(_walk(folder, own, set()))))


def _list_times(files: dict[str, _File]) -> dict[str, float | None]:
    return {name: file.written for name, file in files.items()}


def _walk(folder: Any, own: OwnRecords, seen: set[str]) -> Iterator[tuple[str, _File]]:
    for path in sorted(folder.iterdir(), key=str):
        name = name_file(path)
        is_other = path.name.startswith(".") or path.suffix in (*_PAGES, *_PASSING)
        if is_other or name in own.names or name in seen:
            continue
        seen.add(name)
        if path.is_dir():
            yield from _walk(path, own, seen)
        else:
            yield name, _File(path, _read_written(path))


def _read_written(path: Any) -> float | None:
    try:
        return float(path.stat().st_mtime) or None
    except (AttributeError, TypeError, ValueError):  # not every storage says so
        return None


def _use(path: Any, read: Callable[[], T]) -> T:
    """Return the result of *read*; the errors of a storage, which may show a URL, become ours."""
    try:
        return read()
    except OsonSmsError:
        raise
    except Exception as error:  # noqa: BLE001
        name = type(error).__name__
        is_final = is_final_storage_error(error) and not isinstance(error, FileNotFoundError)
    if is_final:
        raise UnreadableSpendingError(
            f"budget_path: '{path.name}' cannot be read as a results table or a receipt ({name}), so it is "
            f"unknown what was spent: this try sent nothing. Restore it, or move what is no such table "
            f"out of the folder"
        )
    raise SpendingUnknownError(f"budget_path: '{path.name}' cannot be read for now ({name})")


def _read_file(path: Any, since: float) -> Spent:
    kind = find_kind(read_columns(path) if path.suffix in _TABLES else ())
    if kind is ResultRow:
        return count_spent(read_table(path, kind=SpentRow), since=since)
    if kind is ReceiptRow:
        return sum((_read_receipt(row, since) for row in read_table(path, kind=ReceiptRow)), Spent())
    if kind in (None, PartRow):
        raise DamagedTableError("it is of no kind that is known here")
    return Spent()


def _read_receipt(row: ReceiptRow, since: float) -> Spent:
    """Return what a bulk job costs; it counts when it is uploaded, whenever it goes out."""
    uploaded = read_seconds(row.uploaded_at)
    if row.state == JobState.NOT_CREATED or (uploaded is not None and uploaded < since):
        return Spent()
    if (row.recipients or 0) < 1:
        raise DamagedTableError("a receipt does not say how many it texts")
    is_certain = row.state == JobState.CREATED and row.parts is not None
    parts = row.parts if row.parts is not None and row.parts > 0 else UNKNOWN_PARTS
    recipients = row.recipients or 0
    return Spent(parts=recipients * parts, uncertain=0 if is_certain else recipients)


def _read_part(part: Any) -> list[PartRow]:
    return list(read_table(part, kind=PartRow))


def _read_parts(parts: list[Any], since: float) -> Spent:
    """Return what campaigns have spent that were killed, as far as they have written it.

    Raises:
        SpendingUnknownError: One had begun to send to everybody: what it sent in its last second is nowhere.
    """
    for part in parts:
        if is_started(part):
            raise SpendingUnknownError(
                f"budget_path: the campaign of '{part.parent.name.removesuffix('.parts')}' has begun to send "
                f"and has not ended, so it is unknown what it spends: this try sent nothing. If it runs, the "
                f"next try waits for its end; let such tasks run one after the other, with pool='osonsms'. "
                f"If it was killed for good, clear it: its next try writes its table"
            )
    entries: dict[tuple[str, str], SpentRow] = {}
    for part in parts:
        for row in _use(part, partial(_read_part, part)):
            key = (name_file(part.parent), row.txn_id or "")
            acceptance = read_acceptance(row.code)
            if acceptance is not None:
                moment = print_moment(acceptance.accepted_at or None)
                entries[key] = SpentRow(str(Outcome.ACCEPTED), None, acceptance.parts, moment)
            else:
                entries.setdefault(key, SpentRow(str(Outcome.UNCERTAIN), None, None))
    return count_spent(entries.values(), since=since)
