"""Many texts at a time: as `normalize_text` leaves them, with the parts that `count_parts` counts.

All texts become one row of UTF-16 units, a table tells what each unit means for its text, and only the rare
text that needs more than lengths (marks to compose, pairs at the border of two parts) is looked at alone.

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
"""`normalize_text` may change a text that has it."""
_LAST_SINGLE: Final = 0xFFFF
"""The last character of one UTF-16 unit."""

_JAMO: Final = range(0x1100, 0x1200)
_HIGH_SURROGATES: Final = range(0xD800, 0xDC00)
_EMOJI: Final = range(0xD83C, 0xD83F)
"""High surrogates of U+1F000 to U+1FBFF, where nothing is composed."""

_BLOCK: Final = 512
"""Texts at a time: more would take and give back memory each time, and twice as long."""

Counts = NDArray[np.int64]
Flags = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Texts as they are sent, and row by row what they cost.

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
        """Return what is known about the texts at *rows*, in that order."""
        chosen = np.asarray(rows, np.intp)
        return Measured(
            texts=[self.texts[row] for row in rows],
            parts=self.parts[chosen],
            is_ucs2=self.is_ucs2[chosen],
            foreign=self.foreign[chosen],
        )


class _Survey(NamedTuple):
    """Row by row the UTF-16 units, and how many of them are what."""

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
    survey = _prepare_texts(sent)
    suspects = np.flatnonzero(survey.suspects).tolist()
    if suspects:
        for row in suspects:
            sent[row] = normalize_text(sent[row])
        survey = _prepare_texts(sent)
    is_ucs2 = survey.foreign > 0
    return Measured(texts=sent, parts=_count(sent, survey, is_ucs2), is_ucs2=is_ucs2, foreign=survey.foreign)


def _count(texts: list[str], survey: _Survey, is_ucs2: NDArray[np.bool_]) -> Counts:
    units = np.where(is_ucs2, survey.units, survey.units + survey.extensions)
    is_one = units <= np.where(is_ucs2, Encoding.UCS2.single_capacity, Encoding.GSM7.single_capacity)
    capacity = np.where(is_ucs2, Encoding.UCS2.part_capacity, Encoding.GSM7.part_capacity)
    parts: Counts = np.where(is_one, np.minimum(units, 1), -(-units // capacity))
    torn = np.where(is_ucs2, survey.torn_surrogates, survey.torn_escapes)
    for row in np.flatnonzero((torn > 0) & ~is_one).tolist():
        parts[row] = count_parts(texts[row]).parts
    return parts


def _prepare_texts(texts: list[str]) -> _Survey:
    blocks = range(0, max(len(texts), 1), _BLOCK)
    surveys = [_survey_block(texts[start : start + _BLOCK]) for start in blocks]
    return _Survey(*map(np.concatenate, zip(*surveys, strict=True)))


def _survey_block(texts: list[str]) -> _Survey:
    joined = "".join(texts)
    # without borders two lone surrogates may meet: they are still two units, each counted for its own text
    codes = np.frombuffer(joined.encode("utf-16-le", "surrogatepass"), np.dtype("<u2"))
    units = np.fromiter(map(len, texts), np.int64, len(texts))
    if codes.size > len(joined):
        units += _count_astral(joined, units)
    flags = _FLAGS.take(codes)
    return _Survey(
        units=units,
        foreign=_estimate(flags & _FOREIGN, units),
        extensions=_estimate(flags & _EXTENSION, units),
        suspects=_estimate(flags & _SUSPECT, units),
        torn_escapes=_tally_torn(
            flags & _EXTENSION, units, capacity=Encoding.GSM7.part_capacity, widens=True
        ),
        torn_surrogates=_tally_torn(flags & _HIGH, units, capacity=Encoding.UCS2.part_capacity, widens=False),
    )


def _count_astral(joined: str, lengths: Counts) -> Counts:
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    return _estimate(codes > _LAST_SINGLE, lengths)


def _estimate(marks: NDArray[Any], lengths: Counts) -> Counts:
    """Count the marks, in stretches of *lengths*."""
    counts = np.zeros(lengths.size, np.int64)
    if marks.any():
        is_filled = lengths > 0  # reduceat knows no empty stretch
        starts = (np.cumsum(lengths) - lengths)[is_filled]
        counts[is_filled] = np.add.reduceat(marks.astype(np.bool_), starts, dtype=np.int64)
    return counts


def _tally_torn(marks: NDArray[Any], lengths: Counts, *, capacity: int, widens: bool) -> Counts:
    """Count the marks on the last unit of a part, if parts are filled without gaps.

    A mark *widens* a text when it stands for two units while its own place is one.
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
