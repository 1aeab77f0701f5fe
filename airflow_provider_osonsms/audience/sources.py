"""What may be given as ``recipients``, and the one table that it becomes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.phones import mask_phone
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_ACCEPTED: Final = "a pandas DataFrame, a Series of phones, a list of phones or a list of dicts"
_SHOWN_COLUMNS: Final = 20
_DIGITS_OF_A_PHONE: Final = 7


def read_recipients(recipients: object, phone_column: str) -> pd.DataFrame:
    """Return *recipients* as a table, one row per entry and in the same order.

    Whole numbers never pass through float on the way: everything read from a list has the dtype object.

    Args:
        recipients: A DataFrame, a Series of phones, or a list (any sequence) of phones or of dicts. What is
            empty gives a table without rows.
        phone_column: The column, or the key of each dict, that holds the phone.

    Returns:
        A table with the column *phone_column*, exactly once, and any index. A DataFrame comes back as it is,
        not copied: do not write into it.

    Raises:
        InvalidMessageError: something else was given, or *phone_column* is not there.
    """
    if isinstance(recipients, pd.Series):
        return recipients.to_frame(name=phone_column)
    if isinstance(recipients, Sequence) and not isinstance(recipients, str | bytes | bytearray):
        rows = recipients if isinstance(recipients, list | tuple) else list(recipients)  # a mapped output
        recipients = _read_list(rows, phone_column)
    if not isinstance(recipients, pd.DataFrame):
        raise InvalidMessageError(f"recipients is {_kind(recipients)}; give {_ACCEPTED}.")
    if not len(recipients) and not len(recipients.columns):
        return _read_list([], phone_column)
    require_column(recipients, phone_column)
    return recipients


def require_column(frame: pd.DataFrame, column: str) -> None:
    """Check that *frame* has *column* exactly once.

    Raises:
        InvalidMessageError: it has not; the text names the columns there are.
    """
    columns = list(frame.columns)
    found = columns.count(column)
    if found == 1:
        return
    shown = ", ".join(_print_column(name) for name in columns[:_SHOWN_COLUMNS])
    more = ", ..." if len(columns) > _SHOWN_COLUMNS else ""
    how_often = f"{found} columns" if found else "no column"
    raise InvalidMessageError(f"recipients has {how_often} {column!r}; its columns are {shown}{more}.")


def _read_list(rows: list[Any] | tuple[Any, ...], phone_column: str) -> pd.DataFrame:
    records = sum(isinstance(row, Mapping) for row in rows)
    if records and records < len(rows):
        raise InvalidMessageError(f"recipients is a {_mixture(rows)}; give {_ACCEPTED}, not a mixture.")
    if records:
        return pd.DataFrame(list(rows), dtype="object")
    for row in rows:
        if isinstance(row, Collection) and not isinstance(row, str | bytes):
            raise InvalidMessageError(
                f"recipients is a {type(rows).__name__} of {_kind(row)}; give {_ACCEPTED}."
            )
    return pd.DataFrame({phone_column: pd.Series(list(rows), dtype="object")})


def _mixture(rows: list[Any] | tuple[Any, ...]) -> str:
    return f"{type(rows).__name__} of " + " and ".join(sorted({type(row).__name__ for row in rows}))


def _kind(value: object) -> str:
    return "None" if value is None else f"the type {type(value).__name__}"


def _print_column(name: object) -> str:
    """Print a column's name, masked when it is a phone: without a header, the first row becomes the names."""
    has_phone = sum(character.isdigit() for character in str(name)) >= _DIGITS_OF_A_PHONE
    return mask_phone(name) if has_phone else repr(name)
