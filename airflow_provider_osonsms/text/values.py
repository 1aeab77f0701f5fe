"""The values of a column, written by a format: as Python's ``format`` does, but no amount is guessed or cut.

=====================  ===============================================================================
value                  is written
=====================  ===============================================================================
text                   as it is; by a format of numbers only if it is a number (`text.numbers`)
number                 a whole float without ``.0``, unless the format asks for decimals
NaN, infinity          never: it does not fit
date, time             by a format of dates (``%d.%m.%Y``), or as it is, in the zone of the format
an error value, bytes  never, nor a container or an object without a text of its own (`text.unfit`)
=====================  ===============================================================================

A bare precision, ``{amount:.2}``, cuts a text to two characters, and would tell ``1250,50`` as "12". So a
number never fits it, nor does a text that begins like one.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from itertools import repeat
from math import isfinite
from numbers import Integral, Real
from types import NoneType
from typing import Any, Final

from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.text.numbers import PLAIN_NUMBER, is_cut_number, is_number, read_number
from airflow_provider_osonsms.text.times import is_foreign_moment, is_foreign_time, to_zone
from airflow_provider_osonsms.text.unfit import UNFIT_MARKS, is_unfit_object, is_unfit_text

_SPEC: Final = re.compile(
    r"(?:.?(?P<align>[<>=^]))?(?P<sign>[-+ ]?z?#?0?)[0-9]{0,3}(?P<grouping>[_,]?)"
    r"(?:\.(?P<precision>[0-9]{1,3}))?(?P<kind>[bcdeEfFgGnosxX%]?)",
    re.DOTALL,
)
_TEXT_KINDS: Final = frozenset({"", "s"})
_WHOLE_KINDS: Final = frozenset("bcdoxX")
_ROUNDING_KINDS: Final = frozenset("gGn")
_PROBES: Final = (1, 1.5, "text")
_MAX_DIGITS: Final = 40
"""Digits of a Decimal before the point: 1E+999999999 would take a gigabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The format of a field: the text after its colon, and what it is for.

    Attributes:
        spec: As `format` takes it.
        decimal_spec: The same for a Decimal, which by *spec* would write ``0E-8`` for 0.00000000.
        zone: Where aware times are written.
        is_date: Only for dates and times.
        is_numeric: Only for numbers.
        is_whole: Only for whole numbers.
        is_bare: Without the number of decimals.
        max_characters: Only for texts: a longer one is cut to so many; None for no limit.
        rounding: As *spec* rounds to significant digits, such as ``.3g``; None if it does not.
    """

    spec: str
    decimal_spec: str
    zone: tzinfo = TAJIK_TIME
    is_date: bool = False
    is_numeric: bool = False
    is_whole: bool = False
    is_bare: bool = False
    max_characters: int | None = None
    rounding: str | None = None


def read_format(spec: str, *, zone: tzinfo = TAJIK_TIME) -> Format | None:
    """Read *spec*; None if no value could be written by it."""
    match = _SPEC.fullmatch(spec)
    if not match:
        return Format(spec=spec, decimal_spec=spec, zone=zone, is_date=True) if "%" in spec else None
    if not any(_fits(probe, spec) for probe in _PROBES):
        return None
    kind, precision = match["kind"], match["precision"]
    is_numeric = match["align"] == "=" or bool(match["sign"] or match["grouping"]) or kind not in _TEXT_KINDS
    is_cut = kind in _TEXT_KINDS and precision is not None
    if is_numeric and is_cut:
        return None  # ",.2" cuts no text, and what it makes of 1250.50 is 1.3e+03
    is_bare = not kind and precision is None
    return Format(
        spec=spec,
        decimal_spec=f"{spec}f" if is_bare else spec,
        zone=zone,
        is_numeric=is_numeric,
        is_whole=kind in _WHOLE_KINDS,
        is_bare=is_bare,
        max_characters=int(precision) if is_cut else None,
        rounding=(f".{precision}g" if precision else "g") if kind in _ROUNDING_KINDS else None,
    )


def write_column(values: Sequence[object], form: Format) -> tuple[list[str], list[int]]:
    """Write each of *values* by *form*.

    Returns:
        The texts, and the positions of the values that do not fit. The text at such a position, or of a
        missing value (None), has no meaning.
    """
    kinds = set(map(type, values)) - {NoneType}
    needs_a_look = len(kinds) > 1 or form.max_characters is not None or form.rounding is not None
    write_all = None if needs_a_look else _WRITERS.get(kinds.pop() if kinds else str)
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


def can_never_fit(value: object, form: Format) -> bool:
    """Whether *value* is of a kind that *form* never writes: then the text is at fault, and not the value."""
    if isinstance(value, str):
        return form.is_date or (form.max_characters is not None and is_number(value))
    if isinstance(value, date | time):
        return bool(form.spec) and not form.is_date
    return isinstance(value, Real | Decimal) and (form.is_date or form.max_characters is not None)


def _fits(value: object, spec: str) -> bool:
    try:
        format(value, spec)
    except (OverflowError, ValueError):
        return False
    return True


def _write_text(text: str, form: Format) -> str | None:
    text = str.__str__(text)  # a member of an Enum that is a text prints its name in Python
    if form.is_numeric:
        number = read_number(text)
        return None if number is None else _write_number(number, form)
    if form.is_date or is_unfit_text(text) or is_foreign_moment(text, form.zone):
        return None
    if form.max_characters is not None and is_cut_number(text, form.max_characters):
        return None  # a name may be cut, an amount may not
    return format(text, form.spec)


def _write_object(value: Any, form: Format) -> str | None:
    if is_unfit_object(value) or value != value:  # noqa: PLR0124  # NaN and NaT
        return None
    if isinstance(value, date | time):
        return _write_time(value, form)
    if form.is_date or (form.is_numeric and type(value).__name__ in _FLAGS):
        return None  # True is no amount of 1.00, as little as the text "True" of a file
    if isinstance(value, Real | Decimal) and not isinstance(value, bool):
        return _write_number(value, form)
    text = format(value, form.spec)
    return None if is_unfit_text(text) else text


def _write_time(value: date | time, form: Format) -> str | None:
    # strftime accepts every spec, and writes an unknown one as it is
    if form.spec and not form.is_date:
        return None
    if isinstance(value, time):
        return None if is_foreign_time(value, form.zone) else format(value, form.spec)
    if isinstance(value, datetime):
        value = to_zone(value, form.zone)
        if not form.spec:
            value = value.replace(tzinfo=None)  # people read the time of their clocks, without an offset
    return format(value, form.spec)


def _write_number(value: Any, form: Format) -> str | None:
    if form.max_characters is not None:
        return None
    if isinstance(value, Decimal):
        return _write_decimal(value, form)
    if isinstance(value, Integral):
        return format(int(value), form.spec) if _keeps_digits(int(value), form) else None
    # a float32 of 0.1 is written 0.1, not 0.10000000149
    number = value if isinstance(value, float) else float(str(value))
    is_fit = isfinite(number) and _keeps_digits(number, form)
    return format(_shorten(number, form), form.spec) if is_fit else None


def _write_decimal(number: Decimal, form: Format) -> str | None:
    if not _is_writable(number) or not _keeps_digits(number, form):
        return None
    if form.is_whole and number == int(number):
        return format(int(number), form.spec)
    return format(number, form.decimal_spec)


def _keeps_digits(number: float | Decimal, form: Format) -> bool:
    """Whether *form* writes all digits of *number*: by ``g``, 1234567 would be 1.23457e+06."""
    if form.rounding is None:
        return True
    written = format(number, form.rounding)
    return (float(written) if isinstance(number, float) else Decimal(written)) == number


def _shorten(number: float, form: Format) -> float:
    """Return a whole *number* as an int where the format has no decimals."""
    return int(number) if (form.is_bare or form.is_whole) and number.is_integer() else number


def _is_writable(number: Decimal) -> bool:
    return number.is_finite() and number.adjusted() < _MAX_DIGITS


def _write_texts(values: Sequence[Any], form: Format) -> list[str] | None:
    if form.is_date:
        return None
    if not form.is_numeric:
        texts = _fill(values, "")
        return None if _has_unfit_text(texts, form) else _format_all(texts, form.spec)
    texts = _fill(values, "0")
    if all(map(PLAIN_NUMBER.fullmatch, texts)):
        return _write_decimals(list(map(Decimal, texts)), form)
    numbers = list(map(read_number, texts))
    return None if None in numbers else _write_decimals(numbers, form)


def _has_unfit_text(texts: list[str], form: Format) -> bool:
    joined = "".join(texts)
    return any(mark in joined for mark in UNFIT_MARKS) and any(
        is_unfit_text(text) or is_foreign_moment(text, form.zone) for text in texts
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


_FLAGS: Final = ("bool", "bool_")
"""The types of True and False, in Python and numpy."""
_WRITERS: Final[dict[type, Callable[[Sequence[Any], Format], list[str] | None]]] = {
    Decimal: _write_decimals,
    float: _write_floats,
    int: _write_ints,
    str: _write_texts,
}
"""Writers for a column whose values are all of one type: several times faster than value by value."""
