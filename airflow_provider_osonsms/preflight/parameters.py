"""The arguments of a DAG, each kind read in one way by all operators.

A plain value (a share, a rate) is known when the DAG file is parsed, so a wrong one raises ValueError then.
A name may be a template, so it is read when the task runs: a wrong one raises InvalidMessageError, and
nothing has left this machine.
"""

import contextlib
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar

from airflow_provider_osonsms.audience.missing import is_blank
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)
_MIN_RATE: Final = 0.001
_MAX_RATE: Final = 1e6
_MAX_SECONDS: Final = 10 * 366 * 86400
_MAX_SHOWN_CHARACTERS: Final = 10
"""A longer value is not shown in an error, because it may be a phone in the wrong parameter."""


def read_positive_int(value: Any, name: str, *, maximum: int | None = None) -> int:
    """Return a whole number from 1 to *maximum*; None for no maximum.

    Raises:
        ValueError: *value* is something else.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and value >= 1 and (maximum is None or value <= maximum):
        return int(value)
    expected = "a whole number above 0" if maximum is None else f"a whole number from 1 to {maximum}"
    raise _make_error(value, name, expected)


def read_optional_int(value: Any, name: str) -> int | None:
    """Return a whole number above 0, or None for no limit.

    Raises:
        ValueError: *value* is something else.
    """
    return None if value is None else read_positive_int(value, name)


def read_share(value: Any, name: str) -> float | None:
    """Return a share from 0 to 1, or None for no limit.

    Raises:
        ValueError: *value* is something else.
    """
    if value is None or (_is_number(value) and 0 <= value <= 1):
        return value  # type: ignore[no-any-return]
    raise _make_error(value, name, "a share from 0 to 1, such as 0.05, or None for no limit")


def read_rate(value: Any, name: str) -> float | None:
    """Return a number per second, from one in twenty minutes to a million, or None for no limit.

    Raises:
        ValueError: *value* is something else.
    """
    if value is None or (_is_number(value) and _MIN_RATE <= value <= _MAX_RATE):
        return value  # type: ignore[no-any-return]
    raise _make_error(value, name, f"a number per second above {_MIN_RATE}, such as 20, or None")


def read_seconds(value: Any, name: str) -> float:
    """Return seconds above 0, up to ten years, given as a number or a timedelta.

    Raises:
        ValueError: *value* is something else.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if _is_number(seconds) and 0 < seconds <= _MAX_SECONDS:
        return float(seconds)
    raise _make_error(value, name, "seconds above 0, up to ten years, or a timedelta")


def read_timedelta(value: Any, name: str) -> timedelta | None:
    """Return a timedelta, or None for no limit.

    Raises:
        ValueError: *value* is something else; a bare number could mean seconds or hours.
    """
    if value is None or isinstance(value, timedelta):
        return value
    raise _make_error(value, name, "a timedelta, such as timedelta(hours=6), or None for no limit")


def read_somoni(value: Any, name: str) -> Decimal:
    """Return an amount of somoni.

    Raises:
        ValueError: *value* is not a finite number.
    """
    with contextlib.suppress(InvalidOperation):
        amount = Decimal(str(value))
        if amount.is_finite() and not isinstance(value, bool):
            return amount
    raise _make_error(value, name, "a number of somoni, such as 50")


def read_flag(value: Any, name: str) -> bool:
    """Return True or False; the text ``"False"`` is refused, because Python would take it as true.

    Raises:
        ValueError: *value* is something else.
    """
    if isinstance(value, bool):
        return value
    raise _make_error(value, name, "True or False")


def read_choice(value: Any, name: str, choices: type[ChoiceT]) -> ChoiceT:
    """Return one of *choices*.

    Raises:
        ValueError: *value* is something else.
    """
    if isinstance(value, str) and value in tuple(choices):
        return choices(value)
    raise _make_error(value, name, f"one of {', '.join(choices)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _make_error(value: Any, name: str, expected: str) -> ValueError:
    shown = repr(value)
    given = shown if len(shown) <= _MAX_SHOWN_CHARACTERS else f"a {type(value).__name__}"
    return ValueError(f"{name} must be {expected}; it is {given}")


def read_name(value: object, field: str) -> str | None:
    """Return a name that the user chose, or None for the default.

    Args:
        value: A text, a whole number, or None for the default.
        field: The name of the parameter, for the error.

    Raises:
        InvalidMessageError: *value* is something else, is empty, or rendered to a missing value.
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
