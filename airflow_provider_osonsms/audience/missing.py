"""Missing values: how to recognize one in any table, and columns as lists in which it is None.

The functions for one value need the standard library only, because parsing a DAG file imports them.
"""

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_osonsms.text.segments import normalize_text

if TYPE_CHECKING:
    import pandas as pd

_MISSING_TYPES: Final = frozenset({"NAType", "NaTType"})
MISSING_WORDS: Final = frozenset({"", "nan", "none", "null", "nat", "<na>"})
"""The texts, in lower case, that ``str`` makes of a missing value."""
_MAX_MISSING_WORD_LENGTH: Final = 4
_NARROW_FLOATS: Final = frozenset({"float16", "float32"})


def is_missing(value: object) -> bool:
    """Whether *value* is missing: None, a NaN of any type, ``pd.NA``, ``NaT``."""
    if value is None:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, Real):
        return bool(value != value)  # noqa: PLR0124  # only a NaN differs from itself
    kind = type(value).__name__
    return kind in _MISSING_TYPES or (kind in {"datetime64", "timedelta64"} and str(value) == "NaT")


def is_blank(text: str) -> bool:
    """Whether *text* is white space, or what ``str`` makes of a missing value."""
    return text.strip().lower() in MISSING_WORDS


def list_cells(column: "pd.Series[Any]") -> list[Any]:
    """Return the cells of *column* as they are.

    ``tolist()`` would make a float of 64 bits from one of 32 bits and hide that it has lost digits.
    """
    is_narrow = str(column.dtype).lower() in _NARROW_FLOATS
    return list(column.array) if is_narrow else column.tolist()


def list_values(column: "pd.Series[Any]") -> list[Any]:
    """Return the cells of *column* for a text: None where there is nothing to print.

    That is: a missing value of any kind, white space, characters that nobody sees, and what ``str`` makes of
    a missing value (``nan``, ``None``). Otherwise a recipient would read "Dear nan".
    """
    import numpy as np

    values = list_cells(column)
    try:
        missing = np.flatnonzero(column.isna().to_numpy()).tolist()
    except ArithmeticError:  # pandas compares a signaling NaN with itself
        missing = [row for row, value in enumerate(values) if is_missing(value)]
    for row in missing:
        values[row] = None
    return hide_unprintable(values)


def hide_unprintable(values: list[Any]) -> list[Any]:
    """Return *values* with None in place of each text that prints nothing, or what is no value."""
    return [None if isinstance(value, str) and _is_unprintable(value) else value for value in values]


def _is_unprintable(text: str) -> bool:
    is_suspect = len(text) <= _MAX_MISSING_WORD_LENGTH or not text[0].isalnum()
    return is_suspect and is_blank(text if text.isprintable() else normalize_text(text))
