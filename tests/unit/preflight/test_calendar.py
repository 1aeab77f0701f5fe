"""The periods of the calendar in Dushanbe, in which budgets and caps count."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.preflight.calendar import Period

SUNDAY = datetime(2026, 11, 29, 18, 58, tzinfo=UTC)
MONDAY = SUNDAY + timedelta(minutes=3)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


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
def test_begin_and_end(period: str, now: str, begin: str, end: str) -> None:
    """A period begins at midnight in Dushanbe: a week on Monday, a month on its first day."""
    kind, moment = Period(period), datetime.fromisoformat(now)

    assert kind.find_begin(moment).isoformat() == f"{begin}T00:00:00+05:00"
    assert kind.find_end(moment).isoformat() == f"{end}T00:00:00+05:00"


@pytest.mark.parametrize(
    ("moment", "kind", "name"),
    [
        (SUNDAY, Period.DAY, "2026-11-29"),
        (MONDAY, Period.DAY, "2026-11-30"),
        (SUNDAY, Period.WEEK, "2026-W48"),
        (MONDAY, Period.WEEK, "2026-W49"),
        (datetime(2026, 12, 31, 18, 59, tzinfo=UTC), Period.WEEK, "2026-W53"),
        (datetime(2026, 12, 31, 19, 1, tzinfo=UTC), Period.WEEK, "2026-W53"),
        (datetime(2026, 11, 30, 18, 59, tzinfo=UTC), Period.MONTH, "2026-11"),
        (datetime(2026, 11, 30, 19, 1, tzinfo=UTC), Period.MONTH, "2026-12"),
    ],
)
def test_names(moment, kind, name):
    """It ends at midnight in Dushanbe, 19:00 UTC; a week begins on Monday, also over the new year."""
    assert kind.find_name(moment) == name


@given(MOMENTS, st.sampled_from(Period))
def test_kinds_of_periods_share_no_name(moment, kind):
    """The name of a period tells its kind, so caps of two kinds never meet."""
    name = kind.find_name(moment)

    assert [other for other in Period if other.has_name(name)] == [kind]


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)), st.sampled_from(Period))
def test_periods_do_not_come_back(moment, later, kind):
    """Whoever is in one period at two moments was in it all the time between them."""
    periods = [kind.find_name(moment + later * share) for share in (0, 0.5, 1)]

    assert periods == sorted(periods)
