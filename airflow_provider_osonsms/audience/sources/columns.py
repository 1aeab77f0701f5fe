"""The columns to read from a source, and the errors when one of them is missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from airflow_provider_osonsms.audience.phones.one import mask_phone, normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_SHOWN_COLUMNS: Final = 20
_SHOWN_CHARACTERS: Final = 40
_DIGITS_OF_A_PHONE: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSelection:
    """The columns to read from every table of a source.

    Attributes:
        parameter: The name of the parameter that holds the source, for errors.
        phone_column: The column of the phones.
        columns: The other columns; None for all.
        one_column_is_phones: Whether the only column of a table may have any name.
        optional: Columns that are read where they are there once.
        is_part: Whether a table is one of several. Then values without a name may be a row of a table as
            well as its column of phones.
        seen: The names of all columns of the tables that were read so far.
    """

    parameter: str
    phone_column: str
    columns: tuple[str, ...] | None = None
    one_column_is_phones: bool = False
    optional: tuple[str, ...] = ()
    is_part: bool = False
    seen: set[object] = field(default_factory=set)

    @property
    def names(self) -> list[str]:
        """The columns that the source must have, the phones first."""
        return list(dict.fromkeys([self.phone_column, *(self.columns or ())]))

    def find(self, names: Sequence[object]) -> list[int]:
        """Return the places, ascending, of the columns to read in a table with the columns *names*.

        Raises:
            InvalidMessageError: A column is missing, or there several times; or the name of the only column
                is itself a phone, which would be lost.
        """
        self.seen.update(names)
        if self._allows_any_name(names):
            if is_data(names[0]):
                raise InvalidMessageError(
                    f"{self.parameter} has no header: its only column is named {mask_phone(names[0])}; "
                    f"put the line {self.phone_column!r} above the phones"
                )
            return [0]
        for column in self.names:
            require_column(names, column, parameter=self.parameter)
        if self.columns is None:
            return list(range(len(names)))
        optional = [column for column in self.optional if names.count(column) == 1]
        return sorted({names.index(column) for column in (*self.names, *optional)})

    def rename(self, names: Sequence[Any]) -> list[Any]:
        """Return the columns *names* of a table that was read; an only column becomes `phone_column`."""
        return [self.phone_column] if self._allows_any_name(names) else list(names)

    def read_table(self, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """Yield *table* under the names of `rename`; a table without rows and columns yields nothing.

        Raises:
            InvalidMessageError: See `find`.
        """
        names = list(table.columns)
        if not names and not len(table):
            return
        self.find(names)
        renamed = self.rename(names)
        yield table if renamed == names else table.set_axis(renamed, axis=1)

    def read_column(self, column: "pd.Series[Any]", *, kind: str) -> Iterator[pd.DataFrame]:
        """Yield a table of phones that have no name; none of no phones.

        Args:
            column: The phones.
            kind: What they were given as, for the error.

        Raises:
            InvalidMessageError: They may be a row, whose other numbers would be taken for phones.
        """
        if self.is_part and len(column) > 1:
            raise InvalidMessageError(
                f"{self.parameter} holds a {kind} of {len(column)} values without names, which may be phones "
                f"or a row of a table: give one list of phones, dicts, or DataFrames"
            )
        if len(column):
            yield from self.read_table(column.to_frame(name=self.phone_column))

    def require_in_each(self, rows: Sequence[Mapping[Any, Any]]) -> None:
        """Check that each of *rows* has a phone, be it an empty one, under its name.

        Raises:
            InvalidMessageError: One has none: its phone has perhaps another name, and would be passed over.
        """
        without = sum(self.phone_column not in row for row in rows)
        if without:
            raise InvalidMessageError(
                f"{self.parameter} holds {without} rows without {self.phone_column!r} among others that have "
                f"it: name it alike in every row"
            )

    def make_empty(self) -> pd.DataFrame:
        """Return a table without rows."""
        return pd.DataFrame(columns=self.names, dtype="object")

    def _allows_any_name(self, names: Sequence[object]) -> bool:
        return self.one_column_is_phones and len(names) == len(self.names) == 1


def require_column(names: Iterable[object], column: str, *, parameter: str = "recipients") -> None:
    """Check that a table with the columns *names* has *column* exactly once.

    Raises:
        InvalidMessageError: It does not; the text names its columns, masked where they are data.
    """
    columns = list(names)
    found = columns.count(column)
    if found == 1:
        return
    has_header = not any(map(is_data, columns))
    printed = [_print_name(name) if has_header else mask_phone(name) for name in columns[:_SHOWN_COLUMNS]]
    more = ", ..." if len(columns) > _SHOWN_COLUMNS else ""
    how_often = f"{found} columns" if found else "no column"
    hint = "" if has_header else " (a first row of data instead of a header?)"
    raise InvalidMessageError(
        f"{parameter} has {how_often} {column!r}; its columns are {', '.join(printed) or 'none'}{more}{hint}"
    )


def is_data(name: object) -> bool:
    """Whether *name* is a phone: in a file without a header, the first row is read as the names."""
    digits = sum(character.isdigit() for character in str(name))
    return digits >= _DIGITS_OF_A_PHONE or normalize_phone(name) is RejectReason.LOST_DIGITS


def _print_name(name: object) -> str:
    return repr(name[:_SHOWN_CHARACTERS] if isinstance(name, str) else name)
