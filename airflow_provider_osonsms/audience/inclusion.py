"""The list ``only``: keys of the only rows to text, such as those that an earlier campaign did not reach."""

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
    """Read the source *only* as phones: ascending and unique; and count its entries that are no phone.

    Args:
        only: What `read_chunks` accepts, with a column ``key``; a table of one column may give it
            any name.

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
    """Read the source *only* as row keys, for an audience with a key column; see `read_included_msisdns`.

    Raises:
        InvalidMessageError: The source is not usable, or a key has no stable text.
    """
    keys = (row_key(cell, _COLUMN) for cells in _read_cells(only) for cell in list_cells(cells))
    return {key for key in keys if key is not None}


def _read_cells(only: object) -> Iterator[pd.Series]:
    for table in read_chunks(
        only, phone_column=_COLUMN, columns=(), parameter="only", one_column_is_phones=True
    ):
        yield table[_COLUMN]
