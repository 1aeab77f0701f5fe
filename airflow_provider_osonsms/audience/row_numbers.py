"""The numbers of rows as people see them: the line or row of a file, else the row of the data from 1."""

import csv
import io
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import IO, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv import read_layout
from airflow_provider_osonsms.audience.sources.csv_layout import CsvLayout, is_empty
from airflow_provider_osonsms.audience.sources.files import (
    CSV_SUFFIXES,
    LINE,
    SHEET_ROW,
    TEXT_SUFFIXES,
    as_path,
    has_suffix,
    is_path,
    is_text_path,
    open_file,
)

_BLOCK_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowNumbers:
    """The numbers of the rows of an input, by their position in it.

    Attributes:
        word: What is numbered: ``row`` or ``line``.
        first: The number of the first row, if the others follow it.
        lines: int64, ascending: the number of each row; None where they follow one another.
    """

    word: str = "row"
    first: int = 1
    lines: NDArray[np.int64] | None = field(default=None, repr=False)

    def find(self, position: int) -> int:
        """Return the number of the row at *position*, from 0."""
        return self.first + position if self.lines is None else int(self.lines[position])

    def describe(self, position: int) -> str:
        """Return the word and the number of the row at *position*, from 0."""
        return f"{self.word} {self.find(position)}"


def number_rows(
    source: object, selection: ColumnSelection, *, indexes: Sequence[pd.Index], rows: int
) -> RowNumbers:
    """Return the numbers of the *rows* of *source*, which has been read.

    Of several files there is more than one line 5, so their rows are counted through.

    Args:
        source: What was read.
        selection: The columns that were read.
        indexes: Those of the tables that were read; readers of some files number the rows in them.
        rows: How many rows it has.
    """
    if not (is_path(source) or is_text_path(source)):
        return RowNumbers()
    words = {index.name for index in indexes}
    if words and words <= {LINE, SHEET_ROW}:
        return _join(indexes, word=str(words.pop()))
    path = as_path(source)
    if not has_suffix(path, (*CSV_SUFFIXES, *TEXT_SUFFIXES)):
        return RowNumbers()
    layout = read_layout(path, selection)
    with open_file(path, parameter=selection.parameter) as file:
        before = _count_lines(file) - rows
    if before == 1 + layout.has_separator_line:  # each row is one line, behind the header
        return RowNumbers(word=LINE, first=before + 1)
    with (
        open_file(path, parameter=selection.parameter) as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text,
    ):
        return RowNumbers(word=LINE, lines=_find_lines(text, layout))


def _join(indexes: Sequence[pd.Index], *, word: str) -> RowNumbers:
    runs = [index for index in indexes if isinstance(index, pd.RangeIndex) and index.step == 1]
    if len(runs) == len(indexes) and all(one.stop == after.start for one, after in pairwise(runs)):
        return RowNumbers(word=word, first=runs[0].start)
    return RowNumbers(word=word, lines=np.concatenate([np.asarray(index) for index in indexes]))


def _count_lines(file: IO[bytes]) -> int:
    """Count the lines; the last one may have no end."""
    lines, last = 0, b"\n"
    while block := file.read(_BLOCK_BYTES):
        lines += block.count(b"\n")
        last = block[-1:]
    return lines + (last != b"\n")


def _find_lines(text: IO[str], layout: CsvLayout) -> NDArray[np.int64]:
    """Return the line in which each row begins: a cell may span lines, and empty lines are no rows."""
    rows = csv.reader(text, delimiter=layout.delimiter)
    starts = array("q")
    line, is_header_due = 1, True
    for row in rows:
        if not is_empty(row):
            if is_header_due:
                is_header_due = row != layout.names
            else:
                starts.append(line)
        line = rows.line_num + 1
    return np.array(starts, dtype=np.int64)
