"""The list ``only``: keys of the only rows to text, such as those that an earlier campaign did not reach.

A key alone names nobody: order 7 and invoice 7 are two people. So an entry that says its phone, or the column
that its key comes from, matches a row with the same key only if these are the same, too.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.missing import list_values
from airflow_provider_osonsms.audience.phones.column import normalize_column
from airflow_provider_osonsms.audience.row_keys import normalize_keys
from airflow_provider_osonsms.audience.sources.readers import read_chunks
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.formulas import unescape

_KEY: Final = "key"
_PHONE: Final = "phone"
_KEY_COLUMN: Final = "key_column"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inclusion:
    """Which rows of an audience the list chooses.

    Attributes:
        is_chosen: Aligned with the rows.
        unmatched: How many entries match no row.
    """

    is_chosen: NDArray[np.bool_]
    unmatched: int


def choose_rows(
    only: object,
    *,
    msisdns: NDArray[np.int64],
    row_keys: NDArray[np.object_] | None,
    key_column: str | None,
) -> Inclusion:
    """Read the source *only*, and find the rows that it chooses.

    Args:
        only: What `read_chunks` accepts, with a column ``key``, and perhaps ``phone`` and ``key_column``; a
            table of one column may give it any name.
        msisdns: Of the rows; 0 where there is none.
        row_keys: Of the rows; None where the phones are the keys.
        key_column: The column of the row keys; None where the phones are the keys.

    Raises:
        InvalidMessageError: The source is not usable, a key has no stable text, or no entry matches any row.
    """
    entries = list(_read_entries(only))
    if row_keys is None:
        found, unmatched = _choose_phones(entries, msisdns)
    else:
        found, unmatched = _choose_keys(entries, msisdns, row_keys, str(key_column))
    if unmatched and not found.any() and len(msisdns):
        kinds = sorted({entry.kind for entry in entries})
        raise InvalidMessageError(
            f"only: none of its {unmatched} entries matches a row, so nobody would be texted. Its keys are "
            f"{' and '.join(kinds)}; those of recipients are {_name_kind(key_column)}. Give the list of a "
            f"campaign with the same recipients and key_column"
        )
    return Inclusion(is_chosen=found, unmatched=unmatched)


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Entries of one key space.

    Attributes:
        cells: The keys.
        msisdns: Aligned; 0 where there is no phone, -1 where it cannot be read; None where the list has none.
        key_column: The column of their keys; None for phones, empty where the list does not say it.
    """

    cells: "pd.Series[Any]"
    msisdns: NDArray[np.int64] | None
    key_column: str | None

    @property
    def kind(self) -> str:
        """What its keys are, for an error."""
        if self.key_column != "":
            return _name_kind(self.key_column)
        return "no phones" if normalize_column(self.cells)[1].any() else "phones"


def _read_entries(only: object) -> Iterator[_Entries]:
    for table in read_chunks(
        only,
        phone_column=_KEY,
        columns=(),
        parameter="only",
        one_column_is_phones=True,
        optional=(_PHONE, _KEY_COLUMN),
    ):
        phones = _read_phones(table[_PHONE]) if _PHONE in table else None
        if _KEY_COLUMN not in table:
            yield _Entries(table[_KEY], phones, "")
            continue
        names = np.array(
            [None if one is None else str(one) for one in list_values(table[_KEY_COLUMN])], object
        )
        for name in dict.fromkeys(names.tolist()):
            is_here = np.array([one == name for one in names.tolist()], dtype=bool)
            yield _Entries(table[_KEY][is_here], None if phones is None else phones[is_here], name)


def _read_phones(column: "pd.Series[Any]") -> NDArray[np.int64]:
    msisdns, codes = normalize_column(column)
    is_missing = np.array([value is None for value in list_values(column)], dtype=bool)
    return np.where(codes == 0, msisdns, np.where(is_missing, 0, -1))


def _choose_phones(entries: list[_Entries], msisdns: NDArray[np.int64]) -> tuple[NDArray[np.bool_], int]:
    chosen = [np.empty(0, dtype=np.int64)]
    unmatched = 0
    for entry in entries:
        found, codes = normalize_column(entry.cells)
        is_ours = (codes == 0) & (entry.key_column in (None, ""))
        if entry.msisdns is not None:  # else an order id of nine digits would be a phone
            is_ours &= (entry.msisdns == 0) | (entry.msisdns == found)
        chosen.append(found[is_ours])
        unmatched += len(found) - int(np.count_nonzero(is_ours))
    known = np.unique(np.concatenate(chosen))
    return np.isin(msisdns, known), unmatched + len(np.setdiff1d(known, msisdns))


def _choose_keys(
    entries: list[_Entries], msisdns: NDArray[np.int64], row_keys: NDArray[np.object_], key_column: str
) -> tuple[NDArray[np.bool_], int]:
    wanted: set[tuple[str, int]] = set()
    unmatched = 0
    known = set(row_keys.tolist())
    for entry in entries:
        keys = [_undo_escape(key, known) for key in normalize_keys(entry.cells, _KEY).texts.tolist()]
        if entry.key_column not in ("", key_column):
            unmatched += len(keys)
            continue
        unmatched += keys.count(None)
        phones = [0] * len(keys) if entry.msisdns is None else entry.msisdns.tolist()
        wanted.update((key, phone) for key, phone in zip(keys, phones, strict=True) if key is not None)
    rows = list(zip(row_keys.tolist(), msisdns.tolist(), strict=True))
    found = np.fromiter(
        ((key, 0) in wanted or (key, phone) in wanted for key, phone in rows), bool, len(rows)
    )
    matched = {(key, any_) for key, phone in rows for any_ in (0, phone)} & wanted
    return found, unmatched + len(wanted) - len(matched)


def _undo_escape(key: str | None, known: Collection[str]) -> str | None:
    """Return the key of ours that *key* stands for: in a CSV file of ours, ``=1`` is written as ``'=1``."""
    return key if key is None or key in known else unescape(key)


def _name_kind(key_column: str | None) -> str:
    return "phones" if key_column is None else f"of the column {key_column!r}"
