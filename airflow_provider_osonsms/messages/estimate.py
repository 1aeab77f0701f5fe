"""The estimate: messages of a campaign, counted chunk by chunk before they are sent."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.messages.preview import Preview
from airflow_provider_osonsms.messages.source import MessageSource, Problems

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience
    from airflow_provider_osonsms.text.counting import Measured


class Estimate:
    """Counts of messages by parts, with samples and advice; its memory does not grow with the messages."""

    def __init__(self) -> None:
        from airflow_provider_osonsms.text.advice import Advice

        self.advice = Advice()
        self.samples: list[str] = []
        self._messages_by_parts: Counter[int] = Counter()

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
        samples: How many texts to keep, masked.

    Returns:
        The audience without the rows that have no message, and the estimate of the others.
    """
    estimate, problems = Estimate(), Problems()
    for chunk in audience.read_chunks():
        rendered = source.render(chunk)
        estimate.add(rendered.measured)
        problems |= rendered.problems
        chosen = rendered.positions[: samples - len(estimate.samples)]
        estimate.samples += source.render_samples(chunk, chosen)
    return audience.reject(problems), estimate


def estimate_text(text: str, *, recipients: int) -> Estimate:
    """Return the estimate of one *text* for a number of *recipients*."""
    from airflow_provider_osonsms.text.counting import measure

    estimate = Estimate()
    estimate.add(measure([text]), copies=recipients)
    return estimate
