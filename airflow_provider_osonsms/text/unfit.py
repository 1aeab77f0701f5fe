"""What no person should read: error values of spreadsheets, and what Python writes of an object.

A spreadsheet exports the errors of its formulas as texts, in its own language: ``#N/A``, ``#Н/Д``,
``#ЗНАЧ!``. They share a form, so no list of them has to be complete.
"""

import re
from collections.abc import Iterable, Sequence, Sized
from enum import Enum
from typing import Final

UNFIT_MARKS: Final = "#<:'\""
"""One of them is in every text that is unfit, or a time: to look for them in many texts at once is fast."""
_UNFIT: Final = re.compile(
    r"""\s*(?:
    (?-i:\#[A-ZÀ-ÞА-ЯЁ][A-ZÀ-ÞА-ЯЁ0-9_/]*[!?])  # #VALUE!  #DIV/0!  #NAME?  #ССЫЛКА!  #ДЕЛ/0!  #ИМЯ?
    | \#[^\W\d_]/[^\W\d_](?:\ N/A)? # #N/A  #Н/Д  #N/D
    | \#(?:NV|GETTING_DATA|ОЖИДАНИЕ_ДАННЫХ|ЗАГРУЗКА_ДАННЫХ|\#+)
    | Err:[0-9]+                    # LibreOffice
    | <.*\ at\ 0x[0-9a-f]+>         # an object without a text of its own
    | b(?:'.*'|".*")                # bytes
    )\s*""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def is_unfit_text(text: str) -> bool:
    """Whether *text* is an error value of a spreadsheet, or what Python writes of bytes or an object."""
    return _UNFIT.fullmatch(text) is not None


def find_unfit_texts(texts: Sequence[str]) -> list[int]:
    """Return the places of the texts that are unfit."""
    joined = "".join(texts)
    if not any(mark in joined for mark in UNFIT_MARKS):
        return []
    return [place for place, text in enumerate(texts) if is_unfit_text(text)]


def is_unfit_object(value: object) -> bool:
    """Whether *value*, which is no text, has no text for people: a container, or an object by its repr."""
    kind = type(value)
    has_repr_only = kind.__format__ is object.__format__ and kind.__str__ is object.__str__
    is_enum = isinstance(value, Enum) and kind.__str__ is Enum.__str__
    return isinstance(value, Iterable | Sized) or has_repr_only or is_enum
