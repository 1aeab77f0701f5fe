"""Times are written as the people of one zone read them, so that nobody is told yesterday's date."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.text.values import Format, read_format, write_column, write_value

DUSHANBE = ZoneInfo("Asia/Dushanbe")
YEARS = (dt.datetime(1971, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001 - hypothesis adds the zone
LATE = dt.datetime(2026, 11, 4, 20, 30, tzinfo=dt.UTC)
"""In Dushanbe it is half past one in the morning of the next day."""


def read(spec: str, zone: str = "Asia/Dushanbe") -> Format:
    """Return the format that *spec* is known to be."""
    form = read_format(spec, zone=ZoneInfo(zone))
    assert form is not None
    return form


@pytest.mark.parametrize(
    "moment",
    [
        LATE,
        LATE.astimezone(ZoneInfo("Europe/Moscow")),
        LATE.astimezone(dt.timezone(dt.timedelta(hours=-11))),
        pd.Timestamp(LATE),
        pd.Timestamp(LATE).tz_convert("America/New_York"),
        pd.Series([LATE], dtype="datetime64[ns, UTC]").tolist()[0],
        pendulum.instance(LATE),
        pendulum.instance(LATE).in_timezone("Asia/Tokyo"),
    ],
)
def test_a_moment_is_written_in_dushanbe(moment: dt.datetime) -> None:
    """Whatever the type and the zone of a moment, it is read on one clock."""
    assert write_value(moment, read("%d.%m.%Y %H:%M")) == "05.11.2026 01:30"
    assert write_value(moment, read("%d.%m.%Y", "Europe/London")) == "04.11.2026"
    assert write_column([moment, None], read("%d.%m.%Y"))[0] == ["05.11.2026", ""]


def test_without_a_format_there_is_no_offset() -> None:
    """A bare field shows the time of the clock alone."""
    assert write_value(LATE, read("")) == "2026-11-05 01:30:00"
    assert write_value(pd.Timestamp(LATE), read("")) == "2026-11-05 01:30:00"


def test_the_zone_can_be_printed() -> None:
    """A format that asks for the zone gets the one in which the time is written."""
    assert write_value(LATE, read("%H:%M %z")) == "01:30 +0500"


@given(st.datetimes(*YEARS))
def test_a_time_without_a_zone_stays(moment: dt.datetime) -> None:
    """It is taken for the time of the people it is written to."""
    assert write_value(moment, read("%d.%m.%Y %H:%M")) == f"{moment:%d.%m.%Y %H:%M}"


@given(st.datetimes(*YEARS, timezones=st.timezones()))
def test_every_zone_gives_the_same_text(moment: dt.datetime) -> None:
    """A moment is one text, whatever zone it comes in."""
    form = read("%d.%m.%Y %H:%M:%S")

    assert write_value(moment, form) == write_value(moment.astimezone(dt.UTC), form)


def test_a_time_of_day_of_another_zone_is_unfit() -> None:
    """Without a date nobody can tell what it is here; one of this zone, or of none, is."""
    form = read("%H:%M")

    assert write_value(dt.time(9, 30), form) == "09:30"
    assert write_value(dt.time(9, 30, tzinfo=DUSHANBE), form) == "09:30"
    for zone in (dt.UTC, ZoneInfo("Europe/Moscow")):
        assert write_value(dt.time(9, 30, tzinfo=zone), form) is None


@pytest.mark.parametrize("moment", [dt.datetime.max.replace(tzinfo=dt.UTC), pd.NaT])
def test_what_is_no_moment_here_is_unfit(moment: object) -> None:
    """A moment that this zone has no name for is not written, and nothing raises."""
    assert write_value(moment, read("%d.%m.%Y")) is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-04T20:30:00Z",
        "2026-11-04T20:30:00+00:00",
        "2026-11-04 20:30:00.123456+00:00",
        "2026-11-04 20:30:00+0300",
        "2026-11-04 20:30:00 UTC",
        " 2026-11-04t20:30z ",
        "2026-99-04T20:30:00+05:00",
    ],
)
def test_a_text_with_another_offset_is_unfit(text: str) -> None:
    """As a text it would be printed as it is, with the date of the day before."""
    for spec in ("", ">40", "%d.%m.%Y", ".10"):
        assert write_value(text, read(spec)) is None
    assert write_column(["Али", text], read(""))[1] == [1]


@pytest.mark.parametrize(
    "text", ["2026-11-05T01:30:00+05:00", "2026-11-05 01:30:00", "2026-11-05", "соати 09:30"]
)
def test_a_text_of_this_zone_is_a_text(text: str) -> None:
    """A text that says the right time stays as it is; only times take a format of dates."""
    assert write_value(text, read("")) == text
    assert write_value(text, read("%d.%m.%Y")) is None
