"""Every kind of source for ``recipients``, ``exclude`` and ``only``, read as tables."""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from airflow_provider_osonsms.audience.sources.arrow import is_arrow, read_arrow, read_parquet
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv import read_csv
from airflow_provider_osonsms.audience.sources.files import (
    PARQUET_SUFFIXES,
    SUFFIXES,
    as_path,
    has_suffix,
    is_path,
    print_path,
)
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_FILES: Final = f"a path to a file ({', '.join(SUFFIXES)})"
_ACCEPTED: Final = (
    "a pandas DataFrame, a Series or array of phones, a list of phones, of dicts or of rows with names, "
    "a pyarrow Table, "
    f"{_FILES}, or an iterable of these"
)
_COLUMNS: Final = (pd.Series, pd.Index, np.ndarray, ExtensionArray)
_CSV_READER: Final = type(csv.reader([]))
_ROWS_AT_ONCE: Final = 50_000
_NEVER_CHUNKS: Final = (str, bytes, bytearray, Mapping, tuple)


def read_chunks(
    source: object,
    *,
    phone_column: str,
    columns: Collection[str] | None = None,
    parameter: str = "recipients",
    one_column_is_phones: bool = False,
    optional: Collection[str] = (),
) -> Iterator[pd.DataFrame]:
    """Yield *source* as tables, one row per entry and in the same order.

    Whole numbers never become floats on the way, because a float of a phone may lose digits: a list has the
    dtype object, CSV is text, integers of Arrow and Parquet stay integers. Files and Arrow tables are read in
    constant memory, and only the selected columns.

    Args:
        source: A DataFrame; a Series, array or Index of phones; a list (any sequence) of phones or of dicts;
            a pyarrow Table or RecordBatch; a path, as a path object, ObjectStoragePath or text, to a CSV
            (UTF-8, with a header) or Parquet file; a list of tables and paths; any other iterable of these.
        phone_column: The column, or the key of each dict, that holds the phone.
        columns: The other columns that are needed; None for all.
        parameter: The name of the parameter that holds *source*, for errors.
        one_column_is_phones: Take the only column of a table as the phones, whatever its name.
        optional: More columns, which a table may lack.

    Yields:
        Tables with *phone_column* and each of *columns* exactly once, and any index; at least one, perhaps
        without rows. A DataFrame is yielded itself, not a copy: do not write into it.

    Raises:
        InvalidMessageError: The source is of another kind, a column is missing, or a file cannot be read.
    """
    others = None if columns is None else tuple(columns)
    selection = ColumnSelection(
        parameter=parameter,
        phone_column=phone_column,
        columns=others,
        one_column_is_phones=one_column_is_phones,
        optional=tuple(optional),
    )
    is_empty = True
    for table in _read(source, selection):
        is_empty = False
        yield table
    if is_empty:
        yield selection.make_empty()


def _read(source: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    for is_one, read in _READERS:
        if is_one(source):
            return read(source, selection)
    raise InvalidMessageError(f"{selection.parameter} is {_print_kind(source)}; give {_ACCEPTED}")


def _read_table(table: pd.DataFrame, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    names = list(table.columns)
    if not names and not len(table):
        return
    selection.find(names)
    renamed = selection.rename(names)
    yield table if renamed == names else table.set_axis(renamed, axis=1)


def _read_array(array: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    if array.ndim != 1:
        raise InvalidMessageError(
            f"{selection.parameter} is an array of {array.ndim} dimensions; give one, or a DataFrame"
        )
    if len(array):
        column = array if isinstance(array, pd.Series) else pd.Series(array)
        yield from _read_table(column.to_frame(name=selection.phone_column), selection)


def _read_path(source: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    if isinstance(source, str) and "://" in source:
        raise InvalidMessageError(
            f"{selection.parameter} is a URL as text; give ObjectStoragePath(...) of it (from airflow.sdk)"
        )
    path = as_path(source)
    if has_suffix(path, PARQUET_SUFFIXES):
        yield from read_parquet(path, selection)
    elif has_suffix(path, SUFFIXES):
        yield from read_csv(path, selection)
    elif isinstance(source, str):  # it may be a phone, so it is not shown
        raise InvalidMessageError(
            f"{selection.parameter} is a text that is no path; give {_ACCEPTED}; put a single phone in a list"
        )
    else:
        raise InvalidMessageError(f"{selection.parameter} is {print_path(path)}; give {_FILES}")


def _read_list(rows: Sequence[Any], selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    rows = rows if isinstance(rows, list | tuple) else list(rows)  # a mapped output is a lazy sequence
    samples = dict(zip(map(type, rows), rows, strict=True)).values()
    paths = sum(map(_is_text_path, rows))
    if paths and not all(_is_text_path(row) or is_path(row) or _is_table(row) for row in rows):
        raise InvalidMessageError(
            f"{selection.parameter} is a list of {paths} paths and {len(rows) - paths} other entries: give a "
            f"list of paths, or one of phones"
        )
    if paths or all(_is_table(sample) or is_path(sample) for sample in samples):  # also an empty list
        yield from _read_each(rows, selection)
    elif all(map(_has_names, samples)):
        yield from _read_rows(rows, selection)
    elif any(map(_is_nested, samples)):
        raise InvalidMessageError(
            f"{selection.parameter} is {_print_mixture(rows, samples)}; give {_ACCEPTED}"
        )
    else:
        column = pd.Series(rows, dtype="object")
        yield from _read_table(column.to_frame(name=selection.phone_column), selection)


def _read_rows(rows: Iterable[Any], selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Read rows that know the names of their columns: dicts, named tuples, those of a database."""
    waiting = iter(rows)
    while batch := [_read_row(row) for row in islice(waiting, _ROWS_AT_ONCE)]:
        yield from _read_table(pd.DataFrame(batch, dtype="object"), selection)


def _read_row(row: Any) -> dict[Any, Any]:
    if isinstance(row, Mapping):
        return dict(row)
    if hasattr(row, "_asdict"):  # a named tuple, or a row of SQLAlchemy
        return dict(row._asdict())
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row of sqlite3 iterates over its cells


def _has_names(row: object) -> bool:
    """Whether *row* knows the names of its columns."""
    return isinstance(row, Mapping) or hasattr(row, "_asdict") or callable(getattr(row, "keys", None))


def _read_each(chunks: Iterable[Any], selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    waiting = iter(chunks)
    for chunk in waiting:
        if _has_names(chunk) and not _is_table(chunk):
            yield from _read_rows(chain([chunk], waiting), selection)
            return
        if isinstance(chunks, _CSV_READER) or hasattr(chunks, "fetchmany"):
            raise InvalidMessageError(
                f"{selection.parameter} is a {type(chunks).__name__}, whose rows have no names: each number "
                f"in them would be taken for a phone. Give pandas.read_sql(...), csv.DictReader, or a path"
            )
        if not (_is_table(chunk) or _is_text_path(chunk) or is_path(chunk) or _is_chunk(chunk)):
            raise InvalidMessageError(
                f"{selection.parameter} is an iterable ({type(chunks).__name__}) of {type(chunk).__name__}; "
                f"put phones or dicts in a list, or give an iterable of lists, tables or paths"
            )
        yield from _read(chunk, selection)


def _is_table(source: object) -> bool:
    return isinstance(source, (pd.DataFrame, *_COLUMNS)) or is_arrow(source)


def _is_chunk(value: object) -> bool:
    # a tuple is a row of a database cursor, not a list of phones
    return isinstance(value, Iterable) and not isinstance(value, _NEVER_CHUNKS)


def _is_nested(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


def _is_text_path(value: object) -> bool:
    return isinstance(value, str) and ("://" in value or value.lower().endswith(SUFFIXES))


def _is_list(source: object) -> bool:
    return isinstance(source, Sequence) and not isinstance(source, bytes | bytearray)


def _is_iterable(source: object) -> bool:
    return isinstance(source, Iterable) and not isinstance(source, bytes | bytearray | Mapping)


def _print_mixture(rows: Sequence[Any], samples: Iterable[Any]) -> str:
    names = sorted({type(sample).__name__ for sample in samples})
    return f"a {type(rows).__name__} of {' and '.join(names)}"


def _print_kind(value: object) -> str:
    if value is None:
        return "None"
    if callable(value):
        return "a callable that was not called (a callable takes (context, jinja_env))"
    return f"of the type {type(value).__name__}"


_READERS: Final[
    tuple[tuple[Callable[[Any], bool], Callable[[Any, ColumnSelection], Iterator[pd.DataFrame]]], ...]
] = (
    (lambda source: isinstance(source, pd.DataFrame), _read_table),
    (lambda source: isinstance(source, _COLUMNS), _read_array),
    (is_arrow, read_arrow),
    (lambda source: isinstance(source, str) or is_path(source), _read_path),
    (_is_list, _read_list),
    (_is_iterable, _read_each),
)
"""The first match reads the source; the order matters, because a text is a sequence too."""
