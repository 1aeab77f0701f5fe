"""Rows that know the names of their columns: dicts, named tuples, dataclasses, those of a database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import pandas as pd

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection

_ROWS_AT_ONCE: Final = 50_000


def has_names(row: object) -> bool:
    """Whether *row* knows the names of its columns; a table does, too."""
    return (
        isinstance(row, Mapping)
        or hasattr(row, "_asdict")
        or callable(getattr(row, "keys", None))
        or (isinstance(row, np.void) and row.dtype.names is not None)
        or (is_dataclass(row) and not isinstance(row, type))
    )


def read_rows(rows: Iterable[Any], selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the *rows*, of which each has names, as tables.

    Raises:
        InvalidMessageError: A column is not there; or, in a list of people who are not to be texted, it is
            missing in a single row, whose phone has perhaps another name.
    """
    waiting = iter(rows)
    while batch := [_read_row(row) for row in islice(waiting, _ROWS_AT_ONCE)]:
        table = pd.DataFrame(batch, dtype="object")
        tables = list(selection.read_table(table))
        if selection.one_column_is_phones and len(table.columns) > 1:
            selection.require_in_each(batch)
        yield from tables


def _read_row(row: Any) -> dict[Any, Any]:
    if isinstance(row, Mapping):
        return dict(row)
    if hasattr(row, "_asdict"):  # a named tuple, or a row of SQLAlchemy
        return dict(row._asdict())
    if isinstance(row, np.void):
        return {name: row[name] for name in row.dtype.names or ()}
    if is_dataclass(row):
        return {field.name: getattr(row, field.name) for field in fields(row)}
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row of sqlite3 iterates over its cells
