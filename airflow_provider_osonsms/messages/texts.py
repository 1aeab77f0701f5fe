"""Where the texts of a campaign come from: one template, a template for each language, or a column."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from airflow_provider_osonsms.audience.languages import Languages
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.text.templates import ProblemKind, Template
from airflow_provider_osonsms.text.unfit import find_unfit_texts

Problems = dict[int, tuple[RejectReason, str]]
"""By row: the reason, and the column that caused it or ""."""
Columns = Mapping[str, Sequence[Any]]
Mask = Callable[[str], str]

_REASONS: Final = {
    ProblemKind.MISSING: RejectReason.MISSING_VALUE,
    ProblemKind.UNFIT: RejectReason.UNFIT_VALUE,
}
NO_LANGUAGE: Final = ""
"""The language of all rows when there is one text, or a column of texts."""
_WORD_CHARACTER: Final = re.compile(r"[^\W_]")
_HIDDEN: Final = "▪"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A field whose format can write no value of some rows: the text is at fault, and not the rows."""

    language: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The texts of some rows.

    Attributes:
        texts: One for each row, "" for a row without one.
        languages: The language of each row.
        problems: The rows without a text.
        rows_by_language: How many rows there are of each language.
        misfits: By misfit, how many of the rows have it.
    """

    texts: list[str] = field(repr=False)
    languages: list[str]
    problems: Problems
    rows_by_language: Counter[str]
    misfits: Counter[Misfit] = field(default_factory=Counter)


class TextSource(Protocol):
    """Writes a text for each row from its columns."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the texts need."""

    @property
    def languages(self) -> Languages | None:
        """The languages of the texts; None where the rows have none."""

    @property
    def text_column(self) -> str:
        """The column that holds whole texts; "" if none does."""

    @property
    def has_words(self) -> bool:
        """Whether each text has words of its own besides what comes from the columns."""

    def write(self, columns: Columns, *, rows: int, mask: Mask | None = None) -> Texts:
        """Write the text of each of the *rows*; *mask* is applied to all that comes from a column."""


@dataclass(frozen=True, slots=True)
class OneText:
    """One template for all rows."""

    template: Template = field(repr=False)
    languages: None = field(default=None, init=False)
    text_column: str = field(default="", init=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its fields."""
        return self.template.columns

    @property
    def has_words(self) -> bool:
        """Whether something stands around its fields."""
        return self.template.has_words

    def write(self, columns: Columns, *, rows: int, mask: Mask | None = None) -> Texts:
        """Render the template for each row."""
        rendered = self.template.render(columns, rows=rows, mask=mask)
        return Texts(
            texts=rendered.texts,
            languages=[NO_LANGUAGE] * rows,
            rows_by_language=Counter({NO_LANGUAGE: rows}),
            problems={
                row: (_REASONS[problem.kind], problem.column)
                for problem in rendered.problems
                for row in problem.rows
            },
            misfits=Counter({Misfit(language=NO_LANGUAGE, field=name): rows for name in rendered.misfits}),
        )


@dataclass(frozen=True, slots=True)
class TextByLanguage:
    """A template for each language; a column says which of them a row gets."""

    templates: Mapping[str, Template] = field(repr=False)
    languages: Languages
    text_column: str = field(default="", init=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of the languages, and those of the fields of all templates."""
        return self.languages.columns

    @property
    def has_words(self) -> bool:
        """Whether something stands around the fields of each."""
        return all(template.has_words for template in self.templates.values())

    def write(self, columns: Columns, *, rows: int, mask: Mask | None = None) -> Texts:
        """Render for each row the template of its language."""
        column = self.languages.column
        chosen = self.languages.choose(columns[column])
        texts, misfits = [""] * rows, Counter[Misfit]()
        problems: Problems = {
            row: (RejectReason.UNKNOWN_LANGUAGE, column) for row, name in enumerate(chosen) if name is None
        }
        for language, template in self.templates.items():
            its_rows = [row for row, name in enumerate(chosen) if name == language]
            cells = {name: [columns[name][row] for row in its_rows] for name in template.columns}
            rendered = template.render(cells, rows=len(its_rows), mask=mask)
            for row, text in zip(its_rows, rendered.texts, strict=True):
                texts[row] = text
            for problem in rendered.problems:
                found = (_REASONS[problem.kind], problem.column)
                problems.update((its_rows[place], found) for place in problem.rows)
            misfits.update({Misfit(language=language, field=one): len(its_rows) for one in rendered.misfits})
        languages = [NO_LANGUAGE if name is None else name for name in chosen]
        return Texts(
            texts=texts,
            languages=languages,
            problems=problems,
            rows_by_language=Counter(languages),
            misfits=misfits,
        )


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column that holds the whole text of each row."""

    text_column: str
    languages: None = field(default=None, init=False)
    has_words: bool = field(default=False, init=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.text_column,)

    def write(self, columns: Columns, *, rows: int, mask: Mask | None = None) -> Texts:
        """Take the text of each row as it is."""
        cells = columns[self.text_column]
        missing = (RejectReason.MISSING_VALUE, self.text_column)
        unfit = (RejectReason.UNFIT_VALUE, self.text_column)
        problems = {
            row: missing if cell is None else unfit
            for row, cell in enumerate(cells)
            if not isinstance(cell, str)
        }
        texts = ["" if row in problems else cell for row, cell in enumerate(cells)]
        for row in find_unfit_texts(texts):
            problems[row] = unfit
            texts[row] = ""
        return Texts(
            texts=list(map(mask, texts)) if mask else texts,
            languages=[NO_LANGUAGE] * rows,
            rows_by_language=Counter({NO_LANGUAGE: rows}),
            problems=problems,
        )


def mask_value(value: str) -> str:
    """Replace letters and digits; the length and the signs of a value stay visible."""
    return _WORD_CHARACTER.sub(_HIDDEN, value)
