"""Finds the rows of a campaign by the first characters of their txn_ids, in 12 bytes a row."""

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

_KEY: Final = re.compile("[0-9a-f]{16}")


class RowIndex:
    """The positions of rows by key, as sorted arrays: a dict of a million rows takes 150 MB.

    Args:
        keys: The position and key of each row: 16 characters in hex. Of two rows with one key the first one
            is found.
    """

    def __init__(self, keys: Iterable[tuple[int, str]]) -> None:
        numbers, self._positions = array("Q"), array("I")
        for position, key in keys:
            numbers.append(int(key, 16))
            self._positions.append(position)
        self._numbers = np.asarray(numbers)
        self._order = np.argsort(self._numbers, kind="stable")

    def find(self, keys: Sequence[str]) -> list[int | None]:
        """Return the position of the row of each key; None where no row has it, or it is none."""
        if not self._positions:
            return [None] * len(keys)
        is_key = [_KEY.fullmatch(key) is not None for key in keys]
        wanted = [int(key, 16) if is_one else 0 for key, is_one in zip(keys, is_key, strict=True)]
        numbers = np.array(wanted, dtype=np.uint64)
        places = np.searchsorted(self._numbers, numbers, sorter=self._order)
        rows = self._order[np.minimum(places, len(self._order) - 1)]
        is_found = np.array(is_key, dtype=bool) & (self._numbers[rows] == numbers)
        return [
            self._positions[row] if found else None
            for row, found in zip(rows.tolist(), is_found.tolist(), strict=True)
        ]
