"""The rows that are not texted, with the reason of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.audience.reasons import REASONS, RejectReason

_SAMPLES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rejects:
    """The rejected rows of an input.

    Attributes:
        positions: int64, ascending, unique: the position of each row in the input, from 0.
        codes: uint8, aligned: `RejectReason.code` of each row.
        cells: Aligned: the phone cell as it came, or the MSISDN where it could be read; shown masked only.
        columns: By position, where one is to blame: the name of the column that is missing or does not fit.
    """

    positions: NDArray[np.int64]
    codes: NDArray[np.uint8]
    cells: Sequence[Any] = field(repr=False)
    columns: Mapping[int, str]

    def __len__(self) -> int:
        """Return the number of rejected rows."""
        return len(self.positions)

    @property
    def invalid(self) -> int:
        """The number of rows that are wrong, instead of left out on purpose (`RejectReason.is_invalid`)."""
        return sum(count for reason, count in self.count().items() if RejectReason(reason).is_invalid)

    def count(self) -> dict[str, int]:
        """Count by reason, in the order of `RejectReason`; reasons that did not occur are left out."""
        counts = np.bincount(self.codes, minlength=len(REASONS)).tolist()
        return {reason.value: counts[reason.code] for reason in RejectReason if counts[reason.code]}

    def describe(self) -> list[str]:
        """Return a line for each reason, with masked samples and what to do about it."""
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
        )

    def read_rows(self) -> Iterator[tuple[int, str, str]]:
        """Read row (from 0), masked phone and reason of each, in order."""
        for row, code, cell in zip(self.positions.tolist(), self.codes.tolist(), self.cells, strict=True):
            yield row, mask_phone(cell), str(REASONS[code])

    def to_frame(self) -> pd.DataFrame:
        """Return ``row`` (int64, from 0), ``phone`` (masked), ``reason`` and ``column`` (empty: none)."""
        return pd.DataFrame(
            {
                "row": self.positions,
                "phone": pd.Series([mask_phone(cell) for cell in self.cells], dtype="object"),
                "reason": pd.Series([str(REASONS[code]) for code in self.codes.tolist()], dtype="object"),
                "column": pd.Series(
                    [self.columns.get(row, "") for row in self.positions.tolist()], dtype="object"
                ),
            }
        )

    def _describe_reason(self, reason: RejectReason, count: int) -> str:
        rows = np.flatnonzero(self.codes == reason.code)[:_SAMPLES].tolist()
        samples = ", ".join(self._describe_row(row) for row in rows)
        return f"{reason}: {count} ({samples}). {reason.advice}"

    def _describe_row(self, row: int) -> str:
        position = int(self.positions[row])
        blamed = f" column {self.columns[position]!r}" if position in self.columns else ""
        return f"row {position} {mask_phone(self.cells[row])}{blamed}"
