"""The reader for a path, by the suffix of its file."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.sources.arrow import read_parquet
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv import read_csv
from airflow_provider_osonsms.audience.sources.excel import read_excel
from airflow_provider_osonsms.audience.sources.files import (
    CSV_SUFFIXES,
    EXCEL_SUFFIXES,
    PARQUET_SUFFIXES,
    SUFFIXES,
    TEXT_SUFFIXES,
    advise_on_suffix,
    as_path,
    has_suffix,
    is_text_path,
    print_path,
)
from airflow_provider_osonsms.audience.sources.text import read_text
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_FILES: Final = f"a path that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
_READERS: Final = (
    (CSV_SUFFIXES, read_csv),
    (TEXT_SUFFIXES, read_text),
    (EXCEL_SUFFIXES, read_excel),
    (PARQUET_SUFFIXES, read_parquet),
)


def read_path(source: Any, selection: ColumnSelection) -> Iterator[pd.DataFrame]:
    """Yield the file at *source*, a path or the text of one.

    Raises:
        InvalidMessageError: It is no path, its suffix names no kind of file that is read, or the file cannot
            be read.
    """
    if isinstance(source, str) and "://" in source:
        raise InvalidMessageError(
            f"{selection.parameter} is a URL as text; give ObjectStoragePath(...) of it (from airflow.sdk)"
        )
    path = as_path(source)
    for suffixes, read in _READERS:
        if has_suffix(path, suffixes):
            yield from read(path, selection)
            return
    if problem := advise_on_suffix(path):
        raise InvalidMessageError(f"{selection.parameter} is {problem}; give {_FILES}")
    if isinstance(source, str) and not is_text_path(source):  # it may be a phone, so it is not shown
        raise InvalidMessageError(
            f"{selection.parameter} is a text that is no path; give {_FILES}; put a single phone in a list"
        )
    suffix = f"the suffix {path.suffix}" if path.suffix else "no suffix"
    raise InvalidMessageError(
        f"{selection.parameter} is {print_path(path)}, a file with {suffix}; give {_FILES}"
    )
