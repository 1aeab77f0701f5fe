"""A text cut at a word, so that it is billed as no more parts than somebody wants to pay for.

Python's characters are whole, so that no cut falls inside a surrogate pair or an escape of GSM-7. A character
that is joined to what is cut off, such as a letter to its accent or one half of an emoji to the other, is cut
off, too.

Reference:
    docs/design.md "Phones and texts".
"""

import re
import unicodedata
from bisect import bisect_right
from typing import Final

from airflow_provider_osonsms.text.segments import Encoding, count_parts

_MARK: Final = "..."
"""Says that something is missing; the one character for it is not in GSM-7 and would double the parts."""
_JOINER: Final = "\u200d"
_MODIFIERS: Final = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_WORD_BREAK: Final = re.compile(r"\s+\S*$")


def shorten(text: str, *, max_parts: int) -> str:
    """Return *text*, or its first words and three dots if it is billed as more than *max_parts*.

    Args:
        text: Normalized, as `normalize_text` leaves it.
        max_parts: At least 1.
    """
    within_reach = text[: max_parts * Encoding.GSM7.single_capacity + 1]
    if len(within_reach) == len(text) and count_parts(text).parts <= max_parts:
        return text
    lengths = range(len(within_reach) + 1)
    end = bisect_right(lengths, max_parts, key=lambda n: count_parts(within_reach[:n] + _MARK).parts) - 1
    head = text[:end]
    if not text[end].isspace():
        head = _WORD_BREAK.sub("", head) or head
        if len(head) == end:
            head = _drop_half_of_character(text, end)
    return head.rstrip() + _MARK


def _drop_half_of_character(text: str, end: int) -> str:
    """Return the start of *text* up to *end*, or to before the character that would be cut there."""
    while end > 0 and (_is_joined(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[:end]


def _is_joined(character: str) -> bool:
    is_mark = unicodedata.category(character).startswith("M")
    return character == _JOINER or is_mark or _MODIFIERS.match(character) is not None
