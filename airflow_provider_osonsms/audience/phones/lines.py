"""Thousands of short texts as one buffer of bytes, and which spelling of a phone each certainly has.

No text is read by itself. `read_digits` reads the texts that are only digits. `Lines` counts how often each
kind of byte occurs in a text, before its first digit and after its last; that settles most of the others.
What a phone is, is decided in `column` and `one`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final

import numpy as np
from numpy.typing import NDArray

_Bytes = NDArray[np.uint8]
_Integers = NDArray[np.int64]
_Flags = NDArray[np.bool_]

MAX_LINE_LENGTH: Final = 63
MAX_DIGITS: Final = 16
MIN_DIGITS_OF_TWO: Final = 18
"""Two phones have no fewer digits."""
POWERS: Final = 10 ** np.arange(MAX_DIGITS + 1, dtype=np.int64)

_PADDING: Final = "0" * MAX_DIGITS
_WIDTH: Final = MAX_LINE_LENGTH.bit_length()
_COUNT: Final = MAX_LINE_LENGTH
_KINDS: Final = (digits, " \t", "(", ")", "-", "+", ".", ",;/|", ascii_letters)
_DIGIT, _SPACE, _OPEN, _CLOSE, _DASH, _PLUS, _DOT, _BETWEEN, _LETTER, _OTHER = (
    1 << _WIDTH * place for place in range(len(_KINDS) + 1)
)
_SHORTEST_FLOAT: Final = len("1234.0")
_SHORTEST_SCIENTIFIC: Final = len("9.E+11")
_STEPS: Final = (
    (10 * 2**8 + 1, 8, 0x00FF00FF00FF00FF),
    (100 * 2**16 + 1, 16, 0x0000FFFF0000FFFF),
    (10_000 * 2**32 + 1, 32, 0x00000000FFFFFFFF),
)
"""Each step joins neighbors: 8 digits become 4 pairs, then 2 numbers of 4 digits, then 1 of 8 digits."""


def _weigh_bytes() -> _Integers:
    weights = np.full(256, _OTHER, dtype=np.int64)
    for place, kind in enumerate(_KINDS):
        weights[list(kind.encode())] = 1 << _WIDTH * place
    return weights


_WEIGHTS: Final = _weigh_bytes()
"""A sum of these holds ten counts of 6 bits: how often each kind of byte occurs."""


def read_digits(texts: Sequence[str]) -> tuple[_Integers, _Integers]:
    """Return the value and the length of each text of 1 to 16 digits; 0 and 0 for every other text."""
    joined = _PADDING + "\n" + "\n".join(texts) + "\n"
    buffer = np.frombuffer(joined.encode("ascii", "replace"), dtype=np.uint8)
    marks = np.flatnonzero(~_are_digits(buffer))
    ends_a_line = buffer[marks] == ord("\n")
    ends = marks[ends_a_line]
    lengths = np.diff(ends) - 1
    if len(lengths) != len(texts):  # a text has a line end inside
        return np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=np.int64)
    has_marks = np.diff(np.flatnonzero(ends_a_line)) > 1
    lengths[has_marks | (lengths > MAX_DIGITS)] = 0
    return read_numbers(buffer, ends[1:], lengths), lengths


def read_numbers(buffer: _Bytes, ends: _Integers, lengths: _Integers) -> _Integers:
    """Return the value of the digits, at most 16, before each of *ends*."""
    windows = np.ndarray(len(buffer) - MAX_DIGITS + 1, f"V{MAX_DIGITS}", buffer, strides=(1,))
    words = windows[ends - MAX_DIGITS].view("<u8").reshape(-1, 2)
    words &= 0x0F0F0F0F0F0F0F0F
    for factor, shift, mask in _STEPS:
        words *= factor
        words >>= shift
        words &= mask
    numbers: _Integers = words.view("<i8")
    numbers = numbers[:, 0] * 10**8 + numbers[:, 1]
    return numbers % POWERS[lengths]  # the bytes before the digits are in the upper places


@dataclass(frozen=True, slots=True)
class Lines:
    """Texts in one buffer.

    Attributes:
        buffer: Their bytes, after as many zeros as `read_numbers` reads before a text.
        totals: The sum of the weights of all bytes before each place in *buffer*.
        digits: The places of the digits in *buffer*.
        starts, ends: Where each text is in *buffer*.
        digit_ends: Where each text ends in *digits*.
        counts: How often each kind of byte occurs in each text.
        lengths: How many digits each text has.
    """

    buffer: _Bytes
    totals: _Integers
    digits: _Integers
    starts: _Integers
    ends: _Integers
    digit_ends: _Integers
    counts: _Integers
    lengths: _Integers

    @classmethod
    def join(cls, texts: Sequence[str]) -> "Lines":
        """Join *texts*, none longer than `MAX_LINE_LENGTH`; a character beyond ASCII is of no known kind."""
        joined = _PADDING + "".join(texts)
        buffer = np.frombuffer(joined.encode("ascii", "replace"), dtype=np.uint8)
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        ends = np.cumsum(sizes) + MAX_DIGITS
        totals = np.zeros(len(buffer) + 1, dtype=np.int64)
        np.cumsum(_WEIGHTS[buffer], out=totals[1:])
        counts = totals[ends] - totals[ends - sizes]
        return cls(
            buffer=buffer,
            totals=totals,
            digits=np.flatnonzero(_are_digits(buffer)),
            starts=ends - sizes,
            ends=ends,
            digit_ends=np.cumsum(counts & _COUNT) + MAX_DIGITS,
            counts=counts,
            lengths=counts & _COUNT,
        )

    def read_numbers(self) -> _Integers:
        """Return the value of the digits of each text, of the last 16 of them."""
        lengths = np.minimum(self.lengths, MAX_DIGITS)
        return read_numbers(self.buffer[self.digits], self.digit_ends, lengths)

    def are_empty(self) -> _Flags:
        """Whether each text is empty."""
        return self.counts <= 0

    def have_plus(self) -> _Flags:
        """Whether each text has a plus."""
        return self.counts & _COUNT * _PLUS > 0

    def are_spelled(self) -> _Flags:
        """Whether each text certainly is 1 to 16 digits with marks between them, not a decimal fraction."""
        first = self.digits.take(self.digit_ends - self.lengths, mode="clip")
        last = self.digits[self.digit_ends - 1]
        before = self.totals[first] - self.totals[self.starts]
        after = self.totals[self.ends] - self.totals[last + 1]
        pluses = self.counts & _COUNT * _PLUS
        are_spelled: _Flags = np.logical_and.reduce(
            [
                (self.lengths > 0) & (self.lengths <= MAX_DIGITS),
                self.counts & _COUNT * (_BETWEEN | _LETTER | _OTHER) == 0,
                self.counts & _COUNT * _DOT != _DOT,
                before & ~(_COUNT * (_SPACE | _OPEN | _PLUS)) == 0,
                after & ~(_COUNT * (_SPACE | _CLOSE)) == 0,
                (pluses <= _PLUS) & (before & _COUNT * _PLUS == pluses),
            ]
        )
        return are_spelled

    def are_floats(self) -> _Flags:
        """Whether each text certainly is 4 to 15 digits and ``.0``."""
        has_length = (self.lengths <= MAX_DIGITS) & (self.lengths >= _SHORTEST_FLOAT - 1)
        ends_in_zero = self._is_at(self.ends - 2, ".") & self._is_at(self.ends - 1, "0")
        return _is(self.counts - self.lengths, _DOT) & has_length & ends_in_zero

    def are_scientific(self) -> _Flags:
        """Whether each text certainly is like ``9.92928E+11``."""
        has_length = self.lengths >= _SHORTEST_SCIENTIFIC - 3
        has_marks = _is(self.counts - self.lengths, _DOT | _PLUS | _LETTER)
        has_e = self._is_at(self.ends - 4, "E") | self._is_at(self.ends - 4, "e")
        has_places = self._is_at(self.starts + 1, ".") & has_e & self._is_at(self.ends - 3, "+")
        return has_length & has_marks & has_places

    def are_several(self) -> _Flags:
        """Whether each text certainly is two phones or more, with a mark between that no number has."""
        first = self.starts + self._is_at(self.starts, "+")
        has_digits = self._is_at(first, "0", "9") & self._is_at(self.ends - 1, "0", "9")
        is_known = _is(self.counts & _COUNT * (_LETTER | _OTHER), 0)
        may_be_float = _is(self.counts - self.lengths, _BETWEEN) & self._is_at(self.ends - 1, "0")  # 1234,00
        has_two = self.lengths >= MIN_DIGITS_OF_TWO  # else it may be 992,900,000,101
        return is_known & has_two & (self.counts & _COUNT * _BETWEEN > 0) & has_digits & ~may_be_float

    def are_fillers(self) -> _Flags:
        """Whether each text certainly is like ``-`` or ``n/a``: it has a mark, and no digit."""
        has_mark = self.counts & _COUNT * (_OPEN | _CLOSE | _DASH | _PLUS | _DOT | _BETWEEN) > 0
        return _is(self.counts & _COUNT * (_DIGIT | _OTHER), 0) & has_mark

    def _is_at(self, places: _Integers, first: str, last: str = "") -> _Flags:
        """Whether the character at each place is *first*, or from *first* to *last*."""
        found = self.buffer.take(places, mode="clip")
        return (found >= ord(first)) & (found <= ord(last or first))


def _are_digits(characters: _Bytes) -> _Flags:
    return characters - np.uint8(ord("0")) < np.uint8(len(digits))


def _is(counts: _Integers, wanted: int) -> _Flags:
    is_wanted: _Flags = counts == wanted
    return is_wanted
