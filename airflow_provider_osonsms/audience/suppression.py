"""The list ``exclude``: phones that must not be texted.

Reference:
    docs/design.md "Phones and texts".
"""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.phones.one import mask_phone, normalize_phone
from airflow_provider_osonsms.audience.reasons import REASONS, RejectReason
from airflow_provider_osonsms.audience.sources.csv_fast import Phones
from airflow_provider_osonsms.audience.sources.phones import read_phones
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_DAMAGED: Final = (RejectReason.LOST_DIGITS, RejectReason.AMBIGUOUS_SHORT)
_UNCLEAR: Final = (RejectReason.NOT_A_NUMBER, RejectReason.TOO_LONG, RejectReason.SEVERAL_NUMBERS)
"""Reasons of cells that may hold a phone all the same, beside a name or another phone."""
_NUMBER: Final = re.compile(r"\d(?:[\s().:–-]*\d){8,}")
_PREFIXES: Final = ("810992", "992")
"""What stands before the nine digits of a number: from abroad by the old way, and as a country code."""
_NATIONAL_LENGTH: Final = 9
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SuppressionList:
    """Phones that must not be texted.

    Attributes:
        msisdns: int64, ascending, unique.
        ignored: How many entries are not a number of Tajikistan, so that no recipient can have them.
    """

    msisdns: NDArray[np.int64] = field(repr=False)
    ignored: int


def read_suppression_list(exclude: object, *, phone_column: str) -> SuppressionList:
    """Read the source *exclude*.

    Args:
        exclude: What `read_chunks` accepts; a table of one column may give it any name.
        phone_column: The column of the phones.

    Raises:
        InvalidMessageError: The source is not usable; an entry is a damaged phone, whose owner asked not to
            be texted and would be; or no entry is a phone.
    """
    found = [np.empty(0, dtype=np.int64)]
    start = ignored = blank = 0
    for phones, _ in read_phones(
        exclude, phone_column=phone_column, parameter="exclude", one_column_is_phones=True
    ):
        _refuse_damaged(phones.codes, start)
        found.append(phones.msisdns[phones.codes == 0])
        hidden, is_read = _read_hidden(phones)
        found.append(hidden)
        ignored -= is_read
        start += len(phones.codes)
        ignored += int(np.count_nonzero(phones.codes))
        blank += int(np.count_nonzero(phones.codes == RejectReason.EMPTY.code))
    if ignored > blank and ignored == start:
        raise InvalidMessageError(
            f"exclude: none of its {ignored - blank} entries is a phone, so nobody would be left out: is it "
            f"the right list, and the right column?"
        )
    return SuppressionList(msisdns=np.unique(np.concatenate(found)), ignored=ignored)


def _refuse_damaged(codes: NDArray[np.uint8], start: int) -> None:
    is_damaged = np.isin(codes, [reason.code for reason in _DAMAGED])
    if is_damaged.any():
        row = int(np.flatnonzero(is_damaged)[0])
        reason = RejectReason(str(REASONS[codes[row]]))
        raise InvalidMessageError(
            f"exclude: {int(is_damaged.sum())} entries are damaged phones, the first in row {start + row} "
            f"({reason}): their owners would be texted. {reason.advice}"
        )


def _read_hidden(phones: Phones) -> tuple[NDArray[np.int64], int]:
    """Return the numbers of cells that hold more than a phone, and how many cells these are.

    In a list of people who must not be texted, a number too much does no harm.

    Raises:
        InvalidMessageError: A cell has the digits of a phone, and they cannot be read.
    """
    found: list[int] = []
    is_read = 0
    unread = []
    reasons = phones.codes[phones.codes != 0].tolist()
    unclear = {reason.code for reason in _UNCLEAR}
    for cell, code in zip(phones.rejected, reasons, strict=True):
        if code not in unclear:
            continue
        numbers = [_read_number(number) for number in _NUMBER.findall(_write_out(cell))]
        if None in numbers:
            unread.append(cell)
        known = [number for number in numbers if number]
        found += known
        is_read += bool(known)
    if unread:
        samples = ", ".join(mask_phone(cell) for cell in unread[:_SHOWN])
        raise InvalidMessageError(
            f"exclude: {len(unread)} entries have the digits of a phone and cannot be read ({samples}): "
            f"their owners would be texted. Write them like 992XXXXXXXXX, or take them off the list"
        )
    return np.array(found, dtype=np.int64), is_read


def _write_out(cell: object) -> str:
    """Return a cell as text, with digits of full width and other scripts as plain ones."""
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes | bytearray) else str(cell)
    return unicodedata.normalize("NFKC", text)


def _read_number(written: str) -> int | None:
    """Return the MSISDN of a number with separators; 0 of one from abroad; None if it cannot be read."""
    digits = "".join(str(int(character)) for character in written if character.isdecimal())
    national = next((digits.removeprefix(one) for one in _PREFIXES if digits.startswith(one)), digits)
    if len(national) == _NATIONAL_LENGTH:
        return int(f"992{national}")
    msisdn = normalize_phone(f"+{digits.removeprefix('00')}")
    if msisdn is RejectReason.FOREIGN_COUNTRY:
        return 0
    return None if isinstance(msisdn, RejectReason) else int(msisdn)
