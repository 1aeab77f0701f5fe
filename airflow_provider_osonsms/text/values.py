"""The values of a column, written by a format: as Python's ``format`` does, but no amount is guessed or cut.

=====================  ===============================================================================
value                  is written
=====================  ===============================================================================
text                   as it is; by a format of numbers only if it is a plain number, exactly
number                 a whole float without ``.0``, unless the format asks for decimals
NaN, infinity          never: it does not fit
date, time             by a format of dates (``%d.%m.%Y``), or as it is
a container, bytes     never: it does not fit
=====================  ===============================================================================

``1250,50``, ``1 250`` and ``1.25E+05`` are not plain numbers here: ``1,250`` may be 1250 or 1.25, and a debt
must not be guessed.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from itertools import repeat
from math import isfinite
from numbers import Integral, Real
from types import NoneType
from typing import Any, Final

_SPEC: Final = re.compile(
    r"(?:.?(?P<align>[<>=^]))?(?P<sign>[-+ ]?z?#?0?)[0-9]{0,3}(?P<grouping>[_,]?)"
    r"(?:\.(?P<precision>[0-9]{1,3}))?(?P<kind>[bcdeEfFgGnosxX%]?)",
    re.DOTALL,
)
_WHOLE_KINDS: Final = frozenset("bcdoxX")
_PLAIN_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_PROBES: Final = (1, 1.5, "text")
_MAX_DIGITS: Final = 40
"""Digits of a Decimal before the point: 1E+999999999 would take a gigabyte."""
_UNFIT_TYPES: Final = (bytes, bytearray, memoryview, dict, frozenset, list, set, tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The format of a field: the text after its colon, and what it is for.

    Attributes:
        spec: As `format` takes it.
        decimal_spec: The same for a Decimal, which by *spec* would write ``0E-8`` for 0.00000000.
        is_date: Only for dates and times.
        is_numeric: Only for numbers.
        is_whole: Only for whole numbers.
        is_bare: Without the number of decimals.
        max_characters: A longer text is cut to so many; None for no limit.
    """

    spec: str
    decimal_spec: str
    is_date: bool = False
    is_numeric: bool = False
    is_whole: bool = False
    is_bare: bool = False
    max_characters: int | None = None


def read_format(spec: str) -> Format | None:
    """Read *spec*; None if no value could be written by it."""
    match = _SPEC.fullmatch(spec)
    if not match:
        return Format(spec=spec, decimal_spec=spec, is_date=True) if "%" in spec else None
    if not any(_fits(probe, spec) for probe in _PROBES):
        return None
    align, kind, precision = match["align"], match["kind"], match["precision"]
    is_bare = not kind and precision is None
    return Format(
        spec=spec,
        decimal_spec=f"{spec}f" if is_bare else spec,
        is_numeric=align == "=" or bool(match["sign"] or match["grouping"]) or kind not in {"", "s"},
        is_whole=kind in _WHOLE_KINDS,
        is_bare=is_bare,
        max_characters=None if precision is None else int(precision),
    )


def write_column(values: Sequence[object], form: Format) -> tuple[list[str], list[int]]:
    """Write each of *values* by *form*.

    Returns:
        The texts, and the positions of the values that do not fit. The text at such a position, or of a
        missing value (None), has no meaning.
    """
    kinds = set(map(type, values)) - {NoneType}
    write_all = _WRITERS.get(kinds.pop()) if len(kinds) == 1 else None
    with suppress(ArithmeticError, ValueError):
        if write_all and (texts := write_all(values, form)) is not None:
            return texts, []
    written = ["" if value is None else write_value(value, form) for value in values]
    return [text or "" for text in written], [row for row, text in enumerate(written) if text is None]


def write_value(value: object, form: Format) -> str | None:
    """Write *value* by *form*; None if it does not fit. No value raises."""
    try:
        return _write_text(value, form) if isinstance(value, str) else _write_object(value, form)
    except Exception:  # noqa: BLE001  # a cell may hold any object, and its own format may raise anything
        return None


def _fits(value: object, spec: str) -> bool:
    try:
        format(value, spec)
    except (OverflowError, ValueError):
        return False
    return True


def _write_text(text: str, form: Format) -> str | None:
    number = text.strip()
    is_number = _PLAIN_NUMBER.fullmatch(number) is not None
    if form.is_numeric:
        return _write_number(Decimal(number), form) if is_number else None
    if is_number and form.max_characters is not None and len(text) > form.max_characters:
        return None  # a name may be cut, an amount may not
    return None if form.is_date else format(text, form.spec)


def _write_object(value: Any, form: Format) -> str | None:
    if isinstance(value, _UNFIT_TYPES) or value != value:  # noqa: PLR0124  # NaN and NaT
        return None
    # strftime accepts every spec, and writes an unknown one as it is
    if form.spec and isinstance(value, date | time) is not form.is_date:
        return None
    if isinstance(value, Real | Decimal) and not isinstance(value, bool):
        return _write_number(value, form)
    return format(value, form.spec)


def _write_number(value: Any, form: Format) -> str | None:
    if isinstance(value, Integral):
        return format(int(value), form.spec)
    if isinstance(value, Decimal):
        return _write_decimal(value, form)
    number = (
        value if isinstance(value, float) else float(str(value))
    )  # a float32 of 0.1 is written 0.1, not 0.10000000149
    return format(_shorten(number, form), form.spec) if isfinite(number) else None


def _write_decimal(number: Decimal, form: Format) -> str | None:
    if not _is_writable(number):
        return None
    if form.is_whole and number == int(number):
        return format(int(number), form.spec)
    return format(number, form.decimal_spec)


def _shorten(number: float, form: Format) -> float:
    """Return a whole *number* as an int where the format has no decimals."""
    return int(number) if (form.is_bare or form.is_whole) and number.is_integer() else number


def _is_writable(number: Decimal) -> bool:
    return number.is_finite() and number.adjusted() < _MAX_DIGITS


def _write_texts(values: Sequence[Any], form: Format) -> list[str] | None:
    if form.is_date or form.max_characters is not None:
        return None
    if not form.is_numeric:
        return _format_all(_fill(values, ""), form.spec)
    texts = _fill(values, "0")
    return (
        _write_decimals(list(map(Decimal, texts)), form) if all(map(_PLAIN_NUMBER.fullmatch, texts)) else None
    )


def _write_decimals(values: Sequence[Any], form: Format) -> list[str] | None:
    numbers = _fill(values, Decimal())
    if form.is_whole or not all(map(_is_writable, numbers)):
        return None
    return _format_all(numbers, form.decimal_spec)


def _write_floats(values: Sequence[Any], form: Format) -> list[str] | None:
    numbers = _fill(values, 0.0)
    if not isfinite(sum(numbers)):  # a sum with NaN or infinity is not finite
        return None
    if form.is_bare or form.is_whole:
        numbers = [_shorten(number, form) for number in numbers]
    return _format_all(numbers, form.spec)


def _write_ints(values: Sequence[Any], form: Format) -> list[str]:
    return _format_all(_fill(values, 0), form.spec)


def _fill(values: Sequence[Any], filling: Any) -> list[Any]:
    return [filling if value is None else value for value in values]


def _format_all(values: list[Any], spec: str) -> list[str]:
    return list(map(format, values, repeat(spec)) if spec else map(str, values))


_WRITERS: Final[dict[type, Callable[[Sequence[Any], Format], list[str] | None]]] = {
    Decimal: _write_decimals,
    float: _write_floats,
    int: _write_ints,
    str: _write_texts,
}
"""Writers for a column whose values are all of one type: several times faster than value by value."""
