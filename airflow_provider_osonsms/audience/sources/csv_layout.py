"""A check at the speed of the disk that every row of a CSV file has as many cells as its header."""

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
    """The delimiter and the column names of a CSV file, as its header shows them.

    Attributes:
        delimiter: Between the cells.
        names: Of the columns.
        has_separator_line: Whether a line such as ``sep=;`` stands before the header.
    """

    delimiter: str
    names: list[str]
    has_separator_line: bool = False


def is_regular(file: IO[bytes], layout: CsvLayout) -> bool:
    """Whether all of *file* is UTF-8 text and every line has as many cells as the header.

    True is always right. False may be wrong for lines that are empty or end in CR alone, for a quote inside a
    cell without quotes, and for a very long quoted cell: `csv` then reads the file exactly.
    """
    decoder = getincrementaldecoder("utf-8")()
    rows, block = _Rows(layout), b""
    try:
        for block in _read_blocks(file):
            decoder.decode(block)
            if b"\0" in block or not rows.accept(block):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return rows.accept(b"" if block.endswith(b"\n") else b"\n") and rows.are_whole


def is_text(cells: Sequence[str]) -> bool:
    """Whether *cells* are UTF-8 text without a NUL; bytes that are not UTF-8 arrive as surrogates."""
    try:
        return b"\0" not in "".join(cells).encode()
    except UnicodeEncodeError:
        return False


def is_empty(row: Sequence[str]) -> bool:
    """Whether *row*, as the csv module reads it, is a line that pandas skips: no cell, or white space."""
    return not row or (len(row) == 1 and row[0] != "" and not row[0].strip(" \t"))


class _Rows:
    """The rows of a file, reduced to delimiters, line ends and open quotes.

    Reduced, every regular row is the same text, so many rows are compared in one step.
    """

    def __init__(self, layout: CsvLayout) -> None:
        self._delimiter = layout.delimiter.encode()
        self._row = self._delimiter * (len(layout.names) - 1) + b"\n"
        self._others = bytes(set(range(256)) - set(self._delimiter + b'"\n'))
        self._opens_after = np.isin(np.arange(256), list(self._delimiter + b'"\n'))
        self._rest = b""
        self._last_byte = b"\n"
        self._is_quoted = False

    @property
    def are_whole(self) -> bool:
        """Whether the last row is complete."""
        return not self._rest

    def accept(self, block: bytes) -> bool:
        """Check the next bytes; return False when a row in them is irregular."""
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
        """Whether every opening quote stands at the start of a cell, or right after a closing quote."""
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
