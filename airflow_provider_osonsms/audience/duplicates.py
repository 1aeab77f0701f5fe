"""Rows whose number an earlier row has already."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LOWEST_MSISDN: Final = 992_000_000_000
_ROW_BITS: Final = 32
_ROW: Final = 2**_ROW_BITS - 1


def find_duplicates(msisdns: NDArray[np.int64], is_kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return True for every row of *is_kept* whose number occurs in an earlier row of *is_kept*."""
    # number and row in one integer: after sorting, equal numbers are neighbors, the earliest row first
    entries = msisdns[is_kept]
    entries -= _LOWEST_MSISDN
    entries <<= _ROW_BITS
    entries |= np.flatnonzero(is_kept)
    entries.sort()
    repeats = np.flatnonzero(entries[1:] ^ entries[:-1] <= _ROW) + 1
    is_duplicate = np.zeros(len(msisdns), dtype=bool)
    is_duplicate[entries[repeats] & _ROW] = True
    return is_duplicate
