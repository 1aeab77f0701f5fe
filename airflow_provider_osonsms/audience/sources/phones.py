"""From a source to its people: each phone read, with the columns that go with it."""

from collections.abc import Collection, Iterator

import pandas as pd

from airflow_provider_osonsms.audience.missing import list_cells
from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv_fast import Phones, read_csv_phones
from airflow_provider_osonsms.audience.sources.files import find_csv
from airflow_provider_osonsms.audience.sources.readers import read_chunks


def read_phones(
    source: object,
    *,
    phone_column: str,
    columns: Collection[str] = (),
    what: str = "recipients",
    one_column_is_phones: bool = False,
) -> Iterator[tuple[Phones, pd.DataFrame]]:
    """Yield the phones of *source* and, if there are *columns*, a table with at least these, in portions.

    The arguments are those of `sources.read_chunks`.

    Raises:
        InvalidMessageError: The source is not usable.
    """
    path = None if columns else find_csv(source)
    if path is not None:
        selection = ColumnSelection(
            what=what, phone_column=phone_column, columns=(), one_column_is_phones=one_column_is_phones
        )
        if (blocks := read_csv_phones(path, selection)) is not None:
            yield from ((phones, pd.DataFrame()) for phones in blocks)
            return
    for table in read_chunks(
        source,
        phone_column=phone_column,
        columns=columns,
        what=what,
        one_column_is_phones=one_column_is_phones,
    ):
        cells = table[phone_column]
        msisdns, codes = normalize_column(cells)
        yield Phones(msisdns, codes, list_cells(cells[codes != 0])), table
