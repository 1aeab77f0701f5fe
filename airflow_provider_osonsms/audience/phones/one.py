"""One phone, as people, spreadsheets and databases write it, as an MSISDN or a reject reason.

Lost digits are never repaired, because a guess could text a stranger. Spelling and length decide, and never
the prefix of a network: networks get new prefixes.

Reference:
    docs/design.md "Phones and texts"; docs/wire-notes.md "Phones" (12 digits, +992 only).
"""

import re
from decimal import Decimal
from fractions import Fraction
from math import inf
from numbers import Integral, Real
from typing import Any, Final

from airflow_provider_osonsms.audience.missing import is_blank, is_missing
from airflow_provider_osonsms.audience.reasons import RejectReason

_COUNTRY: Final = "992"
_LOCAL_LENGTH: Final = 9
_FULL_LENGTH: Final = 12
_FOREIGN_LENGTH: Final = 11
_AMBIGUOUS_LENGTHS: Final = (7, 8)
_MAX_NUMBER: Final = 10**15
_ROUNDING: Final = 10**6
"""Excel shows only the first six digits of a number of twelve."""
_FLOAT32_EXACT: Final = 2**24

_MSISDN: Final = re.compile(r"992[0-9]{9}")
_DASHES: Final = r"\-\u2010-\u2015\u2212"
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?\s*[eE]\s*[+-]?\s*[0-9]+")
_WHOLE_FLOAT: Final = re.compile(r"([0-9]{4,})[.,]0+")
_FRACTION: Final = re.compile(r"[0-9]{4,}\.[0-9]+")
_SPELLING: Final = re.compile(rf"[0-9\s().+,;/|{_DASHES}]+")
_BETWEEN_NUMBERS: Final = re.compile(r"[,;/|\r\n]+|\s(?=\+)")
_ONE_NUMBER: Final = re.compile(rf"[\s(]*(?:\+[\s(]*)?[0-9](?:[0-9\s().{_DASHES}]*[0-9)])?")
_WRAPPED: Final = re.compile(r"""=\s*"([^"]*)"|'+([^']*)'?""")
"""How spreadsheets export a text that looks like a number: ``="992…"``, ``'992…``."""
_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+)(?:\.0+)?")
"""How they export a number with a separator of thousands."""
_DIGIT: Final = re.compile(r"[0-9]")
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]+")

_BULLETS: Final = "•" * 5
_SHOWS_TWO_DIGITS: Final = re.compile(r".{5,}[0-9]{2}", re.DOTALL)


def normalize_phone(value: object) -> str | RejectReason:
    """Return *value* as an MSISDN, or the reason why it is not one.

    Every object is accepted, and none raises. A `RejectReason` is a str too, so test the result with
    ``isinstance(result, RejectReason)``.

    Reference:
        docs/design.md "Phones and texts".
    """
    if isinstance(value, str):
        return _read_text(value)
    if is_missing(value):
        return RejectReason.EMPTY
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return RejectReason.NOT_A_NUMBER
    try:
        return _read_number(value)
    except (ArithmeticError, TypeError, ValueError):
        return RejectReason.NOT_A_NUMBER


def mask_phone(value: object) -> str:
    """Return *value* masked for a log: ``992•••••777`` for an MSISDN, else at most its last two digits."""
    text = value.strip() if isinstance(value, str) else _print_number(value)
    if _MSISDN.fullmatch(text):
        return f"{text[:3]}{_BULLETS}{text[-3:]}"
    return f"{_BULLETS}{text[-2:]}" if _SHOWS_TWO_DIGITS.fullmatch(text) else _BULLETS


def _read_text(text: str) -> str | RejectReason:
    if match := _MSISDN.fullmatch(text):
        return match[0]
    text = _INVISIBLE.sub("", text).strip()
    if wrapped := _WRAPPED.fullmatch(text):
        text = (wrapped[1] or wrapped[2] or "").strip()
    if is_blank(text):
        return RejectReason.EMPTY
    if _SCIENTIFIC.fullmatch(text):
        return RejectReason.LOST_DIGITS
    if number := _WHOLE_FLOAT.fullmatch(text) or _GROUPED.fullmatch(text):
        return _read_number(float(number[1].replace(",", "")))
    if _FRACTION.fullmatch(text) or not _SPELLING.fullmatch(text):
        return RejectReason.NOT_A_NUMBER
    return _read_spelling(text, _NOT_A_DIGIT.sub("", text))


def _read_spelling(text: str, digits: str) -> str | RejectReason:
    if _has_several_numbers(text, digits):
        return RejectReason.SEVERAL_NUMBERS
    if not _ONE_NUMBER.fullmatch(text):
        return RejectReason.NOT_A_NUMBER
    if "+" in text:
        return _read_international(digits)
    # nine digits are a local number, also when they start with 00: length decides
    if digits.startswith("00") and len(digits) > _LOCAL_LENGTH:
        return _read_international(digits[2:])
    return _read_digits(digits)


def _has_several_numbers(text: str, digits: str) -> bool:
    if _BETWEEN_NUMBERS.search(text):
        pieces = _BETWEEN_NUMBERS.split(text)
        if sum(_DIGIT.search(piece) is not None for piece in pieces) > 1:
            return True
    if len(digits) < 2 * _LOCAL_LENGTH:
        return False
    words = [_NOT_A_DIGIT.sub("", word) for word in text.split()]
    return sum(len(word) >= _LOCAL_LENGTH for word in words) > 1


def _read_international(digits: str) -> str | RejectReason:
    if not digits.startswith(_COUNTRY):
        return RejectReason.FOREIGN_COUNTRY
    if len(digits) == _FULL_LENGTH:
        return digits
    return RejectReason.TOO_SHORT if len(digits) < _FULL_LENGTH else RejectReason.TOO_LONG


def _read_digits(digits: str) -> str | RejectReason:
    length = len(digits)
    if length == _LOCAL_LENGTH:
        return _COUNTRY + digits
    if length == _FULL_LENGTH or (length == _FOREIGN_LENGTH and digits[0] in "78"):
        return _read_international(digits)
    return RejectReason.TOO_SHORT if length < _FULL_LENGTH else RejectReason.TOO_LONG


def _read_number(value: Any) -> str | RejectReason:
    exact: Any = value if isinstance(value, Integral | Decimal | Fraction) else float(value)
    if exact < 0 or exact == inf:
        return RejectReason.NOT_A_NUMBER
    if exact >= _MAX_NUMBER:
        return RejectReason.TOO_LONG
    number = int(exact)
    if number != exact:
        return RejectReason.NOT_A_NUMBER
    digits = str(number)
    if _has_lost_digits(value, digits):
        return RejectReason.LOST_DIGITS
    return RejectReason.AMBIGUOUS_SHORT if len(digits) in _AMBIGUOUS_LENGTHS else _read_digits(digits)


def _has_lost_digits(value: Any, digits: str) -> bool:
    """Whether *value* has been rounded: by a spreadsheet (``9.92928E+11``) or as a float of 32 bits."""
    if isinstance(value, Decimal):
        return int(value.as_tuple().exponent) > 0
    if isinstance(value, Integral | Fraction):
        return False
    is_narrow = getattr(value, "itemsize", 8) < 8  # noqa: PLR2004  # bytes of a float that holds 12 digits
    is_rounded = len(digits) in (_LOCAL_LENGTH, _FULL_LENGTH) and int(digits) % _ROUNDING == 0
    return is_rounded or (is_narrow and int(digits) > _FLOAT32_EXACT)


def _print_number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, Integral | float):
        return ""
    try:
        return str(int(value))
    except (OverflowError, ValueError):
        return ""
