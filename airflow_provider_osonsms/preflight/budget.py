"""The budget: what all tasks that share a folder of tables may spend in a calendar period of Dushanbe."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from airflow_provider_osonsms.arguments import SOMONI_LIMIT, Kind
from airflow_provider_osonsms.preflight.calendar import Period
from airflow_provider_osonsms.preflight.cost import Spending, price_parts
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_WRITTEN: Final = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,2})?)\s*/\s*(day|week|month)\s*")


class BudgetExceededError(InvalidMessageError):
    """The task would spend more than is left of the budget; this try sent nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was spent in a period.

    Attributes:
        parts: Billed parts, with what is taken for the unknown ones.
        uncertain: Messages among them whose time or parts are unknown, because their answers were lost.
    """

    parts: int = 0
    uncertain: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(parts=self.parts + other.parts, uncertain=self.uncertain + other.uncertain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """So many somoni in each period.

    Attributes:
        amount: Somoni.
        period: In which it may be spent.
    """

    amount: Decimal
    period: Period

    def __str__(self) -> str:
        return f"{self.amount}/{self.period}"

    def check(
        self, spending: Spending, *, spent: Spent, price_per_part: Decimal | None, now: datetime
    ) -> None:
        """Check that what is left to send fits into what is left of the budget at *now*.

        Args:
            spending: What the task has still to send.
            spent: What was spent in this period, by earlier tries of this task, too.
            price_per_part: Somoni.
            now: Aware.

        Raises:
            InvalidSettingsError: The price of a part is not set.
            BudgetExceededError: It does not fit.
        """
        cost = price_parts(spending.parts, price_per_part, needed_by="budget")
        before = price_parts(spent.parts, price_per_part, needed_by="budget")
        begin, end = self.period.find_begin(now), self.period.find_end(now)
        if before + cost > self.amount:
            doubts = f", {spent.uncertain} messages of it uncertain" if spent.uncertain else ""
            raise BudgetExceededError(
                f"{spending}: the estimated cost is {cost:.2f} somoni ({spending.parts} parts), and of the "
                f"budget {self} {before:.2f} are spent since {begin:%Y-%m-%d} "
                f"({spent.parts} parts{doubts}). The next {self.period} begins on "
                f"{end:%Y-%m-%d} (Asia/Dushanbe): clear this task then, or raise the budget"
            )


def read_budget(written: str) -> Budget:
    """Return the budget that the kind `BUDGET` has read."""
    match = _WRITTEN.fullmatch(written)
    if match is None:
        raise ValueError
    return Budget(amount=SOMONI_LIMIT.parse(match[1]), period=Period(match[2]))


def _check_budget(written: Any) -> str:
    if not isinstance(written, str):
        raise ValueError  # noqa: TRY004
    read_budget(written)
    return written


BUDGET: Final = Kind(
    "somoni in a calendar period, such as '500/month', '100/week' or '20.50/day'", _check_budget, (str,)
)
