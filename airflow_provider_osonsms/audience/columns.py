"""Columns of a table as lists of plain Python values."""

from typing import Any, Final

import numpy as np
import pandas as pd

from airflow_provider_osonsms.audience.cells import is_blank, is_missing

_NARROW_FLOATS: Final = frozenset({"float16", "float32"})
_LONGEST_MISSING_WORD: Final = 4


def list_cells(column: "pd.Series[Any]") -> list[Any]:
    """Return the cells of *column* as they are.

    ``tolist()`` would widen a float of 32 bits and hide that it has lost digits.
    """
    is_narrow = str(column.dtype).lower() in _NARROW_FLOATS
    return list(column.array) if is_narrow else column.tolist()


def list_values(column: "pd.Series[Any]") -> list[Any]:
    """Return the cells of *column* for a text: None where there is nothing to print.

    Nothing is a missing value of any kind, white space, and the word that a missing value was turned into
    (``nan``, ``None``): nobody reads "Dear nan".
    """
    values = list_cells(column)
    try:
        missing = np.flatnonzero(column.isna().to_numpy()).tolist()
    except ArithmeticError:  # pandas asks a signalling NaN whether it equals itself
        missing = [row for row, value in enumerate(values) if is_missing(value)]
    for row in missing:
        values[row] = None
    return [None if isinstance(value, str) and _is_nothing(value) else value for value in values]


def _is_nothing(text: str) -> bool:
    return (len(text) <= _LONGEST_MISSING_WORD or text.isspace()) and is_blank(text)
