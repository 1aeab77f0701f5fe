"""From any table of people to those who are texted and those who are not, with the reason.

Reference:
    design §6, §7 (audience).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.keys import row_key
from airflow_provider_osonsms.audience.phones import mask_phone, normalise_phone
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.sources import read_recipients, require_column
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_PHONE: Final = "phone"
_SAMPLES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audience:
    """Recipients and rejects: together the rows of the input, each exactly once.

    All three are indexed by the position of the row in the input, from 0, ascending and unique.

    Attributes:
        recipients: Every column of the input, untouched, and ``phone`` (object): the MSISDN of 12 digits;
            unique unless a key column was given.
        keys: What tells the rows of *recipients* apart (object, unique): the key column as text, else the
            MSISDN.
        rejects: ``phone`` (object): masked; ``reason`` (object): the value of a `RejectReason`.
    """

    recipients: pd.DataFrame = field(repr=False)
    keys: "pd.Series[str]" = field(repr=False)
    rejects: pd.DataFrame = field(repr=False)

    def __len__(self) -> int:
        """Return the number of recipients."""
        return len(self.recipients)

    def rejects_by_reason(self) -> dict[str, int]:
        """Count the rejects, in the order of `RejectReason`; reasons that did not occur are left out."""
        counts = self.rejects["reason"].value_counts().to_dict()
        return {reason.value: int(counts[reason.value]) for reason in RejectReason if reason.value in counts}

    def describe(self) -> str:
        """Tell a task's log who is left out and why, with masked samples and what to do about it."""
        total = len(self.recipients) + len(self.rejects)
        lines = [f"{len(self.recipients)} recipients of {total} rows, {len(self.rejects)} rejected"]
        for reason, count in self.rejects_by_reason().items():
            samples = self.rejects.loc[self.rejects["reason"] == reason, _PHONE].head(_SAMPLES)
            shown = ", ".join(f"row {position} {phone}" for position, phone in samples.items())
            lines.append(f"  {reason}: {count} ({shown}). {RejectReason(reason).advice}")
        return "\n".join(lines)


def prepare_audience(
    recipients: object,
    *,
    phone_column: str = _PHONE,
    key_column: str | None = None,
    allowed_phones: Iterable[object] | None = None,
) -> Audience:
    """Sort the rows of *recipients* into those who are texted and those who are not.

    An empty input gives an empty audience. What was given is never changed.

    Args:
        recipients: What `read_recipients` accepts; its index is ignored.
        phone_column: Where the phone is.
        key_column: Where the user's own key of a row is; then a phone may occur several times, a key once.
        allowed_phones: Everybody else is rejected, in any accepted spelling; None allows everybody.

    Raises:
        InvalidMessageError: the source or a column is not usable, or an allowed phone is not a phone.

    Reference:
        design §6; wire-note 13.
    """
    frame = read_recipients(recipients, phone_column)
    if phone_column != _PHONE and _PHONE in list(frame.columns):
        raise InvalidMessageError(
            f"recipients has a column {_PHONE!r} beside the phone column {phone_column!r}: rename or drop it."
        )
    cells = _read_cells(frame[phone_column])
    phones = list(map(normalise_phone, cells))
    keys = phones if key_column in (None, phone_column) else _read_keys(frame, str(key_column))
    reasons = _judge(phones, keys, allowed=_read_allowed(allowed_phones))
    kept = [position for position, reason in enumerate(reasons) if reason is None]
    index = pd.Index(kept, dtype="int64")
    return Audience(
        recipients=_take_rows(frame, index, phones=[phones[position] for position in kept]),
        keys=pd.Series([keys[position] for position in kept], index=index, dtype="object"),
        rejects=_list_rejects(cells, phones, reasons=reasons),
    )


def _read_cells(column: "pd.Series[Any]") -> list[object]:
    # tolist() would widen a float of 32 bits and hide that it has lost digits
    is_narrow = str(column.dtype).lower() in {"float16", "float32"}
    return list(column.array) if is_narrow else column.tolist()


def _read_keys(frame: pd.DataFrame, key_column: str) -> list[str | None]:
    require_column(frame, key_column)
    return [row_key(cell, key_column) for cell in frame[key_column].tolist()]


def _read_allowed(allowed_phones: Iterable[object] | None) -> frozenset[str] | None:
    if allowed_phones is None:
        return None
    if isinstance(allowed_phones, str) or not isinstance(allowed_phones, Iterable):
        raise InvalidMessageError(
            f"allowed_phones is a {type(allowed_phones).__name__}; give a list of phones."
        )
    allowed = set()
    for position, entry in enumerate(allowed_phones):
        phone = normalise_phone(entry)
        if isinstance(phone, RejectReason):
            raise InvalidMessageError(
                f"allowed_phones[{position}] {mask_phone(entry)} is no phone: {phone.value}. {phone.advice}"
            )
        allowed.add(phone)
    return frozenset(allowed)


def _judge(
    phones: Sequence[str | RejectReason], keys: Sequence[str | None], *, allowed: frozenset[str] | None
) -> list[RejectReason | None]:
    """Return why each row is rejected, or None; the first of several rows with one key stays."""
    seen: set[str] = set()
    reasons: list[RejectReason | None] = []
    for phone, key in zip(phones, keys, strict=True):
        reason = None
        if isinstance(phone, RejectReason):
            reason = phone
        elif allowed is not None and phone not in allowed:
            reason = RejectReason.NOT_ALLOWED
        elif key is None:
            reason = RejectReason.MISSING_KEY
        elif key in seen:
            reason = RejectReason.DUPLICATE
        else:
            seen.add(key)
        reasons.append(reason)
    return reasons


def _take_rows(frame: pd.DataFrame, index: "pd.Index[int]", *, phones: list[str]) -> pd.DataFrame:
    taken = frame.take(index.to_numpy())
    taken.index = index
    taken[_PHONE] = pd.Series(phones, index=index, dtype="object")
    return taken


def _list_rejects(
    cells: Sequence[object], phones: Sequence[str | RejectReason], *, reasons: Sequence[RejectReason | None]
) -> pd.DataFrame:
    rejected = [(position, reason) for position, reason in enumerate(reasons) if reason is not None]
    masked = [mask_phone(cells[row] if phones[row] is reason else phones[row]) for row, reason in rejected]
    columns = {_PHONE: masked, "reason": [reason.value for _, reason in rejected]}
    index = pd.Index([position for position, _ in rejected], dtype="int64")
    return pd.DataFrame(columns, index=index, dtype="object")
