"""What the pool of one slot is for: what one task has spent is gone before the next one looks."""

import pytest


@pytest.mark.parametrize("guard", [{"require_balance": True}, {"balance_reserve": "2"}])
def test_two_campaigns_that_fit_one_by_one(run_task, make_task, texted, set_balance, guard):
    """Of two campaigns of 80 on a balance for 100, one sends 80 and the other 0, and neither dies halfway."""
    set_balance(10)
    audiences = [[f"9929{campaign}00{number:05}" for number in range(80)] for campaign in (1, 2)]

    states = [
        run_task(make_task("campaign", task_id=f"campaign_{number}", recipients=people, **guard)).state
        for number, people in enumerate(audiences)
    ]

    assert states == ["success", "up_for_retry"]
    assert sorted(texted()) == audiences[0]
