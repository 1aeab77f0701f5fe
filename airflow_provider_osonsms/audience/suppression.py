"""Who must not be texted: the list of those to exclude.

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
class Suppressed:
    """Who must not be texted.

    Attributes:
        msisdns: int64, ascending, unique.
        ignored: Entries that are no number of Tajikistan and so nobody in an audience.
    """

    msisdns: NDArray[np.int64] = field(repr=False)
    ignored: int


def read_suppressed(exclude: object, *, phone_column: str) -> Suppressed:
    """Read the list of those to *exclude*.

    Args:
        exclude: What `read_chunks` accepts; a table of one column may name it as it likes.
        phone_column: Where the phone is.

    Raises:
        InvalidMessageError: The source is not usable, or an entry is what is left of a phone: somebody who
            asked not to be texted would be.
    """
    found = [np.empty(0, dtype=np.int64)]
    start = ignored = 0
    for phones, _ in read_phones(
        exclude, phone_column=phone_column, what="exclude", one_column_is_phones=True
    ):
        _refuse_damaged(phones.codes, start)
        found.append(phones.msisdns[phones.codes == 0])
        start += len(phones.codes)
        ignored += int(np.count_nonzero(phones.codes))
    return Suppressed(msisdns=np.unique(np.concatenate(found)), ignored=ignored)


def _refuse_damaged(codes: NDArray[np.uint8], start: int) -> None:
    is_damaged = np.isin(codes, [reason.code for reason in _DAMAGED])
    if is_damaged.any():
        row = int(np.flatnonzero(is_damaged)[0])
        reason = RejectReason(str(REASONS[codes[row]]))
        raise InvalidMessageError(
            f"exclude: {int(is_damaged.sum())} entries are what is left of a phone, the first in row "
            f"{start + row} ({reason}): whoever they stand for would be texted. {reason.advice}"
        )
