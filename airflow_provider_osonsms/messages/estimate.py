"""The estimate: messages of a campaign, counted chunk by chunk before they are sent."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.messages.preview import Preview
from airflow_provider_osonsms.messages.source import MessageSource, RenderedChunk
from airflow_provider_osonsms.messages.texts import NO_LANGUAGE, Misfit, Problems
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience
    from airflow_provider_osonsms.text.counting import Measured


class Estimate:
    """Counts of messages by parts, with samples and advice; its memory does not grow with the messages.

    Attributes:
        advice: How to save parts.
        samples: A few texts, masked, with the language before each where there are several.
        languages: The number of messages in each language; empty where there is one text.
    """

    def __init__(self, languages: Iterable[str] = ()) -> None:
        from airflow_provider_osonsms.text.advice import Advice

        self.advice = Advice()
        self.samples: list[str] = []
        self.languages: dict[str, int] = dict.fromkeys(languages, 0)
        self._messages_by_parts: Counter[int] = Counter()

    @property
    def messages(self) -> int:
        """The number of messages."""
        return self._messages_by_parts.total()

    @property
    def most_parts(self) -> int:
        """Billed parts of the longest message, as estimated; 0 where there is none."""
        return max(self._messages_by_parts, default=0)

    @property
    def parts(self) -> int:
        """Billed parts of all messages, as estimated."""
        return sum(parts * messages for parts, messages in self._messages_by_parts.items())

    def add(self, measured: "Measured", *, copies: int = 1) -> None:
        """Add messages, each *copies* times."""
        for parts, count in Counter(measured.parts.tolist()).items():
            self._messages_by_parts[parts] += count * copies
        self.advice.add(measured)

    def make_preview(
        self,
        *,
        rejects: Mapping[str, int],
        settings: Settings,
        balance: Decimal,
        max_rate: float | None = None,
        ignored_exclusions: int = 0,
        timing: str | None = None,
    ) -> Preview:
        """Return the preview of the counted messages."""
        distribution = {parts: count for parts, count in sorted(self._messages_by_parts.items()) if count}
        return Preview(
            recipients=sum(distribution.values()),
            reject_reasons=rejects,
            distribution=distribution,
            price_per_part=settings.price_per_part,
            balance=balance,
            max_rate=max_rate,
            ignored_exclusions=ignored_exclusions,
            timing=timing,
            languages=self.languages,
            samples=tuple(self.samples),
            advice=tuple(self.advice.list_sentences()),
        )


def estimate_campaign(
    audience: "Audience", source: MessageSource, *, samples: int = 3
) -> "tuple[Audience, Estimate]":
    """Render every message once to count it, and keep none.

    Args:
        audience: The recipients.
        source: Renders their texts.
        samples: How many texts of each language to keep, masked.

    Returns:
        The audience without the rows that have no message, and the estimate of the others.

    Raises:
        InvalidMessageError: A text can be right for no row at all, whatever stands in the rows.
    """
    estimate = Estimate([] if source.languages is None else source.languages.needs)
    left = dict.fromkeys(estimate.languages or [NO_LANGUAGE], samples)
    problems, misfits, rows = Problems(), Counter[Misfit](), Counter[str]()
    for chunk in audience.read_chunks():
        rendered = source.render(chunk)
        estimate.add(rendered.measured)
        problems |= rendered.problems
        misfits += rendered.misfits
        rows += rendered.rows_by_language
        for language in estimate.languages:
            estimate.languages[language] += rendered.languages.count(language)
        for language, positions in _choose_samples(rendered, left):
            texts = source.render_samples(chunk, positions)
            estimate.samples += [f"{language}: {text}" for text in texts] if language else texts
    _refuse_misfits(misfits, rows)
    return audience.reject(problems), estimate


def _choose_samples(rendered: RenderedChunk, left: dict[str, int]) -> Iterator[tuple[str, list[int]]]:
    """Yield the next samples of each language, as many as are *left* to choose."""
    for language, number in left.items():
        if number:
            places = (place for place, name in enumerate(rendered.languages) if name == language)
            chosen = [rendered.positions[place] for place in islice(places, number)]
            left[language] -= len(chosen)
            yield language, chosen


def _refuse_misfits(misfits: Counter[Misfit], rows: Counter[str]) -> None:
    """Check that no text has a field whose format fits the values of no row.

    Raises:
        InvalidMessageError: One has: every row of it would be rejected, for a fault that is not theirs.
    """
    for misfit, number in misfits.items():
        if number == rows[misfit.language]:
            which = f"message[{misfit.language!r}]" if misfit.language else "message"
            raise InvalidMessageError(
                f"the format of {misfit.field} in {which} fits none of the {number} values: an amount takes "
                f"a format like .2f (a bare .2 cuts a text), a time one like %d.%m.%Y, a text none or one "
                f"like >10. This try sent nothing"
            )


def estimate_text(text: str, *, recipients: int) -> Estimate:
    """Return the estimate of one *text* for a number of *recipients*."""
    from airflow_provider_osonsms.text.counting import measure

    estimate = Estimate()
    estimate.add(measure([text]), copies=recipients)
    return estimate
