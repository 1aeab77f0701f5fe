"""From any table of people to those who are texted and those who are not, with the reason.

Reference:
    docs/design.md "Phones and texts".
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.builder import AudienceBuilder
from airflow_provider_osonsms.audience.missing import list_values
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.rejects import Rejects

CHUNK_ROWS: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientChunk:
    """Some recipients, as lists of equal length.

    Attributes:
        positions: Rows of the input, from 0, ascending.
        phones: MSISDNs.
        row_keys: What tells the rows of the audience apart.
        columns: The values of the columns that were asked for; None where there is nothing to print.
    """

    positions: list[int]
    phones: list[str] = field(repr=False)
    row_keys: list[str] = field(repr=False)
    columns: Mapping[str, list[Any]] = field(repr=False)

    def take(self, rows: Sequence[int]) -> "RecipientChunk":
        """Return the recipients at *rows* of the chunk, in that order."""
        return RecipientChunk(
            positions=[self.positions[row] for row in rows],
            phones=[self.phones[row] for row in rows],
            row_keys=[self.row_keys[row] for row in rows],
            columns={name: [values[row] for row in rows] for name, values in self.columns.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audience:
    """Recipients and rejects: together the rows of the input, each exactly once.

    Attributes:
        positions: int64, ascending, unique: the recipients' rows in the input, from 0.
        msisdns: int64, aligned; unique unless a key column was given.
        row_keys: Aligned, unique: the key column as text; None where the MSISDN is the key.
        columns: All rows of the input, with the columns that were asked for only.
        rejects: The other rows.
        ignored_exclusions: Entries of the list of those to exclude that are no number of Tajikistan.
        idle_choices: Entries of the list of those to text that stand for no row.
    """

    positions: NDArray[np.int64]
    msisdns: NDArray[np.int64] = field(repr=False)
    row_keys: NDArray[np.object_] | None = field(repr=False)
    columns: pd.DataFrame = field(repr=False)
    rejects: Rejects
    ignored_exclusions: int = 0
    idle_choices: int = 0

    def __len__(self) -> int:
        """Return the number of recipients."""
        return len(self.positions)

    @property
    def rows(self) -> int:
        """The number of rows of the input."""
        return len(self.positions) + len(self.rejects)

    def read_row_keys(self, size: int = CHUNK_ROWS) -> Iterator[tuple[int, str, str]]:
        """Read position, MSISDN and key of the recipients in order."""
        for start in range(0, len(self.positions), size):
            part = slice(start, start + size)
            phones = [str(msisdn) for msisdn in self.msisdns[part].tolist()]
            keys = phones if self.row_keys is None else self.row_keys[part].tolist()
            yield from zip(self.positions[part].tolist(), phones, keys, strict=True)

    def read_chunks(self, size: int = CHUNK_ROWS) -> Iterator[RecipientChunk]:
        """Read the recipients in order, *size* at a time."""
        for start in range(0, len(self.positions), size):
            part = slice(start, start + size)
            phones = [str(msisdn) for msisdn in self.msisdns[part].tolist()]
            rows = self.columns.take(self.positions[part])
            yield RecipientChunk(
                positions=self.positions[part].tolist(),
                phones=phones,
                row_keys=phones if self.row_keys is None else self.row_keys[part].tolist(),
                columns={name: list_values(rows[name]) for name in rows.columns},
            )

    def reject(self, problems: Mapping[int, tuple[RejectReason, str]]) -> "Audience":
        """Return the audience without the recipients of *problems*.

        Args:
            problems: By position: the reason, and the column that is to blame or "".
        """
        if not problems:
            return self
        is_rejected = np.isin(self.positions, np.fromiter(problems, dtype=np.int64))
        positions = self.positions[is_rejected]
        more = Rejects(
            positions=positions,
            codes=np.array([problems[row][0].code for row in positions.tolist()], dtype=np.uint8),
            cells=self.msisdns[is_rejected].tolist(),
            columns={row: column for row, (_, column) in problems.items() if column},
        )
        return replace(
            self,
            positions=self.positions[~is_rejected],
            msisdns=self.msisdns[~is_rejected],
            row_keys=None if self.row_keys is None else self.row_keys[~is_rejected],
            rejects=self.rejects.merge(more),
        )

    def describe(self) -> str:
        """Tell a task's log who is left out and why, with masked samples and what to do about it."""
        lines = [f"{len(self)} recipients of {self.rows} rows, {len(self.rejects)} rejected"]
        lines += [f"  {line}" for line in self.rejects.describe()]
        if self.ignored_exclusions:
            lines.append(f"  exclude: {self.ignored_exclusions} entries are no phone and were ignored")
        if self.idle_choices:
            lines.append(f"  only: {self.idle_choices} entries stand for no row")
        return "\n".join(lines)


def prepare_audience(
    recipients: object,
    *,
    phone_column: str = "phone",
    key_column: str | None = None,
    columns: Collection[str] = (),
    allowed_phones: Collection[str] | None = None,
    exclude: object = None,
    only: object = None,
) -> Audience:
    """Sort the rows of *recipients* into those who are texted and those who are not.

    An empty input gives an empty audience. What was given is never changed.

    Args:
        recipients: What `sources.read_chunks` accepts; its index is ignored.
        phone_column: Where the phone is.
        key_column: Where the user's own key of a row is; then a phone may occur several times, a key once.
        columns: What a text needs: a row with nothing to print in one of them is rejected.
        allowed_phones: MSISDNs: everybody else is rejected; None allows everybody.
        exclude: Who is never texted: what `sources.read_chunks` accepts; None for nobody.
        only: The keys of those who alone are texted, in a column ``key`` or in the only one there is; None
            for everybody.

    Raises:
        InvalidMessageError: A source or a column is not usable.

    Reference:
        docs/design.md "Phones and texts"; docs/wire-notes.md "Phones".
    """
    builder = AudienceBuilder(phone_column=phone_column, key_column=key_column, columns=columns)
    builder.read(recipients)
    if allowed_phones is not None:
        builder.allow_only(allowed_phones)
    idle = 0 if only is None else builder.choose(only)
    ignored = 0 if exclude is None else builder.suppress(exclude)
    builder.reject_missing()
    builder.reject_duplicates()
    positions = builder.positions
    return Audience(
        positions=positions,
        msisdns=builder.msisdns[positions],
        row_keys=None if builder.row_keys is None else builder.row_keys[positions],
        columns=builder.table,
        rejects=builder.list_rejects(),
        ignored_exclusions=ignored,
        idle_choices=idle,
    )
