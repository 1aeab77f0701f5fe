"""CSV files of recipients as tables of text.

pandas' C parser reads the cells. It lets rows pass that are too long or too short, which puts a text into the
wrong column, so the form of the file is checked before.
"""

import csv
import io
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


def read_csv(path: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the wanted columns of the CSV file *path*: every cell as text, an empty one as ``""``.

    The file is UTF-8 with a header, its delimiter a comma, semicolon, tab or bar; empty lines are skipped. It
    is read twice, the first time for its form only, in constant memory.

    Raises:
        InvalidMessageError: The file cannot be read, a column is not there, or the form is broken.
    """
    form = read_layout(path, selection)
    places = selection.find(form.names)
    names = selection.rename([form.names[place] for place in places])
    _check_rows(path, form, what=selection.what)
    try:
        with _open_for_pandas(path, what=selection.what) as source, _start(source, form, places) as reader:
            for chunk in reader:
                chunk.columns = pd.Index(names)
                yield chunk
    except (pd.errors.ParserError, UnicodeDecodeError):
        raise _error(path, f"has a quote that is never closed; {_SAVE_AS}", what=selection.what) from None


def _start(source: Any, form: CsvLayout, places: list[int]) -> Any:
    return pd.read_csv(
        source,
        sep=form.delimiter,
        usecols=places,
        index_col=False,
        dtype="object",
        na_filter=False,
        chunksize=_CHUNK_ROWS,
        compression=None,
        low_memory=False,
    )


@contextmanager
def _open_for_pandas(path: Any, *, what: str) -> Iterator[Any]:
    if is_on_disk(path) and not is_compressed(path):
        yield str(path.absolute())  # by its path pandas reads a file a quarter faster
        return
    with _open_text(path, what=what) as text:
        yield text


@contextmanager
def _open_text(path: Any, *, what: str, errors: str = "strict") -> Iterator[IO[str]]:
    with (
        open_file(path, what=what) as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", errors=errors, newline="") as text,
    ):
        yield text


def read_layout(path: Any, selection: ColumnSelection) -> CsvLayout:
    """Read the header of *path*.

    Raises:
        InvalidMessageError: There is none, or the file cannot be read.
    """
    with _open_text(path, what=selection.what, errors="surrogateescape") as text:
        head = text.read(_HEAD_CHARACTERS)
    forms = [CsvLayout(delimiter=mark, names=_read_header(head, mark)) for mark in _DELIMITERS]
    form = max(forms, key=lambda form: (sum(map(form.names.count, selection.names)), len(form.names)))
    if not form.names:
        raise _error(path, "is empty, without even a header", what=selection.what)
    if not is_text(form.names):
        raise _error(path, f"is not UTF-8 text in line 1; {_SAVE_AS}", what=selection.what)
    return form


def _read_header(head: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    return next((row for row in rows if not is_empty(row)), [])


def _check_rows(path: Any, form: CsvLayout, *, what: str) -> None:
    with open_file(path, what=what) as file:
        if is_regular(file, form):
            return
    with _open_text(path, what=what, errors="surrogateescape") as text:
        if wrong := _find_wrong_line(text, form):
            raise _error(path, wrong, what=what)


def _find_wrong_line(text: IO[str], form: CsvLayout) -> str | None:
    """Read row by row, slowly and exactly, and say what is wrong with the first line that is, if any."""
    line = 1
    lines = _Lines(text)
    rows = csv.reader(lines, delimiter=form.delimiter)
    try:
        for row in rows:
            if not is_text(row):
                return f"is not UTF-8 text in line {line}; {_SAVE_AS}"
            if len(row) != len(form.names) and not is_empty(row):
                return (
                    f"has {len(row)} cells in line {line} and {len(form.names)} in its header; put cells "
                    f"with a delimiter or a line end in quotes, and close every quote"
                )
            line = rows.line_num + 1
    except csv.Error:
        return f"has a cell in line {line} of over {csv.field_size_limit()} characters; close its quote"
    return (
        f"has empty lines that end in CR alone, as on old Macintoshes; {_SAVE_AS}" if lines.has_gap else None
    )


class _Lines:
    """The lines of a file, and whether one is empty and ends in CR alone.

    After such a line pandas forgets the first delimiter.
    """

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self.has_gap = False

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.has_gap |= line.endswith("\r") and not line.strip()
            yield line


def _error(path: Any, wrong: str, *, what: str) -> InvalidMessageError:
    return InvalidMessageError(f"{what}: {print_path(path)} {wrong}.")
