"""The preview of a campaign: how many recipients, parts and somoni.

A preview holds no phone, and only masked texts, so a log, an XCom or an approval step may show it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The figures of what a task would send.

    Attributes:
        recipients: The number of recipients.
        reject_reasons: The number of rejected rows by `RejectReason`.
        ignored_exclusions: Entries of ``exclude`` that are no phones.
        distribution: The number of messages by their parts, ascending.
        price_per_part: Somoni; None if the Connection has no price.
        balance: The balance now, in somoni.
        max_rate: Messages per second at most; None for no limit, or for a bulk job, which the gateway sends.
        timing: What the guards of time would do, in words; None where there is none.
        languages: The number of recipients by language; empty where there is one text for all.
        samples: A few texts with every value masked, a few of each language.
        advice: Sentences on how to save parts.
    """

    recipients: int
    reject_reasons: Mapping[str, int]
    distribution: Mapping[int, int]
    price_per_part: Decimal | None
    balance: Decimal
    max_rate: float | None = None
    ignored_exclusions: int = 0
    timing: str | None = None
    languages: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """The number of rejected rows."""
        return sum(self.reject_reasons.values())

    @property
    def parts(self) -> int:
        """The billed parts of all messages."""
        return sum(parts * messages for parts, messages in self.distribution.items())

    @property
    def cost(self) -> Decimal | None:
        """The cost in somoni; None if the price is unknown."""
        return None if self.price_per_part is None else self.price_per_part * self.parts

    @property
    def balance_after(self) -> Decimal | None:
        """The balance after sending, in somoni, below 0 if it is too low; None if the price is unknown."""
        return None if self.cost is None else self.balance - self.cost

    @property
    def seconds(self) -> float | None:
        """The seconds that sending takes at *max_rate*; None without a rate."""
        return None if self.max_rate is None else round(self.recipients / self.max_rate, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the preview as JSON values; ``markdown`` is a text for people."""
        return {
            "recipients": self.recipients,
            "rejected": self.rejected,
            "reject_reasons": dict(self.reject_reasons),
            "ignored_exclusions": self.ignored_exclusions,
            "languages": dict(self.languages),
            "parts": self.parts,
            "parts_distribution": {str(parts): count for parts, count in self.distribution.items()},
            "cost": _to_float(self.cost),
            "balance": _to_float(self.balance),
            "balance_after": _to_float(self.balance_after),
            "seconds": self.seconds,
            "timing": self.timing,
            "samples": list(self.samples),
            "advice": list(self.advice),
            "markdown": self.to_markdown(),
        }

    def to_markdown(self) -> str:
        """Return the figures, the samples and the advice as Markdown."""
        lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in self._list_figures())]
        if self.samples:
            lines += ["", "Samples (values masked):", "", "```", *map(_print_sample, self.samples), "```"]
        if advice := self._list_advice():
            lines += ["", *(f"- {sentence}" for sentence in advice)]
        return "\n".join(lines)

    def _list_figures(self) -> list[tuple[str, str]]:
        spread = ", ".join(f"{count:,} x {parts}" for parts, count in self.distribution.items())
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.reject_reasons.items())
        unknown = "unknown: set price_per_part in the Connection's extra"
        figures = [
            ("Recipients", f"{self.recipients:,}"),
            ("Rejected", f"{self.rejected:,}" + (f" ({reasons})" if reasons else "")),
            *([("Ignored in exclude", f"{self.ignored_exclusions:,}")] if self.ignored_exclusions else []),
            *self._list_languages(),
            ("Parts", f"{self.parts:,}" + (f" ({spread})" if spread else "")),
            ("Estimated cost", unknown if self.cost is None else f"{self.cost:,.2f} somoni"),
            ("Balance now", f"{self.balance:,.2f} somoni"),
        ]
        if self.balance_after is not None:
            figures.append(("Balance after", f"{self.balance_after:,.2f} somoni"))
        if self.seconds is not None:
            figures.append(
                ("Sending time", f"about {_print_seconds(self.seconds)} at {self.max_rate:g} per second")
            )
        if self.timing is not None:
            figures.append(("Timing", self.timing))
        return figures

    def _list_languages(self) -> list[tuple[str, str]]:
        counts = ", ".join(f"{count:,} {language}" for language, count in self.languages.items())
        return [("Languages", counts)] if counts else []

    def _list_advice(self) -> list[str]:
        if self.balance_after is None or self.balance_after >= 0:
            return list(self.advice)
        return [f"**The balance is too low: top up {-self.balance_after:,.2f} somoni.**", *self.advice]


def _to_float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _print_sample(text: str) -> str:
    return text.replace("`", "'").replace("\r", "").replace("\n", " / ")


def _print_seconds(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"
