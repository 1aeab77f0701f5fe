"""The source of a campaign's texts, a template or a column: it renders and counts the text of each row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_osonsms.audience.missing import is_blank
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.text.templates import ProblemKind, Template
from airflow_provider_osonsms.text.transliteration import transliterate

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import RecipientChunk
    from airflow_provider_osonsms.text.counting import Measured

Problems = dict[int, tuple[RejectReason, str]]
"""By position in the input: the reason, and the column that caused it or ""."""

_REASONS: Final = {
    ProblemKind.MISSING: RejectReason.MISSING_VALUE,
    ProblemKind.UNFIT: RejectReason.UNFIT_VALUE,
}
_WORD_CHARACTER: Final = re.compile(r"[^\W_]")
_HIDDEN: Final = "▪"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedChunk:
    """The messages of a chunk of recipients.

    Attributes:
        positions: Rows of the input, from 0, ascending.
        phones: MSISDNs, aligned.
        row_keys: The key of each row, aligned.
        measured: The texts as they are sent, and their parts, aligned.
        problems: The rows without a message.
    """

    positions: list[int]
    phones: list[str] = field(repr=False)
    row_keys: list[str] = field(repr=False)
    measured: "Measured"
    problems: Problems


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSource:
    """Renders the text of each recipient, from a template or from a column.

    Attributes:
        template: The template; None for a column.
        message_column: The column of the texts, without a template.
        is_latin: Whether the texts are transliterated to Latin letters.
        max_parts: Rows with more parts are rejected; None for no limit.
    """

    template: Template | None = field(repr=False)
    message_column: str = ""
    is_latin: bool = False
    max_parts: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the texts need."""
        return (self.message_column,) if self.template is None else self.template.columns

    def render(self, chunk: "RecipientChunk") -> RenderedChunk:
        """Render the messages of *chunk*."""
        from airflow_provider_osonsms.text.counting import measure

        texts, problems = self._render_texts(chunk.columns, len(chunk.positions))
        if self.is_latin:
            texts = list(map(transliterate, texts))
        measured = measure(texts)
        problems = {**self._check_parts(measured.parts.tolist()), **problems}
        if not problems:
            return RenderedChunk(
                positions=chunk.positions,
                phones=chunk.phones,
                row_keys=chunk.row_keys,
                measured=measured,
                problems={},
            )
        kept = [row for row in range(len(texts)) if row not in problems]
        return RenderedChunk(
            positions=[chunk.positions[row] for row in kept],
            phones=[chunk.phones[row] for row in kept],
            row_keys=[chunk.row_keys[row] for row in kept],
            measured=measured.take(kept),
            problems={chunk.positions[row]: problem for row, problem in problems.items()},
        )

    def render_samples(self, chunk: "RecipientChunk", positions: Sequence[int]) -> list[str]:
        """Return the texts at *positions*, with every value masked so that a log may show them."""
        rows = [chunk.positions.index(position) for position in positions]
        columns = {name: [values[row] for row in rows] for name, values in chunk.columns.items()}
        if self.template is None:
            texts = list(map(_mask, columns[self.message_column]))
        else:
            texts = self.template.render(columns, rows=len(rows), mask=_mask).texts
        return list(map(transliterate, texts)) if self.is_latin else texts

    def _check_parts(self, parts: list[int]) -> Problems:
        maximum = max(parts, default=0) if self.max_parts is None else self.max_parts
        empty, too_many = (RejectReason.EMPTY_TEXT, self.message_column), (RejectReason.TOO_MANY_PARTS, "")
        return {
            row: too_many if count else empty for row, count in enumerate(parts) if not 0 < count <= maximum
        }

    def _render_texts(self, columns: Mapping[str, list[Any]], rows: int) -> tuple[list[str], Problems]:
        """Return the text of each row, "" if it has none, and the problems by row of the chunk."""
        if self.template is None:
            texts = columns[self.message_column]
            unfit = (RejectReason.UNFIT_VALUE, self.message_column)
            missing = (RejectReason.MISSING_VALUE, self.message_column)
            problems = {
                row: missing if text is None else unfit
                for row, text in enumerate(texts)
                if not isinstance(text, str)
            }
            return ["" if row in problems else text for row, text in enumerate(texts)], problems
        rendered = self.template.render(columns, rows=rows)
        return rendered.texts, {
            row: (_REASONS[problem.kind], problem.column)
            for problem in rendered.problems
            for row in problem.rows
        }


def _mask(value: str) -> str:
    """Replace letters and digits; the length and the signs of a value stay visible."""
    return _WORD_CHARACTER.sub(_HIDDEN, value)


def read_message_source(
    message: object, message_column: str | None, *, is_latin: bool, max_parts: int | None
) -> MessageSource:
    """Return the source for the parameters ``message`` and ``message_column``.

    Raises:
        InvalidMessageError: Neither or both are set, or the message is not a valid template.
    """
    if (message is None) == (message_column is None):
        raise InvalidMessageError("set either message, a text with {columns}, or message_column")
    if message is None:
        return MessageSource(
            template=None, message_column=str(message_column), is_latin=is_latin, max_parts=max_parts
        )
    if not isinstance(message, str) or is_blank(message):
        raise InvalidMessageError(
            "message must be a text, such as 'Салом, {name}!'; it is empty, no text, or "
            "rendered to a missing value"
        )
    return MessageSource(template=Template(message), is_latin=is_latin, max_parts=max_parts)
