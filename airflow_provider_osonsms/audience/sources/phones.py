"""The phones of any source, normalized, with the other columns beside them."""

from collections.abc import Collection, Iterable, Iterator

import pandas as pd

from airflow_provider_osonsms.audience.missing import list_cells
from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.csv_fast import Phones, read_csv_phones
from airflow_provider_osonsms.audience.sources.files import LINE, find_csv
from airflow_provider_osonsms.audience.sources.readers import read_chunks


def read_phones(
    source: object,
    *,
    phone_column: str,
    columns: Collection[str] = (),
    parameter: str = "recipients",
    one_column_is_phones: bool = False,
    seen: set[object] | None = None,
) -> Iterator[tuple[Phones, pd.DataFrame]]:
    """Yield the phones of *source* chunk by chunk, each with a table that has at least *columns*.

    A CSV file without other *columns* is read by `csv_fast` if it is regular; its tables are empty then.
    The arguments are those of `readers.read_chunks`.

    Raises:
        InvalidMessageError: The source is not usable.
    """
    path = None if columns else find_csv(source)
    if path is not None:
        selection = ColumnSelection(
            parameter=parameter,
            phone_column=phone_column,
            columns=(),
            one_column_is_phones=one_column_is_phones,
            seen=set() if seen is None else seen,
        )
        if (blocks := read_csv_phones(path, selection)) is not None:
            yield from _number_lines(blocks)
            return
    for table in read_chunks(
        source,
        phone_column=phone_column,
        columns=columns,
        parameter=parameter,
        one_column_is_phones=one_column_is_phones,
        seen=seen,
    ):
        cells = table[phone_column]
        msisdns, codes = normalize_column(cells)
        yield Phones(msisdns, codes, list_cells(cells[codes != 0])), table


def _number_lines(blocks: Iterable[Phones]) -> Iterator[tuple[Phones, pd.DataFrame]]:
    """Yield each block with an empty table, whose index has the lines while they are known: from 2."""
    line, is_known = 2, True
    for phones in blocks:
        is_known = is_known and phones.has_row_a_line
        after = line + len(phones.codes)
        yield phones, pd.DataFrame(index=pd.RangeIndex(line, after, name=LINE if is_known else None))
        line = after
