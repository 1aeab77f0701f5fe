"""A budget, and what fits into it."""

from datetime import datetime
from decimal import Decimal

import pytest

from airflow_provider_osonsms.arguments import InvalidArgumentError
from airflow_provider_osonsms.preflight.budget import BUDGET, BudgetExceededError, Spent, read_budget
from airflow_provider_osonsms.preflight.cost import Spending

PRICE = Decimal("0.10")


@pytest.mark.parametrize("written", ["500/month", " 20.50 / day", "0/week"])
def test_written(written: str) -> None:
    """A budget is somoni and a period."""
    assert BUDGET.read(written, "budget") == written


@pytest.mark.parametrize("written", ["500", "500/year", "-5/day", "5,50/day", "1e3/day", "/day", 500, None])
def test_not_written(written: object) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(InvalidArgumentError, match="'500/month'"):
        BUDGET.read(written, "budget")


@pytest.mark.parametrize(("parts", "fits"), [(20, True), (21, False)])
def test_to_the_last_diram(parts: int, fits: bool) -> None:  # noqa: FBT001
    """What fits exactly is sent; a part more is not, and the error has every figure."""
    budget, now = read_budget("5/month"), datetime.fromisoformat("2026-11-24T12:00:00+05:00")
    spending, spent = Spending(messages=parts, parts=parts), Spent(parts=30, uncertain=2)

    if fits:
        budget.check(spending, spent=spent, price_per_part=PRICE, now=now)
        return
    with pytest.raises(BudgetExceededError) as caught:
        budget.check(spending, spent=spent, price_per_part=PRICE, now=now)
    assert str(caught.value) == (
        "This try sent nothing: the estimated cost is 2.10 somoni (21 parts), and of the budget 5/month 3.00 "
        "are spent since 2026-11-01 (30 parts, 2 messages of it uncertain). The next month begins on "
        "2026-12-01 (Asia/Dushanbe): clear this task then, or raise the budget"
    )
