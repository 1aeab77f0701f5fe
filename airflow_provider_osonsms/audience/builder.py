"""The pass over an input that decides which rows are texted; a row gets the first reason that applies."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.cells import Cells
from airflow_provider_osonsms.audience.duplicates import find_duplicates
from airflow_provider_osonsms.audience.inclusion import choose_rows
from airflow_provider_osonsms.audience.languages import Languages
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.rejects import Rejects
from airflow_provider_osonsms.audience.row_keys import RowKeys, normalize_keys
from airflow_provider_osonsms.audience.row_numbers import RowNumbers, number_rows
from airflow_provider_osonsms.audience.sources.columns import ColumnSelection
from airflow_provider_osonsms.audience.sources.phones import read_phones
from airflow_provider_osonsms.audience.suppression import SuppressionList
from airflow_provider_osonsms.protocol.errors import InvalidMessageError


class AudienceBuilder:
    """The rows of an input while they are checked, as arrays of equal length.

    Attributes:
        msisdns: int64; 0 where the phone could not be read.
        codes: uint8: `RejectReason.code`, 0 for rows that are not rejected so far.
        row_keys: The key column as text, None where it is missing; None where the MSISDN is the key.
        columns: The columns that a text needs, by name.
        numbers: How people number the rows.
        source_columns: The names of all columns of the input.
    """

    def __init__(self, *, phone_column: str, key_column: str | None, columns: Collection[str]) -> None:
        self._phone_column = phone_column
        self._key_column = None if key_column == phone_column else key_column
        self.columns = {name: Cells() for name in columns}
        self._bad_cells: list[Any] = []
        self._problem_columns: dict[int, str] = {}
        self._key_codes: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
        self._dropped: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.msisdns: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.codes: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
        self.row_keys: NDArray[np.object_] | None = None
        self.numbers = RowNumbers()
        self.source_columns: set[object] = set()

    @property
    def positions(self) -> NDArray[np.int64]:
        """The rows that are not rejected so far, ascending."""
        return np.flatnonzero(self.codes == 0)

    def read(self, recipients: object) -> None:
        """Read the rows and normalize their phones.

        Raises:
            InvalidMessageError: The source or a column is not usable.
        """
        needed = list(dict.fromkeys([*self.columns, *filter(None, [self._key_column])]))
        msisdns, codes = [self.msisdns], [self.codes]
        keys: list[RowKeys] = []
        indexes: list[pd.Index] = []
        for phones, table in read_phones(
            recipients, phone_column=self._phone_column, columns=needed, seen=self.source_columns
        ):
            msisdns.append(phones.msisdns)
            codes.append(phones.codes)
            indexes.append(table.index)
            self._bad_cells += phones.rejected
            for name, cells in self.columns.items():
                cells.append(table[name])
            if self._key_column is not None:
                keys.append(normalize_keys(table[self._key_column], self._key_column))
        self.msisdns, self.codes = np.concatenate(msisdns), np.concatenate(codes)
        selection = ColumnSelection(
            parameter="recipients", phone_column=self._phone_column, columns=tuple(needed)
        )
        self.numbers = number_rows(recipients, selection, indexes=indexes, rows=len(self.codes))
        if self._key_column is not None:
            self.row_keys = np.concatenate([some.texts for some in keys])
            self._key_codes = np.concatenate([some.codes for some in keys])
            self._dropped = np.concatenate([some.dropped for some in keys])

    def reject_not_allowed(self, phones: Collection[str]) -> None:
        """Reject the rows whose MSISDN is not in *phones*."""
        allowed = np.array(sorted(map(int, phones)), dtype=np.int64)
        self._reject(RejectReason.NOT_ALLOWED, ~np.isin(self.msisdns, allowed))

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

    def reject_suppressed(self, suppressed: SuppressionList) -> None:
        """Reject the rows whose phone is on the list."""
        self._reject(RejectReason.SUPPRESSED, suppressed.find(self.msisdns))

    def reject_missing_keys(self) -> None:
        """Reject the rows without a key."""
        if self.row_keys is not None:
            for reason in (RejectReason.MISSING_KEY, RejectReason.UNFIT_KEY):
                self._reject(reason, self._key_codes == reason.code)

    def reject_missing_values(self) -> None:
        """Reject the rows without a value that the text needs."""
        for column in self.columns:
            self._reject_for(RejectReason.MISSING_VALUE, column, self._find_missing(column))

    def reject_missing_values_by_language(self, languages: Languages) -> int:
        """Reject the rows without a language, and those without a value that the text of theirs needs.

        Returns:
            How many of the rows that are left name no known language, and so get the default.
        """
        named = [name for cells in self.columns[languages.column].read() for name in languages.read(cells)]
        chosen = np.array(named, dtype=object)
        is_unknown = _is_none(named)
        chosen[is_unknown] = languages.default
        if languages.default is None:
            self._reject_for(RejectReason.UNKNOWN_LANGUAGE, languages.column, is_unknown)
        missing = {column: self._find_missing(column) for column in languages.columns}
        for language, columns in languages.needs.items():
            is_needed = chosen == language
            for column in columns:
                self._reject_for(RejectReason.MISSING_VALUE, column, missing[column] & is_needed)
        return int(np.count_nonzero(is_unknown & (self.codes == 0)))

    def reject_duplicates(self) -> None:
        """Reject each row whose key is that of an earlier row which is texted.

        Raises:
            InvalidMessageError: Two keys are one number in two spellings, and perhaps two people.
        """
        is_kept = self.codes == 0
        if self.row_keys is None:
            is_duplicate = find_duplicates(self.msisdns, is_kept)
        else:
            is_duplicate = np.zeros(len(self.codes), dtype=bool)
            keys = pd.Series(self.row_keys[is_kept], dtype="object")
            is_duplicate[is_kept] = keys.duplicated().to_numpy()
            self._refuse_other_spellings(keys, is_kept, is_duplicate)
        self._reject(RejectReason.DUPLICATE, is_duplicate)

    def reject_capped(self, full: SuppressionList) -> None:
        """Reject the rows whose phone has had enough messages."""
        self._reject(RejectReason.CAPPED, full.find(self.msisdns))

    def reject_repeated_phones(self) -> None:
        """Reject each row whose phone an earlier row has: under a cap one message is enough."""
        self._reject(RejectReason.CAPPED, find_duplicates(self.msisdns, self.codes == 0))

    def _refuse_other_spellings(
        self, keys: "pd.Series[Any]", is_kept: NDArray[np.bool_], is_duplicate: NDArray[np.bool_]
    ) -> None:
        """Check that no two texts are one number: 1.1 and 1.10 may be two contracts."""
        dropped = self._dropped[is_kept]
        if not (dropped.any() and is_duplicate.any()):
            return
        is_same_text = pd.DataFrame({"key": keys, "dropped": dropped}).duplicated().to_numpy()
        if (others := np.flatnonzero(is_duplicate[is_kept] & ~is_same_text)).size:
            first = int(np.flatnonzero(keys == keys[others[0]])[0])
            rows = np.flatnonzero(is_kept)[[first, others[0]]].tolist()
            places = " and ".join(map(self.numbers.describe, rows))
            raise InvalidMessageError(
                f"Column {self._key_column!r} holds one number in two spellings, as 1.1 and 1.10 are, in "
                f"{places}: nobody can tell whether this is one key or two. If it is one, write it in one "
                f"way; if they are two, put a letter before each key of the column"
            )

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
            numbers=self.numbers,
        )

    def _find_missing(self, column: str) -> NDArray[np.bool_]:
        blocks = [_is_none(values) for values in self.columns[column].read()]
        return np.concatenate([np.empty(0, dtype=bool), *blocks])

    def _reject_for(self, reason: RejectReason, column: str, is_rejected: NDArray[np.bool_]) -> None:
        """Reject rows of which *column* is the cause."""
        rows = np.flatnonzero(is_rejected & (self.codes == 0)).tolist()
        self._problem_columns.update(dict.fromkeys(rows, column))
        self._reject(reason, is_rejected)

    def _reject(self, reason: RejectReason, is_rejected: NDArray[np.bool_]) -> None:
        self.codes[is_rejected & (self.codes == 0)] = reason.code


def _is_none(values: list[Any]) -> NDArray[np.bool_]:
    return np.fromiter((value is None for value in values), dtype=bool, count=len(values))
