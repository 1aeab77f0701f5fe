"""The pass over an input that decides which rows are texted; a row gets the first reason that applies."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.duplicates import find_duplicates
from airflow_provider_osonsms.audience.inclusion import choose_rows
from airflow_provider_osonsms.audience.missing import list_cells, list_values
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.rejects import Rejects
from airflow_provider_osonsms.audience.row_keys import row_key
from airflow_provider_osonsms.audience.sources.phones import read_phones
from airflow_provider_osonsms.audience.suppression import read_suppression_list


class AudienceBuilder:
    """The rows of an input while they are checked, as arrays of equal length.

    Attributes:
        msisdns: int64; 0 where the phone could not be read.
        codes: uint8: `RejectReason.code`, 0 for rows that are not rejected so far.
        row_keys: The key column as text, None where it is missing; None where the MSISDN is the key.
        table: The columns that a text needs.
    """

    def __init__(self, *, phone_column: str, key_column: str | None, columns: Collection[str]) -> None:
        self._phone_column = phone_column
        self._key_column = None if key_column == phone_column else key_column
        self._columns = list(dict.fromkeys(columns))
        self._bad_cells: list[Any] = []
        self._problem_columns: dict[int, str] = {}
        self.msisdns: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.codes: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
        self.row_keys: NDArray[np.object_] | None = None
        self.table = pd.DataFrame()

    @property
    def positions(self) -> NDArray[np.int64]:
        """The rows that are not rejected so far, ascending."""
        return np.flatnonzero(self.codes == 0)

    def read(self, recipients: object) -> None:
        """Read the rows and normalize their phones.

        Raises:
            InvalidMessageError: The source or a column is not usable.
        """
        needed = list(dict.fromkeys([*self._columns, *filter(None, [self._key_column])]))
        msisdns, codes, tables, keys = [self.msisdns], [self.codes], [], []
        for phones, table in read_phones(recipients, phone_column=self._phone_column, columns=needed):
            msisdns.append(phones.msisdns)
            codes.append(phones.codes)
            self._bad_cells += phones.rejected
            if self._columns:
                tables.append(table[self._columns])
            if self._key_column is not None:
                name = self._key_column
                keys += [row_key(cell, name) for cell in list_cells(table[name])]
        self.msisdns, self.codes = np.concatenate(msisdns), np.concatenate(codes)
        self.table = _join(tables) if tables else pd.DataFrame(index=range(len(self.codes)))
        if self._key_column is not None:
            self.row_keys = np.array(keys, dtype=object)

    def reject_not_allowed(self, phones: Collection[str]) -> None:
        """Reject the rows whose MSISDN is not in *phones*."""
        allowed = np.array(sorted(map(int, phones)), dtype=np.int64)
        self._reject(RejectReason.NOT_ALLOWED, ~_is_among(self.msisdns, allowed))

    def reject_not_chosen(self, only: object) -> int:
        """Reject the rows whose key is not in the source *only*; return how many of its entries match no row.

        Raises:
            InvalidMessageError: See `choose_rows`.
        """
        inclusion = choose_rows(
            only, msisdns=self.msisdns, row_keys=self.row_keys, key_column=self._key_column
        )
        self._reject(RejectReason.NOT_CHOSEN, ~inclusion.is_chosen)
        return inclusion.unmatched

    def reject_suppressed(self, exclude: object) -> int:
        """Reject the rows whose phone is in the source *exclude*; return how many entries are no phone.

        Raises:
            InvalidMessageError: See `read_suppression_list`.
        """
        suppressed = read_suppression_list(exclude, phone_column=self._phone_column)
        self._reject(RejectReason.SUPPRESSED, _is_among(self.msisdns, suppressed.msisdns))
        return suppressed.ignored

    def reject_missing(self) -> None:
        """Reject the rows without a key, and the rows without a value that a text needs."""
        if self.row_keys is not None:
            self._reject(RejectReason.MISSING_KEY, _is_none(self.row_keys.tolist()))
        for column in self._columns:
            is_missing = _is_none(list_values(self.table[column]))
            rows = np.flatnonzero(is_missing & (self.codes == 0)).tolist()
            self._problem_columns.update(dict.fromkeys(rows, column))
            self._reject(RejectReason.MISSING_VALUE, is_missing)

    def reject_duplicates(self) -> None:
        """Reject each row whose key is that of an earlier row which is texted."""
        is_kept = self.codes == 0
        if self.row_keys is None:
            is_duplicate = find_duplicates(self.msisdns, is_kept)
        else:
            is_duplicate = np.zeros(len(self.codes), dtype=bool)
            is_duplicate[is_kept] = pd.Series(self.row_keys[is_kept], dtype="object").duplicated().to_numpy()
        self._reject(RejectReason.DUPLICATE, is_duplicate)

    def list_rejects(self) -> Rejects:
        """Return the rejected rows."""
        positions = np.flatnonzero(self.codes)
        is_unread = self.msisdns[positions] == 0
        cells = np.empty(len(positions), dtype=object)
        cells[~is_unread] = self.msisdns[positions[~is_unread]]
        for place, cell in zip(np.flatnonzero(is_unread).tolist(), self._bad_cells, strict=True):
            cells[place] = cell  # a cell may be a list, which numpy would spread out
        return Rejects(
            positions=positions,
            codes=self.codes[positions],
            cells=cells.tolist(),
            columns=self._problem_columns,
        )

    def _reject(self, reason: RejectReason, is_rejected: NDArray[np.bool_]) -> None:
        self.codes[is_rejected & (self.codes == 0)] = reason.code


def _join(tables: list[pd.DataFrame]) -> pd.DataFrame:
    if len(tables) == 1:
        return tables[0]
    if any(not table.dtypes.equals(tables[0].dtypes) for table in tables):
        tables = [table.astype("object") for table in tables]  # concat would turn whole numbers into floats
    return pd.concat(tables, ignore_index=True)


def _is_among(msisdns: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of *msisdns* are in *known*, which is ascending."""
    if not len(known):
        return np.zeros(len(msisdns), dtype=bool)
    places = np.searchsorted(known, msisdns).clip(max=len(known) - 1)
    is_among: NDArray[np.bool_] = known[places] == msisdns
    return is_among


def _is_none(values: list[Any]) -> NDArray[np.bool_]:
    return np.fromiter((value is None for value in values), dtype=bool, count=len(values))
