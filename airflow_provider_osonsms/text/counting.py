"""Many texts at a time, with the results of `normalize_text` and `count_parts`.

All texts become one array of UTF-16 units, and a table of flags says what each unit means. Only the rare text
that needs more than counts (marks to compose, pairs at the border of two parts) is read by itself.

Reference:
    docs/design.md "Phones and texts".
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.text.segments import Encoding, count_parts, find_foreign, normalize_text

_FOREIGN: Final = 1
"""Not in GSM-7."""
_EXTENSION: Final = 2
"""Two septets in GSM-7."""
_HIGH: Final = 4
"""The first half of a surrogate pair."""
_SUSPECT: Final = 8
"""`normalize_text` may change a text that has this unit."""
_LAST_SINGLE: Final = 0xFFFF
"""The last character that is one UTF-16 unit."""

_JAMO: Final = range(0x1100, 0x1200)
_HIGH_SURROGATES: Final = range(0xD800, 0xDC00)
_EMOJI: Final = range(0xD83C, 0xD83F)
"""High surrogates of U+1F000 to U+1FBFF, where nothing is composed."""

_BLOCK: Final = 512
"""Texts at a time: larger blocks allocate and free memory each time, and take twice as long."""

Counts = NDArray[np.int64]
Flags = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Texts as they are sent, and the parts of each.

    Attributes:
        texts: Normalized.
        parts: Billed parts; 0 for an empty text.
        is_ucs2: Whether the text travels in UCS-2.
        foreign: UTF-16 units outside GSM-7.
    """

    texts: list[str] = field(repr=False)
    parts: Counts
    is_ucs2: NDArray[np.bool_]
    foreign: Counts

    def take(self, rows: Sequence[int]) -> "Measured":
        """Return the texts at *rows* with their counts, in that order."""
        chosen = np.asarray(rows, np.intp)
        return Measured(
            texts=[self.texts[row] for row in rows],
            parts=self.parts[chosen],
            is_ucs2=self.is_ucs2[chosen],
            foreign=self.foreign[chosen],
        )


class _UnitCounts(NamedTuple):
    """UTF-16 units of each text: all of them, and those of each kind."""

    units: Counts
    foreign: Counts
    extensions: Counts
    suspects: Counts
    torn_escapes: Counts
    torn_surrogates: Counts


def measure(texts: Sequence[str]) -> Measured:
    """Normalize *texts* and count their parts.

    Reference:
        docs/design.md "Phones and texts".
    """
    sent = list(texts)
    counts = _count_units(sent)
    suspects = np.flatnonzero(counts.suspects).tolist()
    if suspects:
        for row in suspects:
            sent[row] = normalize_text(sent[row])
        counts = _count_units(sent)
    is_ucs2 = counts.foreign > 0
    return Measured(
        texts=sent, parts=_count_parts(sent, counts, is_ucs2), is_ucs2=is_ucs2, foreign=counts.foreign
    )


def _count_parts(texts: list[str], counts: _UnitCounts, is_ucs2: NDArray[np.bool_]) -> Counts:
    units = np.where(is_ucs2, counts.units, counts.units + counts.extensions)
    is_one = units <= np.where(is_ucs2, Encoding.UCS2.single_capacity, Encoding.GSM7.single_capacity)
    capacity = np.where(is_ucs2, Encoding.UCS2.part_capacity, Encoding.GSM7.part_capacity)
    parts: Counts = np.where(is_one, np.minimum(units, 1), -(-units // capacity))
    torn = np.where(is_ucs2, counts.torn_surrogates, counts.torn_escapes)
    for row in np.flatnonzero((torn > 0) & ~is_one).tolist():
        parts[row] = count_parts(texts[row]).parts
    return parts


def _count_units(texts: list[str]) -> _UnitCounts:
    blocks = range(0, max(len(texts), 1), _BLOCK)
    blocks_of_counts = [_count_block(texts[start : start + _BLOCK]) for start in blocks]
    return _UnitCounts(*map(np.concatenate, zip(*blocks_of_counts, strict=True)))


def _count_block(texts: list[str]) -> _UnitCounts:
    joined = "".join(texts)
    # two lone surrogates of two texts may become neighbors: still two units, each counted for its own text
    codes = np.frombuffer(joined.encode("utf-16-le", "surrogatepass"), np.dtype("<u2"))
    units = np.fromiter(map(len, texts), np.int64, len(texts))
    if codes.size > len(joined):
        units += _count_astral(joined, units)
    flags = _FLAGS.take(codes)
    return _UnitCounts(
        units=units,
        foreign=_count_marks(flags & _FOREIGN, units),
        extensions=_count_marks(flags & _EXTENSION, units),
        suspects=_count_marks(flags & _SUSPECT, units),
        torn_escapes=_count_torn(
            flags & _EXTENSION, units, capacity=Encoding.GSM7.part_capacity, widens=True
        ),
        torn_surrogates=_count_torn(flags & _HIGH, units, capacity=Encoding.UCS2.part_capacity, widens=False),
    )


def _count_astral(joined: str, lengths: Counts) -> Counts:
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    return _count_marks(codes > _LAST_SINGLE, lengths)


def _count_marks(marks: NDArray[Any], lengths: Counts) -> Counts:
    """Count the marks of each text; *lengths* are the lengths of the texts."""
    counts = np.zeros(lengths.size, np.int64)
    if marks.any():
        is_filled = lengths > 0  # reduceat cannot sum an empty text
        starts = (np.cumsum(lengths) - lengths)[is_filled]
        counts[is_filled] = np.add.reduceat(marks.astype(np.bool_), starts, dtype=np.int64)
    return counts


def _count_torn(marks: NDArray[Any], lengths: Counts, *, capacity: int, widens: bool) -> Counts:
    """Count the marks that stand on the last unit of a part, if parts were filled without gaps.

    A mark *widens* a text when it costs two units but is one unit in *marks*, as a GSM-7 extension is.
    """
    if not marks.any():
        return np.zeros(lengths.size, np.int64)
    at = np.flatnonzero(marks)
    ends = np.cumsum(lengths)
    rows = np.searchsorted(ends, at, side="right")
    offsets = at - (ends - lengths)[rows]
    if widens:
        offsets += np.arange(at.size) - np.searchsorted(rows, rows)
    return np.bincount(rows[offsets % capacity == capacity - 1], minlength=lengths.size)


def _build_flags() -> Flags:
    characters = [chr(code) for code in range(_LAST_SINGLE + 1)]
    foreign = set(find_foreign("".join(characters)))
    flags = np.zeros(len(characters), np.uint8)
    for flag, members in {
        _FOREIGN: foreign,
        _EXTENSION: (each for each in characters if each not in foreign and count_parts(each).units > 1),
        _HIGH: map(chr, _HIGH_SURROGATES),
        _SUSPECT: filter(_is_suspect, characters),
    }.items():
        flags[[ord(each) for each in members]] |= flag
    return flags


def _is_suspect(character: str) -> bool:
    code = ord(character)
    is_other_plane = code in _HIGH_SURROGATES and code not in _EMOJI
    is_composing = code in _JAMO or unicodedata.category(character).startswith("M")
    return is_other_plane or is_composing or normalize_text(character) != character


_FLAGS: Final = _build_flags()
