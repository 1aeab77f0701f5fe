"""Numbers in texts, read only where one reading is possible.

=============================================  ===========================================================
written                                        is read as
=============================================  ===========================================================
``1250``, ``1250.5``, ``1250,50``, ``0,250``   itself: a comma or a point before the decimals
``1 250,50``, ``1'250.50``                     1250.50: blanks of any kind and apostrophes part thousands
``1,250,000``, ``1.250,50``                    1250000, 1250.50: only one of the marks can part decimals
``1,250``, ``1.250``                           nothing: a thousand and more, or one and a quarter
``1.25E+05``, ``1_250``, ``5 сом``              nothing
=============================================  ===========================================================
"""

import re
from decimal import Decimal
from typing import Final

_BLANKS: Final = " \u00a0\u2007\u2009\u202f'\u2019"
_MINUS: Final = "\u2212"
PLAIN_NUMBER: Final = re.compile(r"(?![+-]?[1-9][0-9]{0,2}\.[0-9]{3}\Z)[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
"""What `Decimal` reads as `read_number` does: most numbers, at once."""
_WRITTEN: Final = re.compile(
    rf"(?P<sign>[+\-{_MINUS}]?)"
    rf"(?P<whole>[1-9][0-9]{{0,2}}(?P<mark>[{_BLANKS},.])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*|[0-9]*)"
    r"(?:(?P<point>[,.])(?P<decimals>[0-9]+))?"
)
_BEGINNING: Final = re.compile(rf"\s*[+\-{_MINUS}(]?\s*[$€£₽₸]?\s*[,.]?\d")
_DIGITS: Final = re.compile(rf"\d(?:[{_BLANKS},.]?\d)*")


def read_number(text: str) -> Decimal | None:
    """Return the number that *text* is, with any blanks around it; None if it is none, or may be two."""
    match = _match(text)
    if match is None:
        return None
    mark, point = match["mark"], match["point"]
    if mark and mark in ",." and point is None and match["whole"].count(mark) == 1:
        return None
    sign = "-" if match["sign"] == _MINUS else match["sign"]
    whole = match["whole"].replace(mark, "") if mark else match["whole"]
    return Decimal(f"{sign}{whole}.{match['decimals'] or 0}" if point else f"{sign}{whole}")


def is_number(text: str) -> bool:
    """Whether *text* is a number, though perhaps with two readings."""
    return _match(text) is not None


def is_cut_number(text: str, length: int) -> bool:
    """Whether *text*, cut to *length* characters, could tell another number.

    A text that begins like a number never is cut safely: ``1250,50`` cut to two is "12".
    """
    return _BEGINNING.match(text) is not None or any(
        digits.start() < length < digits.end() for digits in _DIGITS.finditer(text)
    )


def _match(text: str) -> re.Match[str] | None:
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or not (match["whole"] or match["decimals"]):
        return None
    return None if match["mark"] and match["mark"] == match["point"] else match
