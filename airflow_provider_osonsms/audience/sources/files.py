"""Paths of source files: on this machine, or wherever Airflow's ObjectStoragePath reaches."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import explain_relative

_GZIP: Final = ".gz"
PARQUET_SUFFIXES: Final = (".parquet",)
CSV_SUFFIXES: Final = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
TEXT_SUFFIXES: Final = (".txt", ".txt.gz")
EXCEL_SUFFIXES: Final = (".xlsx", ".xlsm")
SUFFIXES: Final = (*CSV_SUFFIXES, *TEXT_SUFFIXES, *EXCEL_SUFFIXES, *PARQUET_SUFFIXES)

LINE: Final = "line"
SHEET_ROW: Final = "row"
"""Names of the index of a table whose reader numbers its rows as people see them."""

_SAVE: Final = "save it as .xlsx, or as 'CSV UTF-8'"
_UNPACK: Final = "unpack it, or pack a single CSV as .csv.gz"
_READ_IT: Final = "read it yourself, for instance with pandas, and give the table or a list of dicts"
_ADVICE: Final = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".numbers", ".xlsx.gz"), _SAVE),
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"), _UNPACK),
    **dict.fromkeys((".json", ".jsonl", ".ndjson", ".xml", ".html", ".htm", ".yaml", ".yml"), _READ_IT),
    **dict.fromkeys((".feather", ".arrow", ".avro", ".orc", ".pkl", ".pickle", ".db", ".sqlite"), _READ_IT),
    **dict.fromkeys((".doc", ".docx", ".pdf", ".rtf"), "write the phones into a CSV, or into a .txt"),
}
_PATH_ENDS: Final = (*SUFFIXES, *_ADVICE)
_PATH_STARTS: Final = ("/", "./", "../", "~/")
_FIRST: Final = frozenset(start[0] for start in _PATH_STARTS)
_LAST: Final = frozenset(last for end in _PATH_ENDS for last in (end[-1], end[-1].upper()))
"""A look at one character settles nearly every phone of a long list."""


def is_path(source: object) -> bool:
    """Whether *source* is a path object; a text is not, though it may be a path."""
    return isinstance(source, os.PathLike) or (hasattr(source, "open") and hasattr(source, "suffix"))


def is_text_path(value: object) -> bool:
    """Whether *value* is a text that is a path, and cannot be a phone or a key."""
    return isinstance(value, str) and (
        "://" in value
        or (value[:1] in _FIRST and value.startswith(_PATH_STARTS))
        or (value[-1:] in _LAST and value.lower().endswith(_PATH_ENDS))
    )


def advise_on_suffix(path: Any) -> str | None:
    """Return which kind of file, that is not read, *path* is, and what to do; None for an unknown kind."""
    name = str(path.name).lower()
    found = max((suffix for suffix in _ADVICE if name.endswith(suffix)), key=len, default=None)
    return None if found is None else f"a file with the suffix {found}: {_ADVICE[found]}"


def as_path(source: Any) -> Any:
    """Return a text or a path as something with ``name`` and ``open``."""
    # an ObjectStoragePath may be a PathLike too, but of a URL
    return source if hasattr(source, "open") and hasattr(source, "suffix") else Path(os.fsdecode(source))


def has_suffix(path: Any, suffixes: tuple[str, ...]) -> bool:
    """Whether the file's name ends in one of *suffixes*, in small or capital letters."""
    return str(path.name).lower().endswith(suffixes)


def find_csv(source: Any) -> Any:
    """Return *source* as a path when it is the path of a CSV file, else None."""
    if not is_path(source) and (not isinstance(source, str) or "://" in source):
        return None
    path = as_path(source)
    return path if has_suffix(path, CSV_SUFFIXES) else None


def is_on_disk(path: Any) -> bool:
    """Whether *path* is the path of a file on this machine, not a URL."""
    return isinstance(path, Path) and "://" not in str(path)


def is_compressed(path: Any) -> bool:
    """Whether the file is gzipped, by its name."""
    return has_suffix(path, (_GZIP,))


def print_path(path: Any) -> str:
    """Return *path* for an error text; of a URL, which may hold a login, only the last part."""
    text = str(path)
    return text.rpartition("/")[2] if "://" in text else text


@contextmanager
def open_file(path: Any, *, parameter: str) -> Iterator[IO[bytes]]:
    """Open *path* for reading, decompressed.

    Raises:
        InvalidMessageError: The file is missing, not readable, a folder, or not a whole gzip file. Every
            other error, such as one of the network, passes unchanged: a retry may help.
    """
    if "\0" in str(path):  # Python has no better word for it than ValueError
        raise InvalidMessageError(f"{parameter}: the path holds a NUL character; no file has such a name")
    try:
        with path.open("rb") as file:
            if not is_compressed(path):
                yield file
                return
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked  # type: ignore[misc]  # only by its type is a GzipFile not an IO
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise InvalidMessageError(
            f"{parameter}: {print_path(path)} cannot be read: {error.strerror or type(error).__name__}"
            f"{explain_relative(path)}"
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InvalidMessageError(
            f"{parameter}: {print_path(path)} is not a whole gzip file; write it again, or uncompressed"
        ) from None
