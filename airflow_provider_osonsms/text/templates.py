"""Templates: texts with fields, ``"Салом, {name}! Қарз {amount:.2f} сомонӣ"``, rendered for many rows.

A field is the name of a column and, after a colon, a format. A field cannot call anything or look
inside a value, so a text can print what the columns hold and nothing else. A brace of the text itself is
doubled. Jinja has rendered the text before.

Reference:
    docs/design.md "Phones and texts"; Python's Format Specification Mini-Language.
"""

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from enum import StrEnum
from itertools import chain, repeat
from typing import Final

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.text.values import Format, can_never_fit, read_format, write_column

_FORBIDDEN: Final = frozenset(".[]{}!")
_MAX_SHOWN_CHARACTERS: Final = 40
"""A longer name is hidden in errors: it is probably a piece of the text, which may be personal."""


class ProblemKind(StrEnum):
    """Why a row has no text."""

    MISSING = "missing"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Rows without a text, all for the same reason.

    Attributes:
        rows: Positions, ascending; a row is in one problem only.
    """

    kind: ProblemKind
    column: str
    rows: list[int] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The texts of all rows, "" for the rows with a problem.

    Attributes:
        texts: One for each row.
        problems: The rows without a text.
        misfits: Fields, as they are written, whose format writes no value of the kind of any row here.
    """

    texts: list[str] = field(repr=False)
    problems: list[Problem]
    misfits: list[str]


@dataclass(frozen=True, slots=True)
class _Field:
    column: str
    form: Format

    def __str__(self) -> str:
        return f"{{{self.column}:{self.form.spec}}}"

    def fits_none(self, values: Iterable[object]) -> bool:
        return all(can_never_fit(value, self.form) for value in values if value is not None)


class Template:
    """A text with fields for the columns of a table.

    Args:
        text: Never shown in an error, because Jinja may have put personal data into it.
        zone: Where aware times are written.

    Attributes:
        columns: The columns of its fields, in the order of the text.
        has_words: Whether something stands around its fields.

    Raises:
        InvalidMessageError: A field of *text* is not written as this module describes.
    """

    def __init__(self, text: str, *, zone: tzinfo = TAJIK_TIME) -> None:
        self._pieces = list(_parse(text, zone))
        self.has_words = any(literal.strip() for literal, _ in self._pieces)
        self.columns = tuple(dict.fromkeys(piece.column for _, piece in self._pieces if piece))

    def render(
        self,
        columns: Mapping[str, Sequence[object]],
        *,
        rows: int,
        mask: Callable[[str], str] | None = None,
    ) -> Rendered:
        """Render the text of each row.

        Args:
            columns: At least `Template.columns`, each *rows* long; a missing value is None.
            rows: The number of rows; a text without fields is repeated.
            mask: Applied to each printed value, for samples that are shown.
        """
        strips: list[Iterable[str]] = [repeat("", rows)]
        found = [_find_missing(name, columns[name]) for name in self.columns]
        misfits = []
        for literal, piece in self._pieces:
            strips.append(repeat(literal, rows))
            if piece:
                written, unfit = write_column(columns[piece.column], piece.form)
                found.append(Problem(kind=ProblemKind.UNFIT, column=piece.column, rows=unfit))
                strips.append(map(mask, written) if mask else written)
                if unfit and piece.fits_none(columns[piece.column]):
                    misfits.append(str(piece))
        texts = list(map("".join, zip(*strips, strict=True)))
        problems = _keep_first_problems(found)
        for row in chain.from_iterable(problem.rows for problem in problems):
            texts[row] = ""
        return Rendered(texts=texts, problems=problems, misfits=misfits)


def _find_missing(column: str, values: Sequence[object]) -> Problem:
    rows = [row for row, value in enumerate(values) if value is None]
    return Problem(kind=ProblemKind.MISSING, column=column, rows=rows)


def _keep_first_problems(found: Iterable[Problem]) -> list[Problem]:
    """Return the problems with each row only in the first problem that has it."""
    seen: set[int] = set()
    problems = []
    for problem in found:
        rows = [row for row in problem.rows if row not in seen]
        if rows:
            seen.update(rows)
            problems.append(replace(problem, rows=rows))
    return problems


def _parse(text: str, zone: tzinfo) -> Iterator[tuple[str, _Field | None]]:
    """Yield each literal with the field that follows it."""
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError:
        raise InvalidMessageError(
            "The braces of the text do not match: write a field as {column} or {column:format}, "
            "and double a brace that is part of the text: {{ or }}"
        ) from None
    for literal, name, spec, conversion in pieces:
        yield literal, None if name is None else _read_field(name, spec or "", conversion, zone)


def _read_field(name: str, spec: str, conversion: str | None, zone: tzinfo) -> _Field:
    if not name.strip() or name.strip().isdecimal():
        raise InvalidMessageError(
            "A field of the text has no column name: write the name of a column, like {name}, "
            "and double a brace that is part of the text: {{ or }}"
        )
    if conversion:
        raise InvalidMessageError(f"{_describe_field(name)} has a conversion, '!{conversion}': leave it out")
    if not _FORBIDDEN.isdisjoint(name):
        raise InvalidMessageError(
            f"{_describe_field(name)} looks inside a value: write the name of a column alone; "
            "a column with '.', '[' or ']' in its name needs another name"
        )
    if "{" in spec:
        raise InvalidMessageError(
            f"{_describe_field(name)} has a field in its format: write the format out, like .2f"
        )
    form = read_format(spec, zone=zone)
    if form is None:
        raise InvalidMessageError(
            f"{_describe_field(name)} has an unknown format: use one of text (>10), numbers (.2f) or "
            "dates (%d.%m.%Y)"
        )
    return _Field(name, form)


def _describe_field(name: str) -> str:
    return f"The field {name!r} of the text" if len(name) <= _MAX_SHOWN_CHARACTERS else "A field of the text"
