"""A campaign and the clock: its window is judged late and often, and a clock that jumps harms nobody."""

from collections import Counter, UserList
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.simulator import Fault

WINDOW = "09:00-20:00 UTC"


def at(hour, minute=0, second=0):
    """Return a moment of a day in November."""
    return datetime(2026, 11, 24, hour, minute, second, tzinfo=UTC)


def set_clock(campaign, read):
    """Let *campaign* read its time from *read*."""
    campaign._clock = read
    return campaign


class SlowPeople(UserList):
    """People that take until the evening to be read."""

    def __init__(self, people, now):
        super().__init__(people)
        self._now = now

    def __iter__(self):
        """Read them, by which the clock goes on."""
        self._now[0] = at(20, 0)
        return iter(self.data)


def test_the_window_closes_while_the_audience_is_read(gateway, run_task, make_campaign, make_people):
    """An audience that takes until the evening to be read is texted the next morning."""
    now = [at(19, 59)]

    def read(context, jinja_env):
        return SlowPeople(make_people(10), now)

    campaign = set_clock(make_campaign(read, send_window=WINDOW), lambda: now[0])

    result = run_task(campaign)

    assert (result.state, gateway.requests["send"]) == ("deferred", 0)


def test_an_open_window_stays_open_while_the_audience_is_read(gateway, run_task, make_campaign):
    """A window that is still open afterwards lets everybody be texted at once."""
    campaign = set_clock(make_campaign(10, send_window=WINDOW), lambda: at(19, 59, 58))

    assert run_task(campaign).state == "success"
    assert len(gateway.sent) == 10


@pytest.mark.parametrize("rows_before", [1, 3, 7])
def test_the_window_is_judged_before_each_row(gateway, run_task, make_campaign, rows_before):
    """From the second on in which the window closes no row is begun."""
    campaign = make_campaign(20, send_window=WINDOW, concurrency=1)
    set_clock(campaign, lambda: at(20) if gateway.requests["send"] >= rows_before else at(19, 59))

    result = run_task(campaign)

    assert (result.state, len(gateway.sent)) == ("deferred", rows_before)


def test_the_handful_keeps_to_the_window_too(gateway, run_task, make_campaign, supervisor):
    """The first rows, which go alone, are not begun after the end of the window either."""
    run_task(make_campaign(20))
    supervisor.store.clear()
    before = gateway.requests["send"]
    campaign = make_campaign(20, send_window=WINDOW)
    set_clock(campaign, lambda: at(20) if gateway.requests["send"] - before >= 2 else at(19, 59))

    assert run_task(campaign).state == "deferred"
    assert gateway.requests["send"] - before == 2


@pytest.mark.parametrize("hours", [2, 12, 23])
def test_a_lateness_that_can_never_be_met_skips_before_waiting(gateway, run_task, make_campaign, hours):
    """Where the run is too late once its window opens, it is skipped now, and waits for nothing."""
    now = datetime.now(UTC)
    opens, closes = ((now + timedelta(hours=hours + add)).strftime("%H:%M") for add in (0, 0.5))
    campaign = make_campaign(
        5, send_window=f"{opens}-{closes} UTC", max_lateness=timedelta(hours=hours) - timedelta(minutes=5)
    )

    result = run_task(campaign)

    assert (result.state, gateway.requests["send"]) == ("skipped", 0)


def test_a_lateness_that_will_be_met_waits(gateway, run_task, make_campaign):
    """Where the window opens in time, the task waits for it."""
    now = datetime.now(UTC)
    opens, closes = ((now + timedelta(hours=hours)).strftime("%H:%M") for hours in (2, 3))

    result = run_task(
        make_campaign(5, send_window=f"{opens}-{closes} UTC", max_lateness=timedelta(hours=2, minutes=5))
    )

    assert (result.state, gateway.requests["send"]) == ("deferred", 0)


def test_too_late_in_the_middle_is_told(gateway, run_task, make_campaign, has_state_store, tmp_path):
    """A run that has texted a part and is too late for the rest fails and says so: nobody is forgotten."""
    gateway.inject(Fault.CUT_BEFORE, times=None, probability=0.5)
    options = {"results_path": str(tmp_path / "results.csv"), "max_lateness": timedelta(hours=1)}
    assert run_task(make_campaign(20, max_consecutive_failures=5, **options)).state == "up_for_retry"
    gateway.clear_faults()
    before = gateway.requests["send"]
    campaign = set_clock(make_campaign(20, **options), lambda: datetime.now(UTC) + timedelta(hours=3))

    result = run_task(campaign, try_number=2)

    assert result.state == "failed"
    assert "may have texted a part of the audience" in str(result.error)
    assert gateway.requests["send"] == before


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-400)], ids=str)
@pytest.mark.parametrize("window", [WINDOW, None], ids=["window", "no window"])
def test_a_clock_that_is_set_in_the_middle(gateway, run_task, make_campaign, *, jump, window, tmp_path):
    """A wall clock that jumps in the middle texts nobody twice, and the campaign ends."""
    gateway.inject(Fault.CUT_AFTER, times=2)
    path = str(tmp_path / "results.csv")
    campaign = make_campaign(30, send_window=window, results_path=path, max_rate=500)
    set_clock(campaign, lambda: at(12) + (jump if gateway.requests["send"] >= 10 else timedelta(0)))

    result = run_task(campaign)

    assert result.state == "success", result.error
    assert Counter(Counter(sms.phone for sms in gateway.sent).values()) == {1: 30}
    assert result.xcom["outcomes"]["accepted"] + result.xcom["outcomes"]["accepted_untracked"] == 30
    again = run_task(make_campaign(30, results_path=path), try_number=2)
    assert (again.state, len(gateway.sent)) == ("success", 30)


@pytest.mark.parametrize(
    ("start", "jump"),
    [(at(19, 30), timedelta(hours=1)), (at(9, 30), timedelta(hours=-1))],
    ids=["forward", "back"],
)
def test_a_clock_that_jumps_out_of_the_window(gateway, run_task, make_campaign, *, start, jump, tmp_path):
    """A clock that leaves the window ends the try in order: what is left is sent once, later."""
    path = str(tmp_path / "results.csv")
    campaign = make_campaign(30, send_window=WINDOW, results_path=path, concurrency=1)
    set_clock(campaign, lambda: start + (jump if gateway.requests["send"] >= 10 else timedelta(0)))

    first = run_task(campaign)
    assert (first.state, len(gateway.sent)) == ("deferred", 10)
    second = run_task(
        set_clock(make_campaign(30, send_window=WINDOW, results_path=path), lambda: at(12)), try_number=2
    )

    assert second.state == "success", second.error
    assert Counter(Counter(sms.phone for sms in gateway.sent).values()) == {1: 30}
