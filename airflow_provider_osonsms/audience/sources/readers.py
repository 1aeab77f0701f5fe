"""Every kind of source for ``recipients``, ``exclude`` and ``only``, read as tables."""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd

from airflow_provider_osonsms.audience.sources.arrays import COLUMNS, read_array
from airflow_provider_osonsms.audience.sources.arrow import is_arrow, read_arrow
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.files import is_path, is_text_path
from airflow_provider_osonsms.audience.sources.paths import read_path
from airflow_provider_osonsms.audience.sources.rows import has_names, read_rows
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_ACCEPTED: Final = (
    "a pandas DataFrame, a Series or array of phones, a list of phones, of dicts or of rows with names, "
    "an Arrow or polars table, a path to a file, or a list or an iterable of tables and paths"
)
_CSV_READER: Final = type(csv.reader([]))
_CELLS: Final = (str, bytes, bytearray)
_NEVER_PARTS: Final = (*_CELLS, Mapping, tuple, memoryview)
_BYTES: Final = (bytes, bytearray, memoryview)
_WAYS_OUT: Final = ("to_pandas", "toPandas", "collect", "compute", "to_table", "to_dataframe", "to_frame")
"""Methods by which tables of other libraries become something that is read, the best first."""


def read_chunks(
    source: object,
    *,
    phone_column: str,
    columns: Collection[str] | None = None,
    parameter: str = "recipients",
    one_column_is_phones: bool = False,
    optional: Collection[str] = (),
    seen: set[object] | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield *source* as tables, one row per entry and in the same order.

    Whole numbers never become floats on the way, because a float of a phone may lose digits: a list has the
    dtype object, CSV is text, integers of Arrow and Parquet stay integers. Files and Arrow tables are read in
    constant memory, and only the selected columns.

    Args:
        source: A DataFrame; a Series, array or Index of phones, or an array with the names of its columns; a
            list (any sequence) of phones, of dicts or of other rows with names; a table of pyarrow, polars,
            or another library with ``__arrow_c_stream__``; a path, as a path object, ObjectStoragePath or
            text, to a CSV, Excel, Parquet or text file; a list, or any other iterable, of tables, paths and
            lists of rows.
        phone_column: The column, or the key of each dict, that holds the phone.
        columns: The other columns that are needed; None for all.
        parameter: The name of the parameter that holds *source*, for errors.
        one_column_is_phones: Take the only column of a table as the phones, whatever its name.
        optional: More columns, which a table may lack.
        seen: Takes in the names of all columns, also of those that are not selected.

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
        seen=set() if seen is None else seen,
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


def _read_frame(table: pd.DataFrame, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    return selection.read_table(table)


def _refuse_row(row: object, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    raise InvalidMessageError(
        f"{selection.parameter} is one {type(row).__name__}; put rows in a list, and make a dict of columns "
        f"a pandas DataFrame"
    )


def _refuse_table(table: object, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    ways = [f"what its .{name}() returns" for name in _WAYS_OUT if hasattr(table, name)]
    raise InvalidMessageError(
        f"{selection.parameter} is {_print_kind(table)}, a table of another library; give "
        f"{' or '.join([*ways[:1], _ACCEPTED])}"
    )


def _read_list(rows: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    kind = type(rows).__name__
    rows = rows if isinstance(rows, list | tuple) else list(rows)  # a mapped output is a lazy sequence
    samples = list(dict(zip(map(type, rows), rows, strict=True)).values())
    paths = sum(map(is_text_path, rows))
    if paths and not all(is_text_path(row) or _is_part(row) for row in rows):
        raise InvalidMessageError(
            f"{selection.parameter} is a list of {paths} paths and {len(rows) - paths} other entries: give a "
            f"list of paths, or one of phones"
        )
    if paths or all(map(_is_part, samples)):  # also an empty list
        yield from _read_each(rows, selection)
    elif all(map(_is_row, samples)):
        yield from read_rows(rows, selection)
    elif any(map(_is_nested, samples)):
        names = sorted({type(sample).__name__ for sample in samples})
        raise InvalidMessageError(
            f"{selection.parameter} is a {kind} of {' and '.join(names)}; give {_ACCEPTED}"
        )
    else:
        yield from selection.read_column(pd.Series(rows, dtype="object"), kind=kind)


def _read_each(parts: Iterable[Any], selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    waiting = iter(parts)
    of_part = replace(selection, is_part=True)
    for part in waiting:
        if _is_row(part):
            yield from read_rows(_check_rows(chain([part], waiting), selection), selection)
            return
        if isinstance(parts, _CSV_READER) or hasattr(parts, "fetchmany"):
            raise InvalidMessageError(
                f"{selection.parameter} is a {type(parts).__name__}, whose rows have no names: each number "
                f"in them would be taken for a phone. Give pandas.read_sql(...), csv.DictReader, or a path"
            )
        if not (_is_part(part) or is_text_path(part)):
            raise InvalidMessageError(
                f"{selection.parameter} is an iterable ({type(parts).__name__}) of {type(part).__name__}; "
                f"put phones or dicts in a list, or give an iterable of lists, tables or paths"
            )
        yield from _read(part, of_part)


def _check_rows(rows: Iterable[Any], selection: ColumnSelection) -> Iterator[Any]:
    for row in rows:
        if not _is_row(row):
            raise InvalidMessageError(
                f"{selection.parameter} holds rows with names and a {type(row).__name__}; give one kind"
            )
        yield row


def _is_table(source: object) -> bool:
    return isinstance(source, (pd.DataFrame, *COLUMNS)) or is_arrow(source)


def _is_row(value: object) -> bool:
    return has_names(value) and not _is_table(value)


def _is_part(value: object) -> bool:
    """Whether *value* in a list or an iterable is a source by itself; a text may be a phone as well."""
    if _is_table(value) or is_path(value):
        return True
    # a tuple is a row of a database cursor, not a list of phones
    return isinstance(value, Iterable) and not isinstance(value, _NEVER_PARTS) and not has_names(value)


def _is_nested(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, _CELLS)


def _is_one_row(source: object) -> bool:
    return isinstance(source, Mapping | Sequence | np.void) and has_names(source)


def _is_other_table(source: object) -> bool:
    kind = type(source)
    return hasattr(kind, "__dataframe__") or any(callable(getattr(kind, name, None)) for name in _WAYS_OUT)


def _is_column_of_rows(source: object) -> bool:
    """Whether *source* is a Series or an array whose cells are rows or paths."""
    if not isinstance(source, COLUMNS) or source.ndim != 1 or not len(source):
        return False
    if source.dtype != object:
        return is_text_path(source.iloc[0] if isinstance(source, pd.Series) else source[0])
    samples = dict(zip(map(type, source), source, strict=True)).values()
    return any(is_text_path(one) or is_path(one) or has_names(one) for one in samples)


def _is_list(source: object) -> bool:
    return isinstance(source, Sequence) and not isinstance(source, _BYTES)


def _is_iterable(source: object) -> bool:
    return isinstance(source, Iterable) and not isinstance(source, _BYTES)


def _print_kind(value: object) -> str:
    if value is None:
        return "None"
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if callable(value) and not isinstance(value, type):
        return "a callable that was not called (a callable takes (context, jinja_env))"
    return f"of the type {kind.__name__ if library == 'builtins' else f'{library}.{kind.__name__}'}"


_READERS: Final[
    tuple[tuple[Callable[[Any], bool], Callable[[Any, ColumnSelection], Iterator[pd.DataFrame]]], ...]
] = (
    (lambda source: isinstance(source, pd.DataFrame), _read_frame),
    (_is_column_of_rows, _read_list),
    (lambda source: isinstance(source, COLUMNS), read_array),
    (is_arrow, read_arrow),
    (lambda source: isinstance(source, str) or is_path(source), read_path),
    (_is_one_row, _refuse_row),
    (_is_other_table, _refuse_table),
    (_is_list, _read_list),
    (_is_iterable, _read_each),
)
"""The first match reads the source; the order matters, because a text is a sequence too."""
