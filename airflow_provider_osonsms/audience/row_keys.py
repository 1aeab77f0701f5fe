"""Row keys: the values of a user's key column as texts, independent of the type of the column."""

from datetime import date
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any, Final
from uuid import UUID

from airflow_provider_osonsms.audience.missing import is_blank, is_missing
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_KEY_TYPES: Final = (str, Real, Decimal, UUID, date)


_EXACT_BELOW: Final = {"float16": 2**11, "float32": 2**24, "float64": 2**53, "float": 2**53}
"""From here on, a float of this type does not hold every whole number."""


def row_key(value: Any, key_column: str) -> str | None:
    """Return *value* as the text that goes into a transaction id, or None when there is none.

    ``7``, ``7.0``, ``Decimal("7.00")`` and ``"7"`` are one key. One missing value makes pandas read a column
    of ints as floats: if the type counted, every row would get another txn_id and be texted again.

    Raises:
        InvalidMessageError: *value* has no stable text, such as a list, or is a float that has lost digits.

    Reference:
        docs/design.md "Exactly once" (row key).
    """
    if is_missing(value) or (isinstance(value, str) and is_blank(value)):
        return None
    if not isinstance(value, _KEY_TYPES):
        raise InvalidMessageError(
            f"Column {key_column!r} holds a {type(value).__name__}; use a text, number, date or UUID"
        )
    if isinstance(value, Real | Decimal) and not isinstance(value, int):
        number: Any = value
        _refuse_lost_digits(number, key_column)
        return str(int(number)) if isfinite(number) and number == int(number) else str(number)
    text = str(value)
    is_unreadable = any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
    return None if is_unreadable else text


def _refuse_lost_digits(number: Any, key_column: str) -> None:
    """Check that *number* is no float of a longer key: two keys would be one, and a person left out."""
    exact = _EXACT_BELOW.get(type(number).__name__)
    if exact is not None and isfinite(number) and abs(number) >= exact:
        raise InvalidMessageError(
            f"Column {key_column!r} holds floats of {exact:,} and more, which have lost digits: different "
            f"keys may have become one. Read the column with dtype=str or 'Int64'"
        )
