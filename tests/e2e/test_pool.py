"""The pool of one slot in a real scheduler."""

from decimal import Decimal
from typing import Any


def test_two_campaigns_at_once_and_money_for_one(standalone: Any, gateway: Any) -> None:
    """Of two runs that start at once, one sends its 80 messages, and the other, after it, none."""
    gateway.backend.change_account("demo", balance=Decimal(10))
    standalone.unpause("e2e_pool")

    runs = [standalone.start_run("e2e_pool") for _ in range(2)]

    assert sorted(run.wait() for run in runs) == ["failed", "success"]
    assert len(gateway.sent) == 80
    assert gateway.balance == Decimal(2)
    loser = next(run for run in runs if run.read()["state"] == "failed")
    log = "".join(loser.logs("campaign").values())
    assert "This try sent nothing: the estimated cost is 8.00 somoni (80 parts)" in log
