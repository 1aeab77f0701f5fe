"""A budget and its calendar periods in Dushanbe."""

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


@pytest.mark.parametrize(
    ("period", "now", "begin", "end"),
    [
        ("day", "2026-11-30T18:59:59+00:00", "2026-11-30", "2026-12-01"),
        ("day", "2026-11-30T19:00:00+00:00", "2026-12-01", "2026-12-02"),
        ("week", "2026-11-29T12:00:00+05:00", "2026-11-23", "2026-11-30"),
        ("week", "2026-11-30T00:00:00+05:00", "2026-11-30", "2026-12-07"),
        ("month", "2026-12-31T23:59:59+05:00", "2026-12-01", "2027-01-01"),
        ("month", "2027-02-28T20:00:00+00:00", "2027-03-01", "2027-04-01"),
    ],
)
def test_periods(period: str, now: str, begin: str, end: str) -> None:
    """A period begins at midnight in Dushanbe: a week on Monday, a month on its first day."""
    budget = read_budget(f"5/{period}")
    moment = datetime.fromisoformat(now)

    assert budget.find_begin(moment).isoformat() == f"{begin}T00:00:00+05:00"
    assert budget.find_end(moment).isoformat() == f"{end}T00:00:00+05:00"


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
