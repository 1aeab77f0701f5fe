"""Whether the rows of a CSV file are as long as its header, told at the speed of the disk."""

import re
from codecs import BOM_UTF8, getincrementaldecoder
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

import numpy as np

_BLOCK_BYTES: Final = 2**18
_OPEN_QUOTE_BYTES: Final = 2**16
_QUOTED: Final = re.compile(rb'"[^"]*"')
_QUOTE: Final = ord('"')


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvLayout:
    """How the header says that the file is written."""

    delimiter: str
    names: list[str]


def is_regular(file: IO[bytes], form: CsvLayout) -> bool:
    """Whether all of *file* is UTF-8 text and every line has as many cells as the header.

    True is always right. False is not where lines are empty or end in CR alone, a cell without quotes has a
    quote inside, or a quoted cell is very long.
    """
    decoder = getincrementaldecoder("utf-8")()
    rows, block = _Rows(form), b""
    try:
        for block in _read_blocks(file):
            decoder.decode(block)
            if b"\0" in block or not rows.take(block):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return rows.take(b"" if block.endswith(b"\n") else b"\n") and rows.are_whole


def is_text(cells: Sequence[str]) -> bool:
    """Whether *cells* hold text: no bytes that are not UTF-8 (as surrogates), and no NUL."""
    try:
        return b"\0" not in "".join(cells).encode()
    except UnicodeEncodeError:
        return False


def is_empty(row: Sequence[str]) -> bool:
    """Whether *row*, as the csv module reads it, is what pandas skips: no cell, or white space only."""
    return not row or (len(row) == 1 and row[0] != "" and not row[0].strip(" \t"))


class _Rows:
    """The rows of a file, of which only delimiters, line ends and open quotes are kept.

    A row without quoted cells then is one fixed text, and many rows are that text repeated.
    """

    def __init__(self, form: CsvLayout) -> None:
        self._delimiter = form.delimiter.encode()
        self._row = self._delimiter * (len(form.names) - 1) + b"\n"
        self._others = bytes(set(range(256)) - set(self._delimiter + b'"\n'))
        self._opens_after = np.isin(np.arange(256), list(self._delimiter + b'"\n'))
        self._rest = b""
        self._last_byte = b"\n"
        self._is_quoted = False

    @property
    def are_whole(self) -> bool:
        """Whether the last row has ended."""
        return not self._rest

    def take(self, block: bytes) -> bool:
        """Take the next bytes; False when they or the rows before them are irregular."""
        has_bare_cr = b"\r" in block and block.count(b"\r") != block.count(b"\r\n")
        if has_bare_cr or not self._has_quotes_in_place(block):
            return False
        marks = (self._rest + block.translate(None, self._others)).replace(b'""', b"")
        marks = _QUOTED.sub(b"", marks)
        opened = marks.find(b'"')
        end = marks.rfind(b"\n", 0, opened if opened >= 0 else len(marks)) + 1
        lines, self._rest = marks[:end], marks[end:]
        return len(self._rest) <= _OPEN_QUOTE_BYTES and lines == self._row * (len(lines) // len(self._row))

    def _has_quotes_in_place(self, block: bytes) -> bool:
        """Whether every quote that opens stands at a cell's start, or follows one that closes."""
        with_byte_before = np.frombuffer(self._last_byte + block, dtype=np.uint8)
        self._last_byte = block[-1:] or self._last_byte
        if b'"' not in block:
            return True
        quotes = np.flatnonzero(with_byte_before[1:] == _QUOTE)
        before = with_byte_before[quotes[int(self._is_quoted) :: 2]]
        self._is_quoted ^= len(quotes) % 2 == 1
        return bool(self._opens_after[before].all())


def _read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    block = file.read(_BLOCK_BYTES).removeprefix(BOM_UTF8)
    while block:
        yield block + file.read(1) if block.endswith(b"\r") else block
        block = file.read(_BLOCK_BYTES)
