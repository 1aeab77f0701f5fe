"""The source of a campaign's messages: it writes, checks and counts the text of each row."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TYPE_CHECKING, TypeVar, cast

from airflow_provider_osonsms.audience.languages import Languages
from airflow_provider_osonsms.audience.missing import is_blank
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.messages.languages import find_language_problem
from airflow_provider_osonsms.messages.texts import (
    Misfit,
    OneText,
    Problems,
    TextByLanguage,
    TextColumn,
    TextSource,
    mask_value,
)
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.text.leftovers import (
    find_leftover,
    find_suspects,
    find_template_leftover,
    refuse_leftover,
)
from airflow_provider_osonsms.text.templates import Template
from airflow_provider_osonsms.text.transliteration import transliterate

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import RecipientChunk
    from airflow_provider_osonsms.text.counting import Measured

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedChunk:
    """The messages of a chunk of recipients.

    Attributes:
        positions: Rows of the input, from 0, ascending.
        phones: MSISDNs, aligned.
        row_keys: The key of each row, aligned.
        languages: The language of each row, aligned; "" where there is one text.
        measured: The texts as they are sent, and their parts, aligned.
        problems: The rows without a message, by position in the input.
        rows_by_language: How many rows there were, with and without a message.
        misfits: How many of these rows each misfit concerns.
    """

    positions: list[int]
    phones: list[str] = field(repr=False)
    row_keys: list[str] = field(repr=False)
    languages: list[str]
    measured: "Measured"
    problems: Problems
    rows_by_language: Counter[str]
    misfits: Counter[Misfit]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSource:
    """Renders the message of each recipient.

    Attributes:
        texts: Where the texts come from.
        is_latin: Whether the texts are transliterated to Latin letters.
        max_parts: Rows with more parts are rejected; None for no limit.
    """

    texts: TextSource
    is_latin: bool = False
    max_parts: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the texts need."""
        return self.texts.columns

    @property
    def languages(self) -> Languages | None:
        """The languages of the texts; None where there is one text."""
        return self.texts.languages

    def render(self, chunk: "RecipientChunk") -> RenderedChunk:
        """Render the messages of *chunk*."""
        from airflow_provider_osonsms.text.counting import measure

        written = self.texts.write(chunk.columns, rows=len(chunk.positions))
        unfilled = self._find_unfilled(written.texts, chunk.source_columns)
        texts = list(map(transliterate, written.texts)) if self.is_latin else written.texts
        measured = measure(texts)
        problems = {**self._check_parts(measured.parts.tolist()), **unfilled, **written.problems}
        kept = [row for row in range(len(texts)) if row not in problems] if problems else None
        return RenderedChunk(
            positions=_take(chunk.positions, kept),
            phones=_take(chunk.phones, kept),
            row_keys=_take(chunk.row_keys, kept),
            languages=_take(written.languages, kept),
            measured=measured if kept is None else measured.take(kept),
            problems={chunk.positions[row]: problem for row, problem in problems.items()},
            rows_by_language=written.rows_by_language,
            misfits=written.misfits,
        )

    def render_samples(self, chunk: "RecipientChunk", positions: Sequence[int]) -> list[str]:
        """Return the texts at *positions*, with every value masked so that a log may show them."""
        rows = [chunk.positions.index(position) for position in positions]
        columns = {name: [values[row] for row in rows] for name, values in chunk.columns.items()}
        texts = self.texts.write(columns, rows=len(rows), mask=mask_value).texts
        return list(map(transliterate, texts)) if self.is_latin else texts

    def _find_unfilled(self, texts: list[str], columns: Collection[object]) -> Problems:
        unfilled = (RejectReason.UNFILLED_TEXT, self.texts.text_column)
        suspects = find_suspects(texts, may_be_names=not self.texts.has_words)
        return {row: unfilled for row in suspects if find_leftover(texts[row], columns)}

    def _check_parts(self, parts: list[int]) -> Problems:
        maximum = max(parts, default=0) if self.max_parts is None else self.max_parts
        empty = (RejectReason.EMPTY_TEXT, self.texts.text_column)
        too_many = (RejectReason.TOO_MANY_PARTS, "")
        return {
            row: too_many if count else empty for row, count in enumerate(parts) if not 0 < count <= maximum
        }


def _take(values: list[T], rows: list[int] | None) -> list[T]:
    return values if rows is None else [values[row] for row in rows]


def read_message_source(
    message: object,
    message_column: str | None,
    *,
    is_latin: bool,
    max_parts: int | None,
    language_column: str | None = None,
    default_language: str | None = None,
    zone: tzinfo = TAJIK_TIME,
) -> MessageSource:
    """Return the source for the parameters ``message`` and ``message_column``.

    Raises:
        InvalidMessageError: Neither or both are set, the languages do not fit together, or a message is not a
            valid template.
    """
    if (message is None) == (message_column is None):
        raise InvalidMessageError("set either message, a text with {columns}, or message_column")
    problem = find_language_problem(
        message, language_column=language_column, default_language=default_language
    )
    if problem is not None:
        raise InvalidMessageError(problem)
    texts: TextSource
    if message is None:
        texts = TextColumn(cast("str", message_column))
    elif isinstance(message, Mapping):
        templates = {
            name.strip(): _read_template(text, f"message[{name!r}]", zone) for name, text in message.items()
        }
        needs = {name: template.columns for name, template in templates.items()}
        languages = Languages(column=cast("str", language_column), needs=needs)
        (default,) = [None] if default_language is None else languages.read([default_language])
        texts = TextByLanguage(templates, replace(languages, default=default))
    else:
        texts = OneText(_read_template(message, "message", zone))
    return MessageSource(texts=texts, is_latin=is_latin, max_parts=max_parts)


def _read_template(message: object, name: str, zone: tzinfo) -> Template:
    if not isinstance(message, str) or is_blank(message):
        raise InvalidMessageError(
            f"{name} must be a text, such as 'Салом, {{name}}!'; it is empty, no text, or "
            f"rendered to a missing value"
        )
    refuse_leftover(find_template_leftover(message), name)
    return Template(message, zone=zone)
