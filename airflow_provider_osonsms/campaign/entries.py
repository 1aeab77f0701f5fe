"""Entries of the journal, matched to the rows of an audience; an entry is a txn_id and a code of its row."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.row_index import RowIndex

PREFIX: Final = 16
"""Characters of a txn_id that name a row: with 64 bits two rows of a million share them once in 30
million."""
_ENTRIES_AT_ONCE: Final = 1000
"""Entries that live at once while they are read: all of a million rows took 180 MB."""


def find_rows(
    entries: Iterable[tuple[str, object]], txn_ids: Iterable[tuple[int, str]]
) -> Iterator[tuple[str, int | None, object]]:
    """Yield of each entry the first characters of its txn_id, the position of its row, and its code.

    Args:
        entries: Their txn_ids may be cut to the first characters.
        txn_ids: Position and txn_id of all rows; read only if there is an entry.

    Yields:
        None as the position where no row has the txn_id: its recipient is in the audience no more.
    """
    entries = iter(entries)
    index: RowIndex | None = None
    while some := list(islice(entries, _ENTRIES_AT_ONCE)):
        index = index or _index_rows(txn_ids)
        keys = [txn_id[:PREFIX] for txn_id, _ in some]
        yield from zip(keys, index.find(keys), (code for _, code in some), strict=True)


def _index_rows(txn_ids: Iterable[tuple[int, str]]) -> "RowIndex":
    from airflow_provider_osonsms.audience.row_index import RowIndex

    return RowIndex((position, txn_id[:PREFIX]) for position, txn_id in txn_ids)
