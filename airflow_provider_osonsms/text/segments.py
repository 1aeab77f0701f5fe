r"""How many parts a text is billed in.

==========  ==============  =============  =======================================
encoding    one part holds  of several     what is never split between two parts
==========  ==============  =============  =======================================
GSM-7       160 septets     153 septets    the two septets of ``^{}\[~]|€`` and FF
UCS-2       70 units        67 units       the two units of a surrogate pair
==========  ==============  =============  =======================================

One character outside GSM-7, a Cyrillic letter say, makes the whole text UCS-2.

Reference:
    docs/design.md "Phones and texts"; 3GPP TS 23.038 (alphabet) and TS 23.040 (concatenation).
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_GSM7_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION: Final = "^{}\\[~]|€\f"
_GSM7: Final = re.compile(f"[{re.escape(_GSM7_BASIC + _GSM7_EXTENSION)}]*+")
_FOREIGN: Final = re.compile(f"[^{re.escape(_GSM7_BASIC + _GSM7_EXTENSION)}]")

_ESCAPE: Final = "\x1b"
"""Marks the first half of a pair; as a character of a text, it is not in GSM-7."""
_EXTENSION: Final = re.compile(f"[{re.escape(_GSM7_EXTENSION)}]")
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")

_LINE_END: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
_BLANK: Final = re.compile("[\t\v\f]")
_INVISIBLE: Final = re.compile(
    # controls, soft hyphens and zero-width characters
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u180e\u200b\u200c\u2060-\u2064\ufeff\ufff9-\ufffb"
    # marks of the direction of writing: they can turn the digits of an amount around
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]"
    # a zero-width joiner before an emoji is kept: it joins the parts of one emoji
    "|\u200d(?![\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff])"
)


class Encoding(StrEnum):
    """The alphabet that a text is sent in."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"

    @property
    def single_capacity(self) -> int:
        """Units in a message of one part."""
        return 160 if self is Encoding.GSM7 else 70

    @property
    def part_capacity(self) -> int:
        """Units in each part of a longer message."""
        return 153 if self is Encoding.GSM7 else 67


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """The length of a text, and the parts that it is billed as.

    Attributes:
        encoding: The alphabet of the whole text.
        units: Septets (GSM-7) or UTF-16 units (UCS-2), without the gaps before a pair that starts a part.
        parts: Billed parts; 0 for an empty text.
    """

    encoding: Encoding
    units: int
    parts: int


def normalize_text(text: str) -> str:
    """Return *text* as it is counted and sent: NFC, without characters that nobody sees.

    Line ends of any kind are line feeds, and tabs are blanks. Other controls, zero-width characters, soft
    hyphens and marks of the direction of writing are left out.

    Reference:
        docs/design.md "Phones and texts".
    """
    lines = _BLANK.sub(" ", _LINE_END.sub("\n", text))
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", lines))


def count_parts(text: str) -> Segments:
    """Count the parts of *text*, which is normalized already (`normalize_text`).

    Reference:
        docs/design.md "Phones and texts".
    """
    if _GSM7.fullmatch(text):
        encoding, double = Encoding.GSM7, _EXTENSION
    else:
        encoding, double = Encoding.UCS2, _ASTRAL
    if not double.search(text):
        return _measure(encoding, len(text))
    laid_out = double.sub(f"{_ESCAPE}.", text.replace(_ESCAPE, "."))
    return _measure(encoding, len(laid_out), laid_out=laid_out)


def find_foreign(text: str) -> list[str]:
    """Return the characters of *text* that are not in GSM-7, each as often as it occurs."""
    return _FOREIGN.findall(text)


def _measure(encoding: Encoding, units: int, *, laid_out: str = "") -> Segments:
    if units <= encoding.single_capacity:
        parts = min(units, 1)
    elif laid_out:
        parts = _fill_parts(laid_out, encoding.part_capacity)
    else:
        parts = -(-units // encoding.part_capacity)
    return Segments(encoding=encoding, units=units, parts=parts)


def _fill_parts(laid_out: str, capacity: int) -> int:
    """Fill part after part; leave a gap where the last unit of a part would be half a pair."""
    parts = start = 0
    while start < len(laid_out):
        end = start + capacity
        start = end - (laid_out[end - 1 : end] == _ESCAPE)
        parts += 1
    return parts
