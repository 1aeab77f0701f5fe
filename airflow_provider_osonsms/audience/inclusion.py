"""Who alone is texted, such as those whom an earlier campaign did not reach: keys of rows."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.missing import list_cells
from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.row_keys import row_key
from airflow_provider_osonsms.audience.sources.readers import read_chunks

_COLUMN: Final = "key"


def read_included_msisdns(only: object) -> tuple[NDArray[np.int64], int]:
    """Read the phones of the source *only*: ascending and unique, and how many of its entries are none.

    Args:
        only: What `read_chunks` accepts, with a column ``key``; a table of one column may name it as it
            likes.

    Raises:
        InvalidMessageError: The source is not usable.
    """
    found = [np.empty(0, dtype=np.int64)]
    ignored = 0
    for cells in _read_cells(only):
        msisdns, codes = normalize_column(cells)
        found.append(msisdns[codes == 0])
        ignored += int(np.count_nonzero(codes))
    return np.unique(np.concatenate(found)), ignored


def read_included_keys(only: object) -> set[str]:
    """Read the keys of the source *only*, where the audience has a key column; as `read_included_msisdns`.

    Raises:
        InvalidMessageError: The source is not usable, or a key has no stable text.
    """
    keys = (row_key(cell, _COLUMN) for cells in _read_cells(only) for cell in list_cells(cells))
    return {key for key in keys if key is not None}


def _read_cells(only: object) -> Iterator[pd.Series]:
    for table in read_chunks(only, phone_column=_COLUMN, columns=(), what="only", one_column_is_phones=True):
        yield table[_COLUMN]
