"""Every number that a cell may hold, for lists of people who must not be texted.

In such a list a number too much does no harm, and one too few texts somebody who has asked for silence. So a
cell is searched for numbers however they are written, and digits that are in none of them are reported.

Reference:
    docs/audience.md "Who is never texted".
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

_LOCAL_LENGTH: Final = 9
_MAX_LENGTH: Final = 15
"""Of an international number; with the way to dial abroad, one of ours has as many."""
_WAYS_TO_DIAL: Final = ("", "00", "810", "8", "0")
_COUNTRIES: Final = ("992", "")
_TRUNKS: Final = ("0", "")

_STRETCH: Final = re.compile(r"[^\W\d_]+")
"""Letters, which end a number."""
_BETWEEN_NUMBERS: Final = re.compile(r"[,;/|\t\r\n]+|(?=\+)")
_GROUP: Final = re.compile(r"\d+")
_ENDINGS: Final = re.compile(r"(\d)((?:\s*/\s*\d{1,4})+)\s*(?!\d)")
"""Other numbers that differ in the last digits only: ``90 000 00 01/02``."""
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d*)?\s*[eEеЕ]\s*\+\s*\d{1,2}(?!\d)")
"""What a spreadsheet has left of a phone: ``9.929E+11``."""
_ABROAD: Final = re.compile(r"(?:\+|00|810)(?!992)[1-9]\d{9,14}|[78]\d{10}|(?!992)[1-9]\d{11}")
"""A number with its country; without a sign of that, one of Russia or Kazakhstan, or any of 12 digits."""


class CellKind(Enum):
    """What a cell holds."""

    PHONES = auto()
    """One phone of Tajikistan or more."""
    FOREIGN = auto()
    """Phones of other countries only."""
    UNREAD = auto()
    """The digits of a phone, and they cannot be read."""
    OTHER = auto()
    """Too few digits for a phone."""


@dataclass(slots=True)
class _Found:
    """What was found in a text: MSISDNs, phones from abroad, and digits that are in none of them."""

    msisdns: set[int] = field(default_factory=set)
    foreign: int = 0
    unread: int = 0

    def add(self, other: "_Found") -> None:
        self.msisdns |= other.msisdns
        self.foreign += other.foreign
        self.unread += other.unread


def find_phones(cell: object) -> tuple[set[int], CellKind]:
    """Return the MSISDNs of all numbers that *cell* may hold, and what it holds."""
    text = _write_out(cell)
    found = _Found()
    for stretch in _STRETCH.split(text):
        found.add(_read_stretch(stretch))
    if found.unread >= _LOCAL_LENGTH or _SCIENTIFIC.search(text):
        return found.msisdns, CellKind.UNREAD
    if found.msisdns:
        return found.msisdns, CellKind.PHONES
    return found.msisdns, CellKind.FOREIGN if found.foreign else CellKind.OTHER


def _write_out(cell: object) -> str:
    """Return *cell* as text, with plain digits instead of those of other scripts, and nothing invisible."""
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes | bytearray) else str(cell)
    return "".join(_write_plain(character) for character in unicodedata.normalize("NFKC", text))


def _write_plain(character: str) -> str:
    if character.isdecimal():
        return str(int(character))
    return "" if unicodedata.category(character) == "Cf" else character


def _read_stretch(stretch: str) -> _Found:
    """Read a text without letters: number by number, else as one number with unusual separators."""
    found = _Found()
    for part in _BETWEEN_NUMBERS.split(stretch):
        found.add(_read_part(part))
    found.msisdns |= set(_read_endings(stretch))
    if found.msisdns or found.foreign or found.unread < _LOCAL_LENGTH:
        return found
    whole = _read_part(stretch)
    return whole if whole.msisdns else found  # pieces of ours may look like one number from abroad


def _read_endings(stretch: str) -> Iterator[int]:
    """Yield the numbers of which only the last digits are written."""
    for match in _ENDINGS.finditer(stretch):
        first = _BETWEEN_NUMBERS.split(stretch[: match.end(1)])[-1]
        for msisdn in _read_part(first).msisdns:
            for ending in _GROUP.findall(match[2]):
                yield int(f"{str(msisdn)[: -len(ending)]}{ending}")


def _read_part(part: str) -> _Found:
    """Read what may be one number, or several with blanks between."""
    groups = _GROUP.findall(part)
    digits = "".join(groups)
    if len(digits) < _LOCAL_LENGTH:
        return _Found(unread=len(digits))
    if ours := set(_read_ours(digits)):
        return _Found(msisdns=ours)
    sign = "+" if "+" in part.partition(groups[0])[0] else ""
    if _ABROAD.fullmatch(sign + digits):
        return _Found(foreign=1)
    return _search(groups)


def _read_ours(digits: str) -> Iterator[int]:
    """Yield the MSISDNs as which *digits* can be dialed in Tajikistan, or from abroad."""
    for way in _WAYS_TO_DIAL:
        for country in _COUNTRIES:
            for trunk in _TRUNKS:
                prefix = way + country + trunk
                if len(digits) == len(prefix) + _LOCAL_LENGTH and digits.startswith(prefix):
                    yield int(f"992{digits[-_LOCAL_LENGTH:]}")


def _search(groups: list[str]) -> _Found:
    """Find neighbors among *groups* of digits that make a number: whole ones first, then local ones."""
    found = _Found()
    is_read = [False] * len(groups)
    for is_whole in (True, False):
        for start in range(len(groups)):
            joined = ""
            for end in range(start, len(groups)):
                joined += groups[end]
                if is_read[end] or len(joined) > _MAX_LENGTH:
                    break
                if ("992" in joined and len(joined) > _LOCAL_LENGTH) is not is_whole:
                    continue
                if ours := set(_read_ours(joined)):
                    found.msisdns |= ours
                    is_read[start : end + 1] = [True] * (end + 1 - start)
                    break
    found.unread = sum(len(group) for group, was_read in zip(groups, is_read, strict=True) if not was_read)
    return found
