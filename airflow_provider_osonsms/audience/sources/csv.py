"""CSV files of recipients as tables of text.

The C parser of pandas reads the cells. It accepts rows that are too long or too short, and then values stand
in the wrong columns: a recipient would read the debt of another. So the layout of the file is checked first.
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv_layout import CsvLayout, is_empty, is_regular, is_text
from airflow_provider_osonsms.audience.sources.files import is_compressed, is_on_disk, open_file, print_path
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_CHUNK_ROWS: Final = 16_384
_DELIMITERS: Final = ",;\t|"
_HEAD_CHARACTERS: Final = 2**16
_SAVE_AS: Final = "save it as 'CSV UTF-8'"
_SEPARATOR_LINE: Final = re.compile(rf'"?sep=([{re.escape(_DELIMITERS)}])"?\r?\n', re.IGNORECASE)
"""By which Excel tells the delimiter, before the header."""


def read_csv(path: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the selected columns of the CSV file *path*: every cell as text, an empty one as ``""``.

    The file is UTF-8 with a header, perhaps after a line such as ``sep=;``; its delimiter is a comma,
    semicolon, tab or bar; empty lines are skipped.
    It is read twice in constant memory, the first time to check its layout.

    Raises:
        InvalidMessageError: The file cannot be read, a column is missing, or the layout is broken.
    """
    layout = read_layout(path, selection)
    places = selection.find(layout.names)
    names = selection.rename([layout.names[place] for place in places])
    _check_rows(path, layout, parameter=selection.parameter)
    try:
        with (
            _open_for_pandas(path, parameter=selection.parameter) as source,
            _start(source, layout, places) as reader,
        ):
            for chunk in reader:
                chunk.columns = pd.Index(names)
                yield chunk
    except (pd.errors.ParserError, UnicodeDecodeError):
        raise _error(
            path, f"has a quote that is never closed; {_SAVE_AS}", parameter=selection.parameter
        ) from None


def _start(source: Any, layout: CsvLayout, places: list[int]) -> Any:
    return pd.read_csv(
        source,
        sep=layout.delimiter,
        skiprows=int(layout.has_separator_line),
        usecols=places,
        index_col=False,
        dtype="object",
        na_filter=False,
        chunksize=_CHUNK_ROWS,
        compression=None,
        low_memory=False,
    )


@contextmanager
def _open_for_pandas(path: Any, *, parameter: str) -> Iterator[Any]:
    if is_on_disk(path) and not is_compressed(path):
        yield str(path.absolute())  # pandas reads a path a quarter faster than an open file
        return
    with open_text(path, parameter=parameter) as text:
        yield text


@contextmanager
def open_text(path: Any, *, parameter: str, errors: str = "strict") -> Iterator[IO[str]]:
    """Open the UTF-8 text at *path* for reading, decompressed and without a BOM; line ends stay as they are.

    Raises:
        InvalidMessageError: See `open_file`.
    """
    with (
        open_file(path, parameter=parameter) as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", errors=errors, newline="") as text,
    ):
        yield text


def read_layout(path: Any, selection: ColumnSelection) -> CsvLayout:
    """Read the header of *path*.

    Raises:
        InvalidMessageError: There is no header, or the file cannot be read.
    """
    with open_text(path, parameter=selection.parameter, errors="surrogateescape") as text:
        head = text.read(_HEAD_CHARACTERS)
    told = _SEPARATOR_LINE.match(head)
    if told:
        head = head[told.end() :]
    layouts = [
        CsvLayout(delimiter=mark, names=_read_header(head, mark), has_separator_line=told is not None)
        for mark in (told[1] if told else _DELIMITERS)
    ]
    layout = max(
        layouts, key=lambda layout: (sum(map(layout.names.count, selection.names)), len(layout.names))
    )
    if not layout.names:
        raise _error(
            path,
            f"is empty, without a header; write one with {selection.phone_column!r}",
            parameter=selection.parameter,
        )
    if not is_text(layout.names):
        raise _error(path, f"is not UTF-8 text in line 1; {_SAVE_AS}", parameter=selection.parameter)
    return layout


def _read_header(head: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    return next((row for row in rows if not is_empty(row)), [])


def _check_rows(path: Any, layout: CsvLayout, *, parameter: str) -> None:
    with open_file(path, parameter=parameter) as file:
        if layout.has_separator_line:
            file.readline()
        if is_regular(file, layout):
            return
    with open_text(path, parameter=parameter, errors="surrogateescape") as text:
        if problem := _find_problem(text, layout):
            raise _error(path, problem, parameter=parameter)


def _find_problem(text: IO[str], layout: CsvLayout) -> str | None:
    """Read row by row, slowly and exactly; return what is wrong with the first wrong line, or None."""
    line = 1
    if layout.has_separator_line:
        text.readline()
        line = 2
    lines = _Lines(text)
    rows = csv.reader(lines, delimiter=layout.delimiter)
    try:
        for row in rows:
            if not is_text(row):
                return f"is not UTF-8 text in line {line}; {_SAVE_AS}"
            if len(row) != len(layout.names) and not is_empty(row):
                return (
                    f"has {len(row)} cells in line {line} and {len(layout.names)} in its header; put cells "
                    f"with a delimiter or a line end in quotes, and close every quote"
                )
            line = rows.line_num + 1 + layout.has_separator_line
    except csv.Error:
        return f"has a cell in line {line} of over {csv.field_size_limit()} characters; close its quote"
    return (
        f"has empty lines that end in CR alone, as on old Macintoshes; {_SAVE_AS}"
        if lines.has_bare_cr_line
        else None
    )


class _Lines:
    """The lines of a file, and whether one of them is empty and ends in CR alone.

    pandas drops the first delimiter after such a line, which moves the values to other columns.
    """

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self.has_bare_cr_line = False

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.has_bare_cr_line |= line.endswith("\r") and not line.strip()
            yield line


def _error(path: Any, problem: str, *, parameter: str) -> InvalidMessageError:
    return InvalidMessageError(f"{parameter}: {print_path(path)} {problem}")
