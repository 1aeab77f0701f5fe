"""What a user wrote in a DAG, read in one way everywhere: plain values and names.

Plain values (a share, a rate) are wrong in the DAG file, so they raise ValueError when it is parsed. What may
be a template is read when the task runs, and raises InvalidMessageError: nothing has left this machine.
"""

import contextlib
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from math import inf
from typing import Any, Final, TypeVar

from airflow_provider_osonsms.audience.missing import is_blank
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)
_MAX_SHOWN_CHARACTERS: Final = 10
"""A longer value is not shown in an error: it may be a phone in the wrong place."""


def read_positive_int(value: Any, name: str, *, maximum: int | None = None) -> int:
    """Return a whole number from 1, to *maximum* if there is one.

    Raises:
        ValueError: It is something else.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and value >= 1 and (maximum is None or value <= maximum):
        return int(value)
    wanted = "a whole number above 0" if maximum is None else f"a whole number from 1 to {maximum}"
    raise _wrong(value, name, wanted)


def read_optional_int(value: Any, name: str) -> int | None:
    """Return a whole number above 0, or None for no limit.

    Raises:
        ValueError: It is something else.
    """
    return None if value is None else read_positive_int(value, name)


def read_share(value: Any, name: str) -> float | None:
    """Return a share from 0 to 1, or None for no limit.

    Raises:
        ValueError: It is something else.
    """
    if value is None or (_is_number(value) and 0 <= value <= 1):
        return value  # type: ignore[no-any-return]
    raise _wrong(value, name, "a share from 0 to 1, such as 0.05, or None for no limit")


def read_rate(value: Any, name: str) -> float | None:
    """Return a number per second above 0, or None for no limit.

    Raises:
        ValueError: It is something else.
    """
    if value is None or (_is_number(value) and 0 < value < inf):
        return value  # type: ignore[no-any-return]
    raise _wrong(value, name, "a number per second above 0, such as 20, or None")


def read_seconds(value: Any, name: str) -> float:
    """Return the seconds above 0 of a number or a timedelta.

    Raises:
        ValueError: It is something else.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if _is_number(seconds) and 0 < seconds < inf:
        return float(seconds)
    raise _wrong(value, name, "seconds above 0, or a timedelta")


def read_timedelta(value: Any, name: str) -> timedelta | None:
    """Return a timedelta, or None for no limit.

    Raises:
        ValueError: It is something else; a bare number could mean seconds or hours.
    """
    if value is None or isinstance(value, timedelta):
        return value
    raise _wrong(value, name, "a timedelta, such as timedelta(hours=6), or None for no limit")


def read_somoni(value: Any, name: str) -> Decimal:
    """Return an amount of somoni.

    Raises:
        ValueError: It is no number.
    """
    with contextlib.suppress(InvalidOperation):
        amount = Decimal(str(value))
        if amount.is_finite() and not isinstance(value, bool):
            return amount
    raise _wrong(value, name, "a number of somoni, such as 50")


def read_flag(value: Any, name: str) -> bool:
    """Return True or False; a text is neither, though ``"False"`` would count as true.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(value, bool):
        return value
    raise _wrong(value, name, "True or False")


def read_choice(value: Any, name: str, choices: type[ChoiceT]) -> ChoiceT:
    """Return one of *choices*.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(value, str) and value in tuple(choices):
        return choices(value)
    raise _wrong(value, name, f"one of {', '.join(choices)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(value: Any, name: str, wanted: str) -> ValueError:
    shown = repr(value)
    given = shown if len(shown) <= _MAX_SHOWN_CHARACTERS else f"a {type(value).__name__}"
    return ValueError(f"{name} must be {wanted}; it is {given}")


def read_name(value: object, field: str) -> str | None:
    """Return a name that the user chose, or None where there is none to read.

    Args:
        value: A text, a whole number, or None for the default.
        field: What it is, for the error.

    Raises:
        InvalidMessageError: It is something else, or a template that rendered to nothing.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.isprintable():
        raise InvalidMessageError(f"{field} must be a printable text, not {type(value).__name__}")
    if is_blank(value):
        raise InvalidMessageError(
            f"{field} is empty or rendered to {value.strip()!r}: leave {field} out for the default, or "
            f"correct the template"
        )
    return value.strip()
