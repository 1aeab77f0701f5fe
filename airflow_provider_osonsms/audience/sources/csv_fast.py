"""The phones of a regular CSV file, read without a Python object for each row.

Delimiters, line ends and quotes are found in whole blocks of the file. A file that is not certainly regular
is left to `csv.read_csv`, which reads every CSV file and has the errors. Other columns are skipped,
in whatever encoding they are.
"""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv import read_layout
from airflow_provider_osonsms.audience.sources.csv_layout import CsvLayout
from airflow_provider_osonsms.audience.sources.files import open_file

_BLOCK_BYTES: Final = 2**20
_MSISDN_BYTES: Final = 12
_MARGIN: Final = b"\n" * _MSISDN_BYTES
"""Before a block, so that twelve bytes can be read before every place in it."""
_UPPER_HALVES, _THREES, _SIXES = 0xF0F0F0F0, 0x30303030, 0x06060606
_FOURS_TO_NUMBER: Final = np.array([10**8, 10**4, 1])
_SMALLEST, _LARGEST = 992_000_000_000, 992_999_999_999
_LF, _CR, _QUOTE = b'\n\r"'

_Places = NDArray[np.int64]


class _IrregularError(Exception):
    """The file is not regular: `csv.read_csv` has to read it."""


@dataclass(frozen=True, slots=True)
class Phones:
    """The phones of some rows, normalized.

    Attributes:
        msisdns: int64; 0 where rejected.
        codes: uint8: `RejectReason.code`, 0 where accepted.
        rejected: The cells of the rejected rows, in order.
        has_row_a_line: Whether each of these rows is surely one line of a file, and each line a row.
    """

    msisdns: NDArray[np.int64] = field(repr=False)
    codes: NDArray[np.uint8]
    rejected: list[Any] = field(repr=False)
    has_row_a_line: bool = False


def read_csv_phones(path: Any, selection: ColumnSelection) -> list[Phones] | None:
    """Return the phones of the CSV file *path*, as `csv.read_csv` and `normalize_column` read them.

    Returns:
        The phones, a block of the file each; None when the file is not regular.

    Raises:
        InvalidMessageError: There is no phone column, or the file cannot be read.
    """
    layout = read_layout(path, selection)
    (place,) = selection.find(layout.names)
    if layout.has_separator_line or len(layout.names) == 1:
        return None  # with one column, an empty line could be a row with an empty cell, or no row
    with open_file(path, parameter=selection.parameter) as file:
        try:
            return list(_read_blocks_of_phones(file, layout, place))
        except (_IrregularError, UnicodeDecodeError):
            return None


def _read_blocks_of_phones(file: IO[bytes], layout: CsvLayout, place: int) -> Iterator[Phones]:
    rest, is_head = b"", True
    for block in _read_blocks(file):
        rows = _Rows(rest, block, layout)
        rest = rows.rest
        if len(rest) > _BLOCK_BYTES:
            raise _IrregularError
        if is_head and rows.ends.size:
            rows.remove_header(layout)
            is_head = False
        yield rows.read_phones(place)
    if rest or is_head:
        raise _IrregularError


class _Rows:
    """The whole rows in some bytes of the file.

    Attributes:
        ends: Where each cell ends in the buffer: rows by columns.
        rest: The bytes after the last whole row.
    """

    def __init__(self, rest: bytes, block: bytes, layout: CsvLayout) -> None:
        self._data = b"".join((_MARGIN, rest, block))
        self._buffer = np.frombuffer(self._data, dtype=np.uint8)
        self._start = len(_MARGIN)
        self._has_row_a_line = True
        marks, quotes = self._find_marks(ord(layout.delimiter))
        lines = np.flatnonzero(self._buffer[marks] == _LF)
        columns = len(layout.names)
        if not np.array_equal(lines, np.arange(columns - 1, columns * len(lines), columns)):
            raise _IrregularError
        self.ends = marks[: len(lines) * columns].reshape(-1, columns)
        end = int(self.ends[-1, -1]) + 1 if len(lines) else self._start
        self.rest = self._data[end:]
        self._check_unambiguous(end, quotes[quotes < end], ord(layout.delimiter))

    def remove_header(self, layout: CsvLayout) -> None:
        """Remove the first row, which must be the header."""
        end = int(self.ends[0, -1]) + 1
        header = self._data[self._start : end].decode()
        if next(csv.reader([header], delimiter=layout.delimiter), None) != layout.names:
            raise _IrregularError
        self.ends = self.ends[1:]
        self._start = end

    def read_phones(self, place: int) -> Phones:
        """Read the phones in column *place*."""
        starts, ends = self._find_cells(place)
        msisdns = _read_msisdns(self._buffer, starts, ends)
        codes = np.zeros(len(msisdns), dtype=np.uint8)
        others = np.flatnonzero(msisdns == 0)
        if not others.size:
            return Phones(msisdns, codes, [], self._has_row_a_line)
        cells = self._read_cells(zip(starts[others].tolist(), ends[others].tolist(), strict=True))
        msisdns[others], codes[others] = normalize_column(pd.Series(cells, dtype="object"))
        rejected = [cells[row] for row in np.flatnonzero(codes[others]).tolist()]
        return Phones(msisdns, codes, rejected, self._has_row_a_line)

    def _read_cells(self, places: Iterable[tuple[int, int]]) -> list[str]:
        joined = b"\0".join([self._data[start:end] for start, end in places])  # a NUL is in no cell
        return joined.decode().replace('""', '"').split("\0")

    def _find_marks(self, delimiter: int) -> tuple[_Places, _Places]:
        """Find the delimiters and line ends that are outside of quotes, and the quotes."""
        is_mark = self._buffer == delimiter
        is_mark |= self._buffer == _LF
        is_mark[: self._start] = False
        if b'"' not in self._data:
            return np.flatnonzero(is_mark), np.empty(0, dtype=np.int64)
        is_mark |= self._buffer == _QUOTE
        marks = np.flatnonzero(is_mark)
        is_quote = self._buffer[marks] == _QUOTE
        is_quoted = np.logical_xor.accumulate(is_quote)
        self._has_row_a_line = not (self._buffer[marks[is_quoted]] == _LF).any()
        return marks[~(is_quote | is_quoted)], marks[is_quote]

    def _check_unambiguous(self, end: int, quotes: _Places, delimiter: int) -> None:
        """Check that every reader of CSV would find the same cells."""
        has_nul = self._data.find(b"\0", 0, end) >= 0
        has_cr = self._data.find(b"\r", 0, end) >= 0
        if has_nul or (has_cr and self._data.count(b"\r", 0, end) != self._data.count(b"\r\n", 0, end)):
            raise _IrregularError
        before, after = self._buffer[quotes[::2] - 1], self._buffer[quotes[1::2] + 1]
        is_opening = (before == delimiter) | (before == _LF) | (before == _QUOTE)
        is_closing = (after == delimiter) | (after == _LF) | (after == _QUOTE) | (after == _CR)
        if not (is_opening.all() and is_closing.all()):
            raise _IrregularError

    def _find_cells(self, place: int) -> tuple[_Places, _Places]:
        """Find the cells of a column, without the quotes around them."""
        ends = self.ends[:, place].copy()
        if place:
            starts = self.ends[:, place - 1] + 1
        else:
            starts = np.concatenate([[self._start], self.ends[:-1, -1] + 1])[: len(ends)]
        ends -= (self._buffer[ends] == _LF) & (self._buffer[ends - 1] == _CR)
        is_quoted = self._buffer[starts] == _QUOTE
        return starts + is_quoted, ends - is_quoted


def _read_msisdns(buffer: NDArray[np.uint8], starts: _Places, ends: _Places) -> _Places:
    """Return the value of each cell that is 12 digits with 992; 0 for every other cell."""
    windows = np.ndarray(len(buffer) - _MSISDN_BYTES + 1, f"V{_MSISDN_BYTES}", buffer, strides=(1,))
    fours = windows[ends - _MSISDN_BYTES].view("<u4").reshape(-1, 3)
    # a digit is 0x30 to 0x39: its upper half is 3, and still 3 after adding six
    has_digits = (fours & _UPPER_HALVES == _THREES) & (fours + _SIXES & _UPPER_HALVES == _THREES)
    numbers = _read_fours(fours) @ _FOURS_TO_NUMBER
    is_msisdn = (ends - starts == _MSISDN_BYTES) & has_digits[:, 0] & has_digits[:, 1] & has_digits[:, 2]
    is_msisdn &= (numbers >= _SMALLEST) & (numbers <= _LARGEST)
    return np.where(is_msisdn, numbers, 0)


def _read_fours(fours: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the value of each four digits: neighbors become pairs, pairs become a number."""
    digits = fours & 0x0F0F0F0F
    pairs = (digits * 10 + (digits >> 8)) & 0x00FF00FF
    return ((pairs * 100 + (pairs >> 16)) & 0x0000FFFF).astype(np.int64)


def _read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of *file* without a BOM, and with a line end after the last line."""
    block = file.read(_BLOCK_BYTES).removeprefix(BOM_UTF8)
    while block:
        following = file.read(_BLOCK_BYTES)
        yield block if following or block.endswith(b"\n") else block + b"\n"
        block = following
