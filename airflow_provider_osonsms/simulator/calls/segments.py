"""The number of parts that a text is billed as (3GPP TS 23.038 and 23.040)."""

from typing import Final

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = "^{}\\[~]|€\f"
_SEPTETS: Final = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_EXTENDED, 2)

_GSM7_SINGLE, _GSM7_PART = 160, 153
_UCS2_SINGLE, _UCS2_PART = 70, 67
_LAST_OF_BASIC_PLANE: Final = "\uffff"


def count_parts(text: str) -> int:
    """Count the parts of *text*; a character of two units is never split between two parts."""
    if len(text) <= _UCS2_SINGLE and (text.isascii() or max(text) <= _LAST_OF_BASIC_PLANE):
        return 1  # one part in both alphabets
    try:
        return _pack([_SEPTETS[character] for character in text], single=_GSM7_SINGLE, part=_GSM7_PART)
    except KeyError:
        units = [1 + (character > _LAST_OF_BASIC_PLANE) for character in text]
        return _pack(units, single=_UCS2_SINGLE, part=_UCS2_PART)


def _pack(widths: list[int], *, single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts
