"""The cells of a column that texts need, of all rows of an input: a million names are 110 MB as strings.

So a column of texts is packed: some rows at a time, they are one text in UTF-8, which is a fifth of that, and
is taken apart as it is read. Other columns stay as pandas has read them.
"""

from array import array
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.missing import hide_unprintable, list_values

_ROWS_PER_BLOCK: Final = 1024
_SEPARATOR: Final = "\0"
_ERRORS: Final = "surrogatepass"


class Cells:
    """The cells of one column, in the order of the rows."""

    def __init__(self) -> None:
        self._blocks: list[bytes | pd.Series[Any]] = []
        self._ends = array("q")
        self._kinds: set[object] = set()

    def append(self, column: "pd.Series[Any]") -> None:
        """Add the cells of further rows."""
        texts = _list_texts(column)
        if texts is None:
            self._add(column.copy(), len(column))
            return
        for start in range(0, len(texts), _ROWS_PER_BLOCK):
            some = texts[start : start + _ROWS_PER_BLOCK]
            self._add(_SEPARATOR.join(some).encode("utf-8", _ERRORS), len(some))

    def read(self) -> Iterator[list[Any]]:
        """Yield all cells as `missing.list_values` does, some rows at a time."""
        for block in self._blocks:
            yield _list_block(block, is_mixed=self._is_mixed)

    def take(self, positions: NDArray[np.int64]) -> list[Any]:
        """Return the cells of the rows at *positions*, which ascend, as `missing.list_values` does."""
        numbers = np.searchsorted(np.asarray(self._ends), positions, side="right")
        values: list[Any] = []
        for number in np.unique(numbers).tolist():
            start = self._ends[number - 1] if number else 0
            rows = positions[numbers == number] - start
            values += _list_block(self._blocks[number], rows, is_mixed=self._is_mixed)
        return values

    @property
    def _is_mixed(self) -> bool:
        """Whether its blocks are of several types: one type of numbers would change what others hold."""
        return len(self._kinds) > 1

    def _add(self, block: "bytes | pd.Series[Any]", rows: int) -> None:
        if rows:
            self._blocks.append(block)
            self._kinds.add(bytes if isinstance(block, bytes) else block.dtype)
            self._ends.append(rows + (self._ends[-1] if self._ends else 0))


def _list_texts(column: "pd.Series[Any]") -> list[str] | None:
    """Return the cells of *column* if each is a text that can be packed; else None."""
    if not (column.dtype == object or pd.api.types.is_string_dtype(column.dtype)):
        return None
    cells = column.tolist()
    are_texts = set(map(type, cells)) == {str} and not any(_SEPARATOR in cell for cell in cells)
    return cells if are_texts else None


def _list_block(
    block: "bytes | pd.Series[Any]", rows: NDArray[np.int64] | None = None, *, is_mixed: bool
) -> list[Any]:
    if isinstance(block, bytes):
        texts = block.decode("utf-8", _ERRORS).split(_SEPARATOR)
        if rows is not None and len(rows) < len(texts):
            texts = [texts[row] for row in rows.tolist()]
        return hide_unprintable(texts)
    column = block if rows is None else block.take(rows)
    return list_values(column.astype("object") if is_mixed else column)
