"""The tables that a path names: one table, those of a folder, or those of a pattern."""

import re
from collections.abc import Callable
from typing import Any, Final

_SUFFIXES: Final = (".csv", ".parquet")
_WILDCARD: Final = re.compile(r"[*?\[]")


def split_pattern(text: str, open_path: Callable[[str], Any]) -> tuple[Any, str]:
    """Return the path before the first wildcard, opened, and the pattern from there on; empty for none."""
    parts = text.split("/")
    fixed = next((place for place, part in enumerate(parts) if _WILDCARD.search(part)), len(parts))
    return open_path("/".join(parts[:fixed]) or "/"), "/".join(parts[fixed:])


def list_tables(path: Any, pattern: str) -> list[Any]:
    """Return the tables of *pattern* below the folder *path*; without one those of the folder, or the table.

    Raises:
        FileNotFoundError: There is no such folder, or no such table.
    """
    if pattern:
        if not path.is_dir():
            raise FileNotFoundError
        found = path.glob(pattern)
    elif path.is_dir():
        found = path.glob("**/*")
    elif path.exists():
        return [path]
    else:
        raise FileNotFoundError
    return sorted((one for one in found if one.suffix in _SUFFIXES and not one.name.startswith(".")), key=str)
