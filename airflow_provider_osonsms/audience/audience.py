"""The audience: the rows of any table, split into recipients and rejects with reasons.

Reference:
    docs/design.md "Phones and texts".
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.builder import AudienceBuilder
from airflow_provider_osonsms.audience.cells import Cells
from airflow_provider_osonsms.audience.languages import Languages
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.audience.rejects import Rejects
from airflow_provider_osonsms.audience.row_numbers import RowNumbers
from airflow_provider_osonsms.audience.suppression import SuppressionList, read_suppression_list

CHUNK_ROWS: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientChunk:
    """Some recipients, as lists of equal length.

    Attributes:
        positions: Rows of the input, from 0, ascending.
        phones: MSISDNs.
        row_keys: The key of each row, unique in the audience.
        columns: The values of the requested columns by name; None where there is nothing to print.
        source_columns: The names of all columns of the input.
    """

    positions: list[int]
    phones: list[str] = field(repr=False)
    row_keys: list[str] = field(repr=False)
    columns: Mapping[str, list[Any]] = field(repr=False)
    source_columns: Collection[object] = field(default=(), repr=False)

    def take(self, rows: Sequence[int]) -> "RecipientChunk":
        """Return the recipients at the positions *rows* of this chunk, in that order."""
        return RecipientChunk(
            positions=[self.positions[row] for row in rows],
            phones=[self.phones[row] for row in rows],
            row_keys=[self.row_keys[row] for row in rows],
            columns={name: [values[row] for row in rows] for name, values in self.columns.items()},
            source_columns=self.source_columns,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audience:
    """Recipients and rejects: each row of the input is in exactly one of the two.

    Attributes:
        positions: int64, ascending, unique: the recipients' rows in the input, from 0.
        msisdns: int64, aligned; unique unless a key column was given.
        row_keys: Aligned, unique: the key column as text; None where the MSISDN is the key.
        columns: The requested columns by name, with all rows of the input.
        rejects: The rows that are not texted.
        ignored_exclusions: How many entries of ``exclude`` are no phones, and not blank.
        foreign_exclusions: How many entries of ``exclude`` are phones of other countries, which nobody has.
        unmatched_inclusions: How many entries of ``only`` match no row.
        default_languages: How many rows name no known language, and are texted in the default one.
        source_columns: The names of all columns of the input.
    """

    positions: NDArray[np.int64]
    msisdns: NDArray[np.int64] = field(repr=False)
    row_keys: NDArray[np.object_] | None = field(repr=False)
    columns: Mapping[str, Cells] = field(repr=False)
    rejects: Rejects
    ignored_exclusions: int = 0
    foreign_exclusions: int = 0
    unmatched_inclusions: int = 0
    default_languages: int = 0
    source_columns: Collection[object] = field(default=(), repr=False)

    def __len__(self) -> int:
        """Return the number of recipients."""
        return len(self.positions)

    @property
    def rows(self) -> int:
        """The number of rows of the input."""
        return len(self.positions) + len(self.rejects)

    @property
    def numbers(self) -> RowNumbers:
        """How people number the rows of the input."""
        return self.rejects.numbers

    def read_row_keys(self, size: int = CHUNK_ROWS) -> Iterator[tuple[int, str, str]]:
        """Yield the position, MSISDN and row key of each recipient, in order."""
        for start in range(0, len(self.positions), size):
            part = slice(start, start + size)
            phones = [str(msisdn) for msisdn in self.msisdns[part].tolist()]
            keys = phones if self.row_keys is None else self.row_keys[part].tolist()
            yield from zip(self.positions[part].tolist(), phones, keys, strict=True)

    def read_chunks(self, size: int = CHUNK_ROWS) -> Iterator[RecipientChunk]:
        """Yield the recipients in order, *size* at a time."""
        for start in range(0, len(self.positions), size):
            part = slice(start, start + size)
            phones = [str(msisdn) for msisdn in self.msisdns[part].tolist()]
            positions = self.positions[part]
            yield RecipientChunk(
                positions=positions.tolist(),
                phones=phones,
                row_keys=phones if self.row_keys is None else self.row_keys[part].tolist(),
                columns={name: cells.take(positions) for name, cells in self.columns.items()},
                source_columns=self.source_columns,
            )

    def find_phones(self, phones: SuppressionList) -> list[int]:
        """Return the positions of the recipients whose phone is among *phones*."""
        return list(map(int, self.positions[phones.find(self.msisdns)]))

    def reject(self, problems: Mapping[int, tuple[RejectReason, str]]) -> "Audience":
        """Return the audience without the recipients of *problems*.

        Args:
            problems: By position: the reason, and the column that caused it or "".
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
        """Describe, for a log, how many rows are rejected, why, and what to do; phones are masked."""
        lines = [f"{len(self)} recipients of {self.rows} rows, {len(self.rejects)} rejected"]
        lines += [f"  {line}" for line in self.rejects.describe()]
        if self.ignored_exclusions:
            lines.append(f"  exclude: {self.ignored_exclusions} entries are no phones and were ignored")
        if self.foreign_exclusions:
            lines.append(
                f"  exclude: {self.foreign_exclusions} entries are phones of other countries, which no "
                f"recipient has"
            )
        if self.unmatched_inclusions:
            lines.append(f"  only: {self.unmatched_inclusions} entries match no row")
        if self.default_languages:
            lines.append(f"  language_column: {self.default_languages} rows get the default_language")
        return "\n".join(lines)


def prepare_audience(
    recipients: object,
    *,
    phone_column: str = "phone",
    key_column: str | None = None,
    columns: Collection[str] = (),
    languages: Languages | None = None,
    allowed_phones: Collection[str] | None = None,
    exclude: object = None,
    max_ignored_ratio: float = 0,
    suppressed: SuppressionList | None = None,
    only: object = None,
    is_capped: bool = False,
    full: SuppressionList | None = None,
) -> Audience:
    """Split the rows of *recipients* into recipients and rejects.

    An empty input gives an empty audience. The input itself is never changed.

    Args:
        recipients: What `readers.read_chunks` accepts; its index is ignored.
        phone_column: The column of the phones.
        key_column: The column of the user's own row keys; then a phone may occur several times, a key once.
        columns: The columns that a text needs: a row without a printable value in one of them is rejected.
        languages: What the texts of several languages need, instead of *columns*; None for one text.
        allowed_phones: The only MSISDNs that may be texted; None for no such limit.
        exclude: Phones that are never texted, as `readers.read_chunks` accepts them; None for no such list.
        max_ignored_ratio: How many entries of *exclude* may be no phones, among all that are not blank.
        suppressed: More phones that are never texted, read already; None for none.
        only: The keys of the only rows that are texted, in a column ``key`` or in the only column; None for
            all rows.
        is_capped: Whether a phone gets one message, however many keys it has.
        full: Phones that have had enough messages; None for none.

    Raises:
        InvalidMessageError: A source or a column is not usable.

    Reference:
        docs/design.md "Phones and texts"; docs/wire-notes.md "Phones".
    """
    needed = columns if languages is None else languages.columns
    builder = AudienceBuilder(phone_column=phone_column, key_column=key_column, columns=needed)
    builder.read(recipients)
    if allowed_phones is not None:
        builder.reject_not_allowed(allowed_phones)
    unmatched = 0 if only is None else builder.reject_not_chosen(only)
    excluded = SuppressionList(msisdns=np.empty(0, dtype=np.int64))
    if exclude is not None:
        excluded = read_suppression_list(
            exclude, phone_column=phone_column, max_ignored_ratio=max_ignored_ratio
        )
    for some in (excluded, suppressed):
        if some is not None:
            builder.reject_suppressed(some)
    builder.reject_missing_keys()
    default_languages = 0
    if languages is None:
        builder.reject_missing_values()
    else:
        default_languages = builder.reject_missing_values_by_language(languages)
    builder.reject_duplicates()
    if full is not None:
        builder.reject_capped(full)
    if is_capped:
        builder.reject_repeated_phones()
    positions = builder.positions
    return Audience(
        positions=positions,
        msisdns=builder.msisdns[positions],
        row_keys=None if builder.row_keys is None else builder.row_keys[positions],
        columns=builder.columns,
        rejects=builder.list_rejects(),
        ignored_exclusions=excluded.ignored,
        foreign_exclusions=excluded.foreign,
        unmatched_inclusions=unmatched,
        default_languages=default_languages,
        source_columns=frozenset(builder.source_columns),
    )
