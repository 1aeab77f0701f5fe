"""The numbers of rows as people see them: the line of a CSV file, else the row of the data from 1."""

import csv
import io
from array import array
from dataclasses import dataclass, field
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv import read_layout
from airflow_provider_osonsms.audience.sources.csv_layout import CsvLayout, is_empty
from airflow_provider_osonsms.audience.sources.files import find_csv, open_file

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


def number_rows(source: object, selection: ColumnSelection, *, rows: int) -> RowNumbers:
    """Return the numbers of the *rows* of *source*, which has been read.

    Of several files there is more than one line 5, so their rows are counted through.

    Args:
        source: What was read.
        selection: The columns that were read.
        rows: How many rows it has.
    """
    path = find_csv(source)
    if path is None:
        return RowNumbers()
    layout = read_layout(path, selection)
    with open_file(path, parameter=selection.parameter) as file:
        before = _count_lines(file) - rows
    if before == 1:  # each row is one line, behind the header
        return RowNumbers(word="line", first=2)
    with (
        open_file(path, parameter=selection.parameter) as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text,
    ):
        return RowNumbers(word="line", lines=_find_lines(text, layout))


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
