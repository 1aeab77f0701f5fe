"""The rejected rows of an audience, each with its reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.audience.reasons import REASONS, RejectReason
from airflow_provider_osonsms.audience.row_numbers import RowNumbers
from airflow_provider_osonsms.tables.rows import RejectRow

_SAMPLES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rejects:
    """The rejected rows of an input.

    Attributes:
        positions: int64, ascending, unique: the position of each row in the input, from 0.
        codes: uint8, aligned: `RejectReason.code` of each row.
        cells: Aligned: the phone cell as it came, or the MSISDN where it could be read; shown masked only.
        columns: By position, where one column is the cause: the one whose value is missing or does not fit.
        numbers: How people number the rows.
    """

    positions: NDArray[np.int64]
    codes: NDArray[np.uint8]
    cells: Sequence[Any] = field(repr=False)
    columns: Mapping[int, str]
    numbers: RowNumbers = field(default_factory=RowNumbers)

    def __len__(self) -> int:
        """Return the number of rejected rows."""
        return len(self.positions)

    @property
    def invalid(self) -> int:
        """The number of rows that are wrong themselves (`RejectReason.is_invalid`)."""
        return sum(count for reason, count in self.count().items() if RejectReason(reason).is_invalid)

    def count(self) -> dict[str, int]:
        """Count the rows by reason, in the order of `RejectReason`; only reasons that occur."""
        counts = np.bincount(self.codes, minlength=len(REASONS)).tolist()
        return {reason.value: counts[reason.code] for reason in RejectReason if counts[reason.code]}

    def describe(self) -> list[str]:
        """Return one line for each reason that occurs: the count, masked samples and what to do."""
        return [self._describe_reason(RejectReason(reason), count) for reason, count in self.count().items()]

    def merge(self, more: "Rejects") -> "Rejects":
        """Return these rows and *more*, in the order of the input."""
        positions = np.concatenate([self.positions, more.positions])
        order = np.argsort(positions)
        cells = [*self.cells, *more.cells]
        return Rejects(
            positions=positions[order],
            codes=np.concatenate([self.codes, more.codes])[order],
            cells=[cells[place] for place in order.tolist()],
            columns={**self.columns, **more.columns},
            numbers=self.numbers,
        )

    def read_rows(self) -> Iterator[RejectRow]:
        """Yield the rejected rows in the order of the input, with masked phones."""
        for row, code, cell in zip(self.positions.tolist(), self.codes.tolist(), self.cells, strict=True):
            number = self.numbers.find(row)
            yield RejectRow(number, mask_phone(cell), str(REASONS[code]), self.columns.get(row))

    def _describe_reason(self, reason: RejectReason, count: int) -> str:
        rows = np.flatnonzero(self.codes == reason.code)[:_SAMPLES].tolist()
        samples = ", ".join(self._describe_row(row) for row in rows)
        return f"{reason}: {count} ({samples}). {reason.advice}"

    def _describe_row(self, row: int) -> str:
        position = int(self.positions[row])
        problem_column = f" column {self.columns[position]!r}" if position in self.columns else ""
        return f"{self.numbers.describe(position)} {mask_phone(self.cells[row])}{problem_column}"
