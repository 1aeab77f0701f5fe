"""Row keys: the values of a user's key column in one written form, whatever the type of the column.

One key is one text in every try: if ``7``, ``7.0`` and ``"7"`` were three keys, a single missing value, which
makes pandas read a column of ints as floats, would give every row another txn_id and text everybody again.

| given | written |
|---|---|
| ``17``, ``17.0``, ``"17"``, ``"17.0"``, ``Decimal("17.00")`` | ``17`` |
| ``17.5``, ``"17.50"``, ``Decimal("17.50")`` | ``17.5`` |
| a date, a moment at midnight, ``"2026-11-01 00:00:00"`` | ``2026-11-01`` |
| ``"2026-11-01T10:30"``, the same as a moment | ``2026-11-01 10:30:00`` |
| a moment with a zone | in UTC: ``2026-11-01 05:30:00+00:00`` |
| any other text: ``"007"``, ``"1e5"``, ``"+7"`` | as it is, in NFC, without blanks around |

Reference:
    docs/audience.md "Keys"; docs/design.md "Exactly once" (row key).
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from numbers import Integral, Real
from typing import Any, Final
from uuid import UUID

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.missing import is_blank, is_missing, list_cells
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_KEY_TYPES: Final = (str, Real, Decimal, UUID, date, np.datetime64)
_EXACT_BELOW: Final = {"float16": 2**11, "float32": 2**24, "float64": 2**53, "float": 2**53}
"""From here on, a float of this type does not hold every whole number."""
_EXACT_DIGITS: Final = str(2**53)

_PLAIN: Final = re.compile(r"[0-9]+|(?!-?[0-9]+[eE])[A-Za-z0-9_/-]{5,}")
"""Texts that are certainly written as they are: most keys. The words for a missing value are shorter."""
_UNFIT: Final = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and halves of a character: some tables cannot hold them, and no key needs them."""
_NUMBER: Final = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.([0-9]+))?")
_TINY: Final = re.compile(r"-?[0-9](?:\.[0-9]+)?e-[0-9]{2,3}")
"""How Python writes a float below 0.0001."""
_ROUNDED: Final = re.compile(r"-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,3}")
"""How a spreadsheet and Python write a number of more digits than they hold."""
_MOMENT: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<minute>[0-9]{2}:[0-9]{2})(?P<second>:[0-9]{2})?"
    r"(?:\.(?P<fraction>[0-9]+))?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


@dataclass(frozen=True, slots=True, eq=False)
class RowKeys:
    """The keys of some rows.

    Attributes:
        texts: The written forms; None where there is no key.
        codes: uint8: `RejectReason.code`, 0 where there is a key.
        dropped: How many characters of a number given as text are not in its written form: 2 of ``17.0``.
    """

    texts: NDArray[np.object_] = field(repr=False)
    codes: NDArray[np.uint8]
    dropped: NDArray[np.int64]


def normalize_keys(column: "pd.Series[Any]", name: str) -> RowKeys:
    """Return the written form of each cell of the key column *name*.

    Raises:
        InvalidMessageError: See `normalize_key`.
    """
    if str(column.dtype) in _EXACT_BELOW:
        return _normalize_floats(column.to_numpy(), name)
    cells = list_cells(column)
    texts = np.empty(len(cells), dtype=object)
    texts[:] = cells
    codes = np.zeros(len(cells), dtype=np.uint8)
    dropped = np.zeros(len(cells), dtype=np.int64)
    if column.dtype.kind in "iu" and not isinstance(column.dtype, pd.SparseDtype):
        odd = np.flatnonzero(column.isna().to_numpy()).tolist()
        texts[:] = list(map(str, cells))
    else:
        is_plain = _PLAIN.fullmatch
        odd = [place for place, cell in enumerate(cells) if not (type(cell) is str and is_plain(cell))]
    for place in odd:
        cell = cells[place]
        key = normalize_key(cell, name)
        if isinstance(key, RejectReason):
            texts[place], codes[place] = None, key.code
            continue
        texts[place] = key
        if isinstance(cell, str) and _NUMBER.fullmatch(written := cell.strip()):
            dropped[place] = len(written) - len(key)
    return RowKeys(texts, codes, dropped)


def normalize_key(value: Any, name: str) -> str | RejectReason:
    """Return *value*, of the key column *name*, in its written form, or the reason why it is no key.

    Raises:
        InvalidMessageError: *value* has no stable text, such as a list, or is a number that has lost digits.
    """
    if isinstance(value, str):
        return _normalize_text(value, name)
    if is_missing(value):
        return RejectReason.MISSING_KEY
    if not isinstance(value, _KEY_TYPES):
        raise InvalidMessageError(
            f"Column {name!r} holds a {type(value).__name__}; use a text, number, date or UUID"
        )
    if isinstance(value, Real | Decimal):
        return _normalize_number(value, name)
    return _normalize_text(value.isoformat() if isinstance(value, date) else str(value), name)


def _normalize_floats(numbers: NDArray[Any], name: str) -> RowKeys:
    exact = _EXACT_BELOW[str(numbers.dtype)]
    if (np.isfinite(numbers) & (np.abs(numbers) >= exact)).any():
        raise _make_lost_digits_error(name, f"floats of {exact:,} and more")
    texts = np.full(len(numbers), None, dtype=object)
    is_whole = np.isfinite(numbers) & (numbers == np.floor(numbers))
    texts[is_whole] = list(map(str, numbers[is_whole].astype(np.int64).tolist()))
    is_missing = np.isnan(numbers)
    for place in np.flatnonzero(~is_whole & ~is_missing).tolist():
        texts[place] = _normalize_number(numbers[place], name)
    codes = np.where(is_missing, np.uint8(RejectReason.MISSING_KEY.code), np.uint8(0))
    return RowKeys(texts, codes, np.zeros(len(numbers), dtype=np.int64))


def _normalize_text(text: str, name: str) -> str | RejectReason:
    text = unicodedata.normalize("NFC", text).strip()
    if is_blank(text):
        return RejectReason.MISSING_KEY
    if _UNFIT.search(text):
        return RejectReason.UNFIT_KEY
    if number := _NUMBER.fullmatch(text):
        return _write_number(number[1], number[2] or "", name)
    if _ROUNDED.fullmatch(text):
        raise _make_lost_digits_error(name, "rounded numbers, written like 1.23E+15")
    if _TINY.fullmatch(text):
        return format(Decimal(text), "f")
    moment = _MOMENT.fullmatch(text)
    return text if moment is None else _write_moment(moment)


def _write_number(whole: str, fraction: str, name: str) -> str:
    digits = whole.removeprefix("-")
    # "9007199254740993.0" was a float, and floats have no such number
    if fraction == "0" and (len(digits), digits) >= (len(_EXACT_DIGITS), _EXACT_DIGITS):
        raise _make_lost_digits_error(name, f"floats of {2**53:,} and more")
    fraction = fraction.rstrip("0")
    if fraction:
        return f"{whole}.{fraction}"
    return "0" if whole == "-0" else whole


def _normalize_number(number: Any, name: str) -> str | RejectReason:
    exact = _EXACT_BELOW.get(type(number).__name__)
    if exact is not None and isfinite(number) and abs(number) >= exact:
        raise _make_lost_digits_error(name, f"floats of {exact:,} and more")
    try:
        if isinstance(number, Integral):
            return str(number)
        is_finite = number.is_finite() if isinstance(number, Decimal) else isfinite(number)
        if not is_finite:
            return str(float(number))
        if number == int(number):
            return str(int(number))
        text = str(number)  # a fraction is written like 1/3
        return text if "/" in text else _normalize_text(format(Decimal(text), "f"), name)
    except (ValueError, OverflowError):  # no text holds an int of more than 4,300 digits
        return RejectReason.UNFIT_KEY


def _write_moment(moment: re.Match[str]) -> str:
    """Return a moment with blank between day and time, in UTC if it has a zone, midnight as the day alone."""
    day, time = moment["day"], moment["minute"] + (moment["second"] or ":00")
    fraction = (moment["fraction"] or "").rstrip("0")
    fraction = f".{fraction}" if fraction else ""
    if not moment["zone"]:
        return f"{day} {time}{fraction}" if fraction or time != "00:00:00" else day
    try:
        utc = datetime.fromisoformat(f"{day}T{time}{moment['zone']}").astimezone(UTC)
    except (ValueError, OverflowError):  # no moment of any calendar: it is a text
        return moment[0]
    return f"{utc.replace(tzinfo=None).isoformat(' ')}{fraction}+00:00"


def _make_lost_digits_error(name: str, what: str) -> InvalidMessageError:
    return InvalidMessageError(
        f"Column {name!r} holds {what}, which have lost digits: different keys may have become one. Read the "
        f"column with dtype=str or 'Int64'"
    )
