"""Excel workbooks of recipients, read by openpyxl, which is an optional dependency.

A number of Excel has 15 digits and no leading zeros, whatever the cell shows. So each cell is read by itself,
with its format, and a number stays a number until it is known what it is for.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from itertools import islice
from typing import Any, Final
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import pandas as pd

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.files import SHEET_ROW, open_file, print_path
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import require_library

_CHUNK_ROWS: Final = 16_384
_EXACT_BELOW: Final = 10**15
"""Excel replaces every digit after the fifteenth by a zero."""
_ZEROS: Final = re.compile(r"0+")
_UNREADABLE: Final = (AttributeError, BadZipFile, IndexError, KeyError, ParseError, TypeError, ValueError)
"""What openpyxl raises for a file that is damaged, protected by a password, or no workbook at all."""


def read_excel(path: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the selected columns of the only sheet with data in the workbook *path*; empty rows are skipped.

    Texts are as they are. Numbers are floats, or texts where the format of the cell adds leading zeros. Dates
    stay dates. Booleans and errors are texts, as Excel shows them: ``TRUE``, ``#N/A``.

    Raises:
        InvalidMessageError: openpyxl is not installed; the file cannot be read; several sheets have data; a
            column is missing; a row is longer than the header; a formula was never calculated; or a number
            has lost digits in a column that is not that of the phones.
    """
    what = f"{selection.parameter} is an Excel file"
    openpyxl = require_library("openpyxl", extra="excel", what=what, instead="save it as 'CSV UTF-8'")
    with open_file(path, parameter=selection.parameter) as file:
        try:
            sheet = _find_sheet(openpyxl.load_workbook(file, read_only=True, data_only=True), path, selection)
            blanks: set[tuple[int, int]] = set()
            yield from _read_sheet(sheet, path, selection, blanks)
            if blanks:
                formulas = openpyxl.load_workbook(file, read_only=True)[sheet.title]
                _refuse_formulas(formulas, blanks, path, selection)
        except (*_UNREADABLE, openpyxl.utils.exceptions.InvalidFileException):
            problem = "is no .xlsx workbook that can be read, or has a password; save it anew as .xlsx"
        else:
            return
    raise _error(path, problem, selection)


def _find_sheet(book: Any, path: Any, selection: ColumnSelection) -> Any:
    sheets = [sheet for sheet in book.worksheets if any(map(_has_data, _list_rows(sheet)))]
    if len(sheets) != 1:
        raise _error(
            path, f"has {len(sheets) or 'no'} sheets with data; give a file with one such sheet", selection
        )
    return sheets[0]


def _list_rows(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # the size that some programs write is wrong: rows beyond it would be lost
    rows: Iterator[Sequence[Any]] = sheet.iter_rows()
    return rows


def _has_data(row: Sequence[Any]) -> bool:
    return any(cell.value is not None for cell in row)


def _read_sheet(
    sheet: Any, path: Any, selection: ColumnSelection, blanks: set[tuple[int, int]]
) -> Iterator[pd.DataFrame]:
    """Yield the selected columns, and add the number and place of each cell without a value to *blanks*."""
    rows = enumerate(_list_rows(sheet), start=1)
    header = next(row for _, row in rows if _has_data(row))
    names = [_read_name(cell) for cell in header]
    while not names[-1]:
        names.pop()
    places = selection.find(names)
    columns = selection.rename([names[place] for place in places])

    def read_row(number: int, row: Sequence[Any]) -> list[Any] | None:
        cells = [row[place] if place < len(row) else None for place in places]
        blanks.update(
            (number, place)
            for place, cell in zip(places, cells, strict=True)
            if cell is not None and cell.value is None and hasattr(cell, "row")
        )
        if not _has_data(row):
            return None
        if _has_data(row[len(names) :]):
            raise _error(path, f"has a value beside the columns of its header in row {number}", selection)
        try:
            return [
                _read_cell(cell, is_phone=name == selection.phone_column)
                for name, cell in zip(columns, cells, strict=True)
            ]
        except _LostDigitsError:
            raise _error(
                path,
                f"has a number of over 15 digits in row {number}, of which Excel has lost the last ones: "
                f"format the column as text, and write it again",
                selection,
            ) from None

    read = ((number, cells) for number, row in rows if (cells := read_row(number, row)))
    while chunk := list(islice(read, _CHUNK_ROWS)):
        index = pd.Index([number for number, _ in chunk], name=SHEET_ROW)
        cells = [cells for _, cells in chunk]
        yield pd.DataFrame(cells, index=index, columns=pd.Index(columns), dtype="object")


def _refuse_formulas(sheet: Any, blanks: set[tuple[int, int]], path: Any, selection: ColumnSelection) -> None:
    """Check that no cell without a value has a formula: its value is not empty, but unknown."""
    for number, row in enumerate(_list_rows(sheet), start=1):
        for place, cell in enumerate(row):
            if cell.data_type == "f" and (number, place) in blanks:
                raise _error(
                    path,
                    f"has a formula without a result in row {number}: open it in Excel and save it",
                    selection,
                )


class _LostDigitsError(Exception):
    """A number has more digits than Excel keeps."""


def _read_name(cell: Any) -> str:
    value = _read_cell(cell, is_phone=True)
    return "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)


def _read_cell(cell: Any, *, is_phone: bool) -> Any:
    value = None if cell is None else cell.value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        has_time = value.time() != time() or "h" in cell.number_format.lower()
        return value if has_time else value.date()
    if isinstance(value, int | float):
        return _read_number(value, cell.number_format, is_phone=is_phone)
    return value


def _read_number(number: float, shown_as: str, *, is_phone: bool) -> float | str:
    if abs(number) >= _EXACT_BELOW:
        if is_phone:
            return f"{number:.14E}"  # rejected as a phone that has lost digits
        raise _LostDigitsError
    digits = f"{number:.15g}"
    has_leading_zeros = _ZEROS.fullmatch(shown_as) and digits.isdecimal() and len(digits) < len(shown_as)
    return digits.zfill(len(shown_as)) if has_leading_zeros else float(digits)


def _error(path: Any, problem: str, selection: ColumnSelection) -> InvalidMessageError:
    return InvalidMessageError(f"{selection.parameter}: {print_path(path)} {problem}")
