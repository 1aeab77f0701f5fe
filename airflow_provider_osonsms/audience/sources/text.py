"""Text files of recipients: a CSV, or one phone a line."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.sources.columns import ColumnSelection, is_data
from airflow_provider_osonsms.audience.sources.csv import open_text, read_csv
from airflow_provider_osonsms.audience.sources.files import LINE, print_path
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_CHUNK_ROWS: Final = 16_384


def read_text(path: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the phones of the ``.txt`` file *path*.

    If its first line is a phone, every line is one, and empty lines are skipped. Else it is a CSV, whose
    header must have the column's name: any other first line might be the first entry of a list.

    Raises:
        InvalidMessageError: The file cannot be read, or lacks a column; see `csv.read_csv`.
    """
    with open_text(path, parameter=selection.parameter, errors="surrogateescape") as text:
        first = next((line for line in text if line.strip()), "")
    if is_data(first):
        yield from _read_lines(path, selection)
    else:
        yield from read_csv(path, replace(selection, one_column_is_phones=False))


def _read_lines(path: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    others = [name for name in selection.names if name != selection.phone_column]
    if others:
        raise InvalidMessageError(
            f"{selection.parameter}: {print_path(path)} has one phone a line and no header, so no column "
            f"{others[0]!r}; write a CSV with a header"
        )
    try:
        with open_text(path, parameter=selection.parameter) as text:
            lines = ((number, line.strip()) for number, line in enumerate(text, start=1) if line.strip())
            while chunk := list(islice(lines, _CHUNK_ROWS)):
                numbers, phones = zip(*chunk, strict=True)
                index = pd.Index(numbers, name=LINE)
                yield pd.DataFrame({selection.phone_column: phones}, index=index, dtype="object")
    except UnicodeDecodeError:
        raise InvalidMessageError(
            f"{selection.parameter}: {print_path(path)} is not UTF-8 text; save it as UTF-8"
        ) from None
