"""Columns and arrays: a Series, Index or array of phones, and numpy's arrays of rows with names."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

COLUMNS: Final = (pd.Series, pd.Index, np.ndarray, ExtensionArray)
_NATIVE: Final = "="
_RAW: Final = "V"


def read_array(array: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the phones in *array*, or its rows where it has names, as ``to_records()`` makes them.

    Raises:
        InvalidMessageError: It has several dimensions, or is one row; or a column is not there.
    """
    parameter = selection.parameter
    if array.ndim != 1:
        raise InvalidMessageError(
            f"{parameter} is an array of {array.ndim} dimensions; give one, or a DataFrame"
        )
    if getattr(array.dtype, "names", None) is not None:
        yield from selection.read_table(_read_records(array, parameter))
    elif array.dtype.kind == _RAW:
        raise InvalidMessageError(f"{parameter} is an array of raw bytes; give one of texts")
    elif isinstance(array, pd.MultiIndex):
        raise InvalidMessageError(f"{parameter} is a MultiIndex; give its .to_frame()")
    elif isinstance(array, pd.Series) and selection.phone_column in array.index:
        raise InvalidMessageError(
            f"{parameter} is a Series with an entry {selection.phone_column!r}, which is one row of a table; "
            f"give a DataFrame, or a list of dicts"
        )
    else:
        column = array if isinstance(array, pd.Series) else pd.Series(array)
        yield from selection.read_column(column, kind=type(array).__name__)


def _read_records(array: Any, parameter: str) -> pd.DataFrame:
    columns = {}
    for name in array.dtype.names:
        column = array[name]
        if column.ndim != 1 or column.dtype.kind == _RAW:
            raise InvalidMessageError(
                f"{parameter} is an array whose column {name!r} holds raw bytes or several values a row; "
                f"give each value a column of its own"
            )
        columns[name] = pd.Series(column.astype(column.dtype.newbyteorder(_NATIVE), copy=False))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(array)))
