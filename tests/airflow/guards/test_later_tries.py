"""A guard looks at what is left to send: a try with nothing left is never stopped, a half one says so."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from airflow_provider_osonsms.simulator import Fault

GUARDS = {
    "max_cost": {"max_cost": "0.01"},
    "require_balance": {"require_balance": True},
    "balance_reserve": {"balance_reserve": 500},
    "budget": {"budget": "0.01/day"},
    "max_lateness": {"max_lateness": timedelta(0)},
    "send_window": {"send_window": "03:00-03:01", "outside_window": "fail"},
    "send_days": {"send_days": "sat", "outside_window": "fail"},
}
"""Each would stop a task that has something left."""
TUESDAY = datetime(2036, 3, 4, 12, tzinfo=UTC)


def noon():
    """Return the moment at which the runs of the tests of lateness are due."""
    return TUESDAY


def two_hours_later():
    """Return a moment at which they are too late."""
    return TUESDAY + timedelta(hours=2)


def make_people(number):
    """Make so many phones."""
    return [f"99290000{person:04}" for person in range(number)]


@pytest.mark.parametrize("kind", ["send", "campaign", "bulk"])
@pytest.mark.parametrize("guard", GUARDS)
def test_nothing_left(
    run_task, make_task, texted, *, set_balance, budget_folder, has_state_store, kind, guard
):
    """A Clear of a task that has sent everything succeeds whatever the guards say, and texts nobody again."""
    is_stored = kind == "send" and has_state_store and guard != "budget"
    # below 3.3 a send is remembered by its table in the folder of the budget
    budget = {} if is_stored else {"budget": "500/day", "budget_path": str(budget_folder)}
    first = run_task(make_task(kind, **budget))
    sent = texted()
    set_balance(0)
    late = TUESDAY if "send" in guard else datetime.now(UTC) + timedelta(seconds=1)

    cleared = run_task(make_task(kind, clock=lambda: late, **{**budget, **GUARDS[guard]}), try_number=2)

    assert (first.state, cleared.state) == ("success", "success"), cleared.error
    assert texted() == sent
    assert sent


def test_half_a_campaign(run_task, make_task, texted, set_balance):
    """A campaign that ran out of money needs the price of what is left, and says what was sent."""
    make = partial(make_task, "campaign", recipients=make_people(20), require_balance=True)
    set_balance(1)
    assert run_task(make(require_balance=False)).state == "up_for_retry"
    assert len(texted()) == 10

    set_balance("0.99")
    stopped = run_task(make(), try_number=2)
    assert (stopped.state, len(texted())) == ("up_for_retry", 10)
    assert "earlier tries sent 10 messages, and 10 are left" in str(stopped.error)
    assert "the estimated cost is 1.00 somoni (10 parts) and the balance is 0.99" in str(stopped.error)

    set_balance(1)
    assert run_task(make(), try_number=3).state == "success"
    assert sorted(texted()) == make_people(20)


def test_what_is_open_is_counted_and_nothing_else(gateway, run_task, make_task, *, texted, set_balance):
    """Rejected rows cost nothing, lost answers are left, and what is accepted is paid already."""
    people = [*make_people(10), "12", "34", "56"]
    make = partial(make_task, "campaign", recipients=people, balance_reserve=0, concurrency=1)
    gateway.inject(Fault.CUT_BEFORE, times=None, probability=1.0)
    assert run_task(make(max_consecutive_failures=3)).state == "up_for_retry"
    gateway.clear_faults()
    assert texted() == []

    set_balance("0.99")
    assert "(10 parts)" in str(run_task(make(), try_number=2).error)
    set_balance(1)
    assert run_task(make(), try_number=3).state == "success"
    assert sorted(texted()) == make_people(10)


def test_max_cost_is_that_of_all_tries(run_task, make_task, texted, set_balance):
    """An audience that has grown between two tries does not cost more than max_cost in all."""
    make = partial(make_task, "campaign", max_cost=Decimal("1.50"))
    assert run_task(make(recipients=make_people(10))).state == "success"

    stopped = run_task(make(recipients=make_people(16)), try_number=2)

    assert (stopped.state, len(texted())) == ("failed", 10)
    assert "0.60 somoni (6 parts) besides the 1.00 of earlier tries, and max_cost is 1.50" in str(
        stopped.error
    )
    assert run_task(make(recipients=make_people(15)), try_number=3).state == "success"
    assert sorted(texted()) == make_people(15)


@pytest.mark.parametrize("guard", ["max_cost", "require_balance", "budget"])
def test_the_jobs_that_do_not_exist(
    gateway, run_task, make_task, *, texted, set_balance, budget_folder, fail_second_job, guard
):
    """Of bulk jobs those are counted that this try would upload; the others are told."""
    make = partial(make_task, "bulk", recipients=make_people(4))
    assert fail_second_job(lambda: run_task(make())).state == "up_for_retry"
    assert len(gateway.bulks) == 1
    set_balance("0.19")
    stops = {
        "max_cost": {"max_cost": "0.39"},
        "require_balance": {"require_balance": True},
        "budget": {"budget": "0.39/day", "budget_path": str(budget_folder)},
    }[guard]
    lets = {**stops, "max_cost": "0.40"} if guard == "max_cost" else stops
    lets = {**lets, "budget": "0.40/day"} if guard == "budget" else lets

    stopped = run_task(make(**stops), try_number=2)

    assert len(texted()) == 2
    assert "earlier tries sent 2 messages, and 2 are left" in str(stopped.error)
    set_balance("0.20")
    assert run_task(make(**lets), try_number=3).state == "success"
    assert sorted(texted()) == make_people(4)


def test_a_moved_job_stays_where_it_was_moved(gateway, run_task, make_task, *, texted):
    """The opening depends on the arguments alone: a later try finds the same time, and creates no job."""
    send_at = datetime(2036, 3, 4, 23, 30)  # noqa: DTZ001 - it means Dushanbe
    options = {"send_at": send_at, "send_window": "09:00-20:00", "send_days": "mon-fri"}

    results = [
        run_task(
            make_task("bulk", clock=lambda hours=hours: datetime(2036, 3, 4, hours, tzinfo=UTC), **options),
            try_number=number,
        )
        for number, hours in enumerate((1, 9, 23), start=1)
    ]

    assert [result.state for result in results] == ["success"] * 3
    assert {result.xcom["send_at"] for result in results} == {"2036-03-05T09:00:00+05:00"}
    assert [job.send_at.isoformat() for job in gateway.bulks] == ["2036-03-05T09:00:00+05:00"]
    assert len(texted()) == 3


def test_late_after_a_part_was_sent(run_task, make_task, texted, fail_second_job):
    """A bulk task that has created a part of its jobs, and is too late for the others, says so and fails."""
    make = partial(make_task, "bulk", max_lateness=timedelta(hours=1))
    assert fail_second_job(lambda: run_task(make(clock=noon), due=TUESDAY)).state == "up_for_retry"

    result = run_task(make(clock=two_hours_later), due=TUESDAY, try_number=2)

    assert (result.state, len(texted())) == ("failed", 2)
    assert "Jobs of earlier tries exist, or may exist, and now this run was due 2:00:00 ago" in str(
        result.error
    )


def test_late_after_a_lost_answer(gateway, run_task, make_task, texted):
    """A send whose answer was lost, and that is too late now, says that it may have been sent, and fails."""
    gateway.inject(Fault.CUT_AFTER, call="send", times=3)
    make = partial(make_task, "send", max_lateness=timedelta(hours=1))
    assert run_task(make(clock=noon), due=TUESDAY).state == "up_for_retry"

    result = run_task(make(clock=two_hours_later), due=TUESDAY, try_number=2)

    assert (result.state, len(texted())) == ("failed", 1)
    assert "An earlier try may have sent the message, and now this run was due" in str(result.error)


@pytest.mark.parametrize("kind", ["send", "campaign"])
def test_the_task_goes_on_when_the_window_opens(run_task, make_task, texted, kind):
    """A task that waits for its window sends once when it has opened, also when its trigger fires twice."""
    options = {"send_window": "09:00-20:00"}
    night = make_task(kind, clock=lambda: datetime(2036, 3, 4, 1, tzinfo=UTC), **options)
    assert run_task(night).state == "deferred"
    day = make_task(kind, clock=lambda: datetime(2036, 3, 4, 6, tzinfo=UTC), **options)

    states = [
        run_task(day, next_event={"was_interrupted": False}, next_method="resume", try_number=number).state
        for number in (1, 2)
    ]

    assert states == ["success", "success"]
    assert len(texted()) == {"send": 1, "campaign": 3}[kind]


def test_a_window_that_closes_in_the_middle(gateway, run_task, make_task, texted):
    """With outside_window='fail', a campaign whose window closes fails and says how many are left."""
    campaign = make_task(
        "campaign",
        recipients=make_people(20),
        concurrency=1,
        send_window="09:00-20:00 UTC",
        outside_window="fail",
        clock=lambda: datetime(2036, 3, 4, 20 if gateway.requests["send"] >= 5 else 19, tzinfo=UTC),
    )

    result = run_task(campaign)

    assert (result.state, len(texted())) == ("failed", 5)
    assert "it closed with 15 of 20 messages left" in str(result.error)


@pytest.mark.parametrize("kind", ["send", "campaign", "bulk"])
def test_late_after_a_success_that_is_forgotten(
    run_task, make_task, texted, *, supervisor, monkeypatch, kind
):
    """Where Airflow clears its state store on success, a late Clear does not say that nothing was sent."""
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    memories = {"campaign": {"results_path": None}, "bulk": {"receipt_path": None}}
    make = partial(make_task, kind, **memories.get(kind, {}))
    assert run_task(make(clock=noon), due=TUESDAY).state == "success"
    sent = texted()
    supervisor.store.clear()
    late = make(max_lateness=timedelta(hours=1), clock=two_hours_later)

    cleared = run_task(late, due=TUESDAY, try_number=2)

    assert (cleared.state, texted()) == ("failed", sent)
    assert "may have" in str(cleared.error) or "may exist" in str(cleared.error)
