"""The list ``exclude``: phones that must not be texted.

Reference:
    docs/design.md "Phones and texts".
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.reasons import REASONS, RejectReason
from airflow_provider_osonsms.audience.sources.phones import read_phones
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_DAMAGED: Final = (
    RejectReason.LOST_DIGITS,
    RejectReason.AMBIGUOUS_SHORT,
    RejectReason.SEVERAL_NUMBERS,
)


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
