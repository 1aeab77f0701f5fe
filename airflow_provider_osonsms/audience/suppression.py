"""Who must not be texted: the source ``exclude`` of a task, and the list of the whole account.

Reference:
    docs/audience.md "Who is never texted".
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.phones.loose import CellKind, find_phones
from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.audience.reasons import REASONS, RejectReason
from airflow_provider_osonsms.audience.sources.csv_fast import Phones
from airflow_provider_osonsms.audience.sources.phones import read_phones
from airflow_provider_osonsms.protocol.errors import (
    InvalidMessageError,
    OsonSmsError,
    SuppressionUnavailableError,
)

ACCOUNT_LIST: Final = "the Connection's suppression"
"""What the list of the whole account is called in errors."""
_ACCOUNT_COLUMN: Final = "phone"
_DAMAGED: Final = (RejectReason.LOST_DIGITS, RejectReason.AMBIGUOUS_SHORT)
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SuppressionList:
    """Phones that must not be texted.

    Attributes:
        msisdns: int64, ascending, unique.
        ignored: How many entries are no phone, and not blank.
        foreign: How many entries are phones of other countries, which no recipient has.
    """

    msisdns: NDArray[np.int64] = field(repr=False)
    ignored: int = 0
    foreign: int = 0

    def choose(self, phones: Collection[str]) -> list[str]:
        """Return those of the MSISDNs *phones* that are on the list."""
        is_found = self.find(np.array(list(map(int, phones)), dtype=np.int64))
        return list(compress(phones, is_found.tolist()))

    def find(self, msisdns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of *msisdns* are on the list."""
        if not len(self.msisdns):
            return np.zeros(len(msisdns), dtype=bool)
        places = np.searchsorted(self.msisdns, msisdns).clip(max=len(self.msisdns) - 1)
        is_among: NDArray[np.bool_] = self.msisdns[places] == msisdns
        return is_among


def read_suppression_list(
    exclude: object, *, phone_column: str, max_ignored_ratio: float = 0, parameter: str = "exclude"
) -> SuppressionList:
    """Read the source *exclude*.

    Args:
        exclude: What `read_chunks` accepts; a table of one column may give it any name.
        phone_column: The column of the phones.
        max_ignored_ratio: Entries that are no phones, among all that are not blank, at most.
        parameter: What the source is called in errors.

    Raises:
        InvalidMessageError: The source is not usable; an entry may be a phone and cannot be read; no entry is
            a phone; or too many are none. Somebody who must not be texted would be.
    """
    reading = _Reading(parameter)
    names = set[object]()
    for phones, _ in read_phones(
        exclude, phone_column=phone_column, parameter=parameter, one_column_is_phones=True, seen=names
    ):
        reading.add(phones)
    if len(names) > 1:
        reading.refuse_blank_column(phone_column)
    return reading.finish(max_ignored_ratio)


def read_account_list(path: Any) -> SuppressionList:
    """Read the list of the whole account, a file with one column or a column ``phone``.

    Raises:
        SuppressionUnavailableError: The file is not there, or cannot be read for now.
        InvalidMessageError: It is no such list; see `read_suppression_list`.
    """
    try:
        with path.open("rb") as file:
            file.read(1)
        return read_suppression_list(path, phone_column=_ACCOUNT_COLUMN, parameter=ACCOUNT_LIST)
    except OsonSmsError:
        raise
    except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
        problem = type(error).__name__
    raise SuppressionUnavailableError(
        f"{ACCOUNT_LIST} cannot be read for now ({problem}), so nobody was texted in this try. The next try "
        f"reads it again: put the file back, or let the workers reach it"
    )


class _Reading:
    """Adds up the entries of a list, and checks that none of them is passed over."""

    def __init__(self, parameter: str) -> None:
        self._parameter = parameter
        self._found = [np.empty(0, dtype=np.int64)]
        self._entries = self._phones = self._ignored = self._foreign = 0

    def add(self, phones: Phones) -> None:
        """Add the entries of a chunk.

        Raises:
            InvalidMessageError: An entry is a damaged phone, or has the digits of one.
        """
        self._refuse_damaged(phones.codes)
        self._entries += len(phones.codes)
        is_read = phones.codes == 0
        self._found.append(phones.msisdns[is_read])
        self._phones += int(np.count_nonzero(is_read))
        self._add_others(phones.rejected, phones.codes[~is_read].tolist())

    def refuse_blank_column(self, name: str) -> None:
        """Check that the column *name* of a table with other columns, too, is not blank in all of its rows.

        Raises:
            InvalidMessageError: It is: the phones are perhaps in another column.
        """
        if self._entries and not self._phones + self._ignored + self._foreign:
            raise InvalidMessageError(
                f"{self._parameter}: its column {name!r} is blank in each of its {self._entries} rows, so "
                f"nobody would be left out: is it the right column?"
            )

    def finish(self, max_ignored_ratio: float) -> SuppressionList:
        """Return the list.

        Raises:
            InvalidMessageError: No entry is a phone of Tajikistan, or too many entries are no phones.
        """
        others = self._ignored + self._foreign
        if others and not self._phones:
            raise InvalidMessageError(
                f"{self._parameter}: none of its {others} entries is a phone of Tajikistan, so nobody would "
                f"be left out: is it the right list, and the right column?"
            )
        entries = self._phones + others
        if self._ignored > max_ignored_ratio * entries:
            raise InvalidMessageError(
                f"{self._parameter}: {self._ignored} of its {entries} entries are no phones "
                f"({self._ignored / entries:.1%}), and {max_ignored_ratio:.1%} may be ignored. Nobody was "
                f"texted in this try. Take them off the list"
                + ("" if self._parameter == ACCOUNT_LIST else ", or raise max_ignored_ratio")
            )
        return SuppressionList(
            msisdns=np.unique(np.concatenate(self._found)), ignored=self._ignored, foreign=self._foreign
        )

    def _refuse_damaged(self, codes: NDArray[np.uint8]) -> None:
        is_damaged = np.isin(codes, [reason.code for reason in _DAMAGED])
        if is_damaged.any():
            row = int(np.flatnonzero(is_damaged)[0])
            reason = RejectReason(str(REASONS[codes[row]]))
            raise InvalidMessageError(
                f"{self._parameter}: {int(is_damaged.sum())} entries are damaged phones, the first is entry "
                f"{self._entries + row + 1} ({reason}): their owners would be texted. {reason.advice}"
            )

    def _add_others(self, cells: list[Any], codes: list[int]) -> None:
        """Search cells that are not simply a phone for all numbers that they may hold."""
        unread, hidden = [], list[int]()
        for cell, code in zip(cells, codes, strict=True):
            if code == RejectReason.EMPTY.code:
                continue
            msisdns, kind = find_phones(cell)
            if kind is CellKind.UNREAD:
                unread.append(cell)
            hidden += msisdns
            self._phones += kind is CellKind.PHONES
            self._foreign += kind is CellKind.FOREIGN
            self._ignored += kind is CellKind.OTHER
        self._found.append(np.array(hidden, dtype=np.int64))
        if unread:
            samples = ", ".join(mask_phone(cell) for cell in unread[:_SHOWN])
            raise InvalidMessageError(
                f"{self._parameter}: {len(unread)} entries have the digits of a phone and cannot be read "
                f"({samples}): their owners would be texted. Write them like 992XXXXXXXXX, or take them off "
                f"the list"
            )
