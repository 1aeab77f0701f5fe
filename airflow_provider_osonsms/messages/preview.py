"""What a campaign would do, seen before it is done: who, how many parts, at what cost.

A preview holds no phone and no text but masked ones, so it may go to a log, an XCom or an approval step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a task would send.

    Attributes:
        recipients: Who would be texted.
        reject_reasons: Rows that would not be, by `RejectReason`.
        distribution: Messages by the parts that each is billed as, ascending.
        price_per_part: Somoni; None when the Connection names none.
        balance: Somoni, now.
        max_rate: Messages per second at most; None when there is no limit, or the gateway chooses the pace.
        samples: Some texts with every value masked.
        advice: What would make it cheaper.
    """

    recipients: int
    reject_reasons: Mapping[str, int]
    distribution: Mapping[int, int]
    price_per_part: Decimal | None
    balance: Decimal
    max_rate: float | None = None
    samples: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """Rows that would not be texted."""
        return sum(self.reject_reasons.values())

    @property
    def parts(self) -> int:
        """Billed parts of all messages together."""
        return sum(parts * messages for parts, messages in self.distribution.items())

    @property
    def cost(self) -> Decimal | None:
        """Somoni; None when the price is unknown."""
        return None if self.price_per_part is None else self.price_per_part * self.parts

    @property
    def balance_after(self) -> Decimal | None:
        """Somoni, below 0 when the balance does not suffice; None when the price is unknown."""
        return None if self.cost is None else self.balance - self.cost

    @property
    def seconds(self) -> float | None:
        """How long the sending takes at the highest rate; None when there is none."""
        return None if self.max_rate is None else round(self.recipients / self.max_rate, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; ``markdown`` is for people."""
        return {
            "recipients": self.recipients,
            "rejected": self.rejected,
            "reject_reasons": dict(self.reject_reasons),
            "parts": self.parts,
            "parts_distribution": {str(parts): count for parts, count in self.distribution.items()},
            "cost": _to_float(self.cost),
            "balance": _to_float(self.balance),
            "balance_after": _to_float(self.balance_after),
            "seconds": self.seconds,
            "samples": list(self.samples),
            "advice": list(self.advice),
            "markdown": self.to_markdown(),
        }

    def to_markdown(self) -> str:
        """Return a table, the samples and the advice as Markdown."""
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
        return figures

    def _list_advice(self) -> list[str]:
        if self.balance_after is None or self.balance_after >= 0:
            return list(self.advice)
        return [f"**The balance does not suffice: top up {-self.balance_after:,.2f} somoni.**", *self.advice]


def _to_float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _print_sample(text: str) -> str:
    return text.replace("`", "'").replace("\r", "").replace("\n", " / ")


def _print_seconds(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"
