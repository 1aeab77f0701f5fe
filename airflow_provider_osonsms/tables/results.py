"""The results table of a campaign, read row by row without pandas: a triggerer reads it too."""

import csv
import io
from collections.abc import Callable, Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

import pandas as pd

from airflow_provider_osonsms.audience.audience import CHUNK_ROWS, Audience
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.rows import write_chunks

_COLUMNS = ("key", "phone", "outcome", "reason", "msg_id", "parts")
_FINAL = (
    *(FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError),
    *(ImportError, KeyError, ValueError, csv.Error),
)


MAX_INLINE_MESSAGES: Final = 1000
"""Messages whose ids fit into an XCom."""


class TableUnavailableError(OsonSmsError):
    """The table cannot be read for now: reading it again may help."""


class ResultRow(NamedTuple):
    """What a campaign has noted of a row; empty texts where there is nothing."""

    key: str
    phone: str
    outcome: str
    reason: str
    msg_id: str
    parts: str

    @property
    def is_untracked(self) -> bool:
        """Whether it was accepted and cannot be asked for."""
        return self.outcome == Outcome.ACCEPTED_UNTRACKED


def read_results(path: Any) -> Iterator[ResultRow]:
    """Read the table that a campaign has written to its ``results_path``.

    Args:
        path: Something with ``suffix`` and ``open``: a local path, or Airflow's ObjectStoragePath.

    Raises:
        InvalidMessageError: It cannot be read here, or is no such table.
        TableUnavailableError: The storage failed.
    """
    problem: OsonSmsError | None = None
    try:
        with path.open("rb") as file:
            yield from _read_parquet(file) if path.suffix == ".parquet" else _read_csv(file)
    except _FINAL as error:
        problem = InvalidMessageError(
            f"the results_path of a campaign cannot be read here ({type(error).__name__}): it must be the "
            f"table that the campaign wrote, at a place that every worker and triggerer can read"
        )
    except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
        problem = TableUnavailableError(
            f"the results_path of a campaign cannot be read for now ({type(error).__name__})"
        )
    if problem is not None:
        raise problem


def _read_csv(file: Any) -> Iterator[ResultRow]:
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, strict=True)
        header = next(rows, [])
        pick = itemgetter(*map(header.index, _COLUMNS))
        for row in rows:
            if len(row) != len(header):
                raise ValueError("a row is cut")
            yield ResultRow._make(pick(row))


def _read_parquet(file: Any) -> Iterator[ResultRow]:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(file).iter_batches(columns=list(_COLUMNS), batch_size=8192):
        columns = [batch.column(name).to_pylist() for name in _COLUMNS]
        for values in zip(*columns, strict=True):
            yield ResultRow(*("" if value is None else str(value) for value in values))


Fate = tuple[str, str, str | None, str | None, int | None]
"""Outcome, reason, txn_id, msg_id and billed parts of a row."""

_DTYPES: Final = {
    "row": "int64",
    "key": "object",
    "phone": "object",
    "outcome": "object",
    "reason": "object",
    "txn_id": "object",
    "msg_id": "object",
    "parts": "Int64",
}


def write_outcomes(audience: Audience, path: Any, *, tell: Callable[[int, str], Fate]) -> None:
    """Write ``row`` (from 0), ``key``, ``phone``, ``outcome``, ``reason``, ``txn_id``, ``msg_id``, ``parts``.

    One row for each row of the input; rejected ones have a masked phone and no key.

    Args:
        audience: Recipients and rejects.
        path: A checked path.
        tell: Says of position and key what became of a recipient.

    Raises:
        OSError: The place cannot be written.
    """
    rows = _list_rows(audience, tell)
    if path.suffix == ".csv":
        _write_csv(rows, path)
    else:
        write_chunks(_make_frames(rows), path)


def _write_csv(rows: Iterator[tuple[Any, ...]], path: Any) -> None:
    """Write row by row, in a third of the time that frames take."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_DTYPES)
        writer.writerows(rows)


def _list_rows(audience: Audience, tell: Callable[[int, str], Fate]) -> Iterator[tuple[Any, ...]]:
    recipients = (
        (position, key, phone, *tell(position, key)) for position, phone, key in audience.read_keys()
    )
    rejects = (
        (position, None, masked, "rejected", reason, None, None, None)
        for position, masked, reason in audience.rejects.read_rows()
    )
    return merge(recipients, rejects, key=lambda row: row[0])


def _make_frames(rows: Iterator[tuple[Any, ...]]) -> Iterator[pd.DataFrame]:
    """Make frames of some rows each; one of none when there is no row, for the header."""
    is_first = True
    while (some := list(islice(rows, CHUNK_ROWS))) or is_first:
        columns = zip(*some, strict=True) if some else ((),) * len(_DTYPES)
        yield pd.DataFrame(
            {
                name: pd.Series(list(values), dtype=dtype)
                for (name, dtype), values in zip(_DTYPES.items(), columns, strict=True)
            }
        )
        is_first = False
