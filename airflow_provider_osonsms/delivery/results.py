"""The results table of a campaign, read row by row without pandas: a triggerer reads it too."""

import csv
import io
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.protocol.models import Outcome

_COLUMNS = ("key", "phone", "outcome", "reason", "msg_id", "parts")
_FINAL = (
    *(FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError),
    *(ImportError, KeyError, ValueError, csv.Error),
)


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
