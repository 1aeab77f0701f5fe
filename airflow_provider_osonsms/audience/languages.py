"""The language of each row, when a campaign has a text for each language."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Final

_UNKNOWN: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Languages:
    """Which languages there are texts in, and how a row says which of them it is texted in.

    Attributes:
        column: The column of the languages: ``tg``, in small or capital letters.
        needs: The columns that the text of each language needs.
        default: The language of the rows that name no language or an unknown one; None to reject them.
    """

    column: str
    needs: Mapping[str, Collection[str]]
    default: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rows of any language need."""
        return tuple(dict.fromkeys([self.column, *(name for names in self.needs.values() for name in names)]))

    def choose(self, cells: Iterable[object]) -> list[str | None]:
        """Return the language of each row; None where it is to be rejected."""
        return [self.default if name is None else name for name in self.read(cells)]

    def read(self, cells: Iterable[object]) -> list[str | None]:
        """Return the language that each cell names; None where it names none that there is a text in."""
        known = {fold_language(name): name for name in self.needs}
        return [known.get(fold_language(cell)) for cell in cells]


def fold_language(cell: object) -> str:
    """Return a language as it is compared: no blanks around it, in small letters; "" for what is none."""
    if isinstance(cell, str):
        return cell.strip().casefold()
    is_whole = isinstance(cell, Integral) or (isinstance(cell, float) and cell.is_integer())
    return str(int(cell)) if is_whole and not isinstance(cell, bool) else _UNKNOWN  # type: ignore[call-overload]
