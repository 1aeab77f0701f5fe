"""What a task still has to spend, and the limit on what it may cost."""

from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_osonsms.protocol.errors import InvalidMessageError, InvalidSettingsError


class CostLimitError(InvalidMessageError):
    """The task would cost more than it may; this try sent nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a task has still to send, and what earlier tries of it have sent.

    A message whose answer was lost is still to be sent: the gateway may not have it.

    Attributes:
        messages: Messages, or recipients of bulk jobs, that are left.
        parts: Their billed parts, as estimated.
        sent_messages: Messages that earlier tries have sent.
        sent_parts: Their billed parts; estimated where they are unknown.
    """

    messages: int
    parts: int
    sent_messages: int = 0
    sent_parts: int = 0

    def __str__(self) -> str:
        if not self.sent_messages:
            return "This try sent nothing"
        return (
            f"This try sent nothing; earlier tries sent {self.sent_messages} messages, and {self.messages} "
            f"are left"
        )


def price_parts(parts: int, price_per_part: Decimal | None, *, needed_by: str) -> Decimal:
    """Return what *parts* cost in somoni.

    Raises:
        InvalidSettingsError: The price of a part, which the argument *needed_by* needs, is not set.
    """
    if price_per_part is None:
        raise InvalidSettingsError(
            f"{needed_by} needs the price of a part: set 'price_per_part' in the Connection's extra"
        )
    return price_per_part * parts


def check_cost(spending: Spending, *, max_cost: Decimal, price_per_part: Decimal | None) -> None:
    """Check that all tries of a task together cost at most *max_cost*, in somoni.

    Raises:
        InvalidSettingsError: The price of a part is not set.
        CostLimitError: They cost more.
    """
    cost = price_parts(spending.parts, price_per_part, needed_by="max_cost")
    sent = price_parts(spending.sent_parts, price_per_part, needed_by="max_cost")
    if sent + cost > max_cost:
        besides = f" besides the {sent:.2f} of earlier tries" if sent else ""
        raise CostLimitError(
            f"{spending}: the estimated cost is {cost:.2f} somoni ({spending.parts} parts){besides}, and "
            f"max_cost is {max_cost:.2f}. Narrow the audience, shorten the text, or raise max_cost and clear "
            f"this task"
        )
