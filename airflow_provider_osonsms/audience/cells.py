"""What the cells of a table hold, told without importing pandas or numpy."""

from decimal import Decimal
from numbers import Real
from typing import Final

_MISSING_TYPES: Final = frozenset({"NAType", "NaTType"})
MISSING_WORDS: Final = frozenset({"", "nan", "none", "null", "nat", "<na>"})
"""Lower-case texts that a missing value turns into on its way through ``str``."""


def is_missing(value: object) -> bool:
    """Whether *value* stands for nothing: None, a NaN of any type, ``pd.NA``, ``NaT``."""
    if value is None:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, Real):
        return bool(value != value)  # noqa: PLR0124  # only a NaN differs from itself
    kind = type(value).__name__
    return kind in _MISSING_TYPES or (kind in {"datetime64", "timedelta64"} and str(value) == "NaT")


def is_blank(text: str) -> bool:
    """Whether *text* says nothing: white space, or the word that a missing value was turned into."""
    return text.strip().lower() in MISSING_WORDS
