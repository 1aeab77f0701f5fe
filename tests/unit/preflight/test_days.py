"""The days on which messages may go out."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_osonsms.arguments import InvalidArgumentError
from airflow_provider_osonsms.preflight.days import (
    DATES,
    DAYS,
    EVERY_DAY,
    read_dates,
    read_dates_file,
    read_days,
)
from airflow_provider_osonsms.preflight.window import (
    ALWAYS_OPEN,
    Closed,
    NoOpeningError,
    Open,
    limit_to_days,
    read_window,
)
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

DUSHANBE = ZoneInfo("Asia/Dushanbe")


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return a moment in Dushanbe, in a November that begins on a Sunday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=DUSHANBE)


@pytest.mark.parametrize(
    ("written", "weekdays"),
    [
        ("mon-sat", {0, 1, 2, 3, 4, 5}),
        ("mon,wed,fri", {0, 2, 4}),
        ("sat-mon", {5, 6, 0}),
        ("Mon - Wed, FRI", {0, 1, 2, 4}),
        ("sun-sun", {6}),
        ("sun", {6}),
    ],
)
def test_days(written: str, weekdays: set[int]) -> None:
    """Days are names, spans of them, and both; a span may go over Sunday."""
    assert DAYS.read(written, "send_days") == written
    assert read_days(written).weekdays == weekdays


@pytest.mark.parametrize("written", ["", "monday", "mon-", "mon;tue", "1-5", "mon sat", ",", 5, ["mon"]])
def test_no_days(written: object) -> None:
    """Anything else is refused with examples."""
    with pytest.raises(InvalidArgumentError, match="'mon-sat'"):
        DAYS.read(written, "send_days")


@pytest.mark.parametrize(
    "given",
    [
        ["2027-01-01", "2026-12-31"],
        ("2026-12-31", date(2027, 1, 1)),
        {date(2026, 12, 31), date(2027, 1, 1)},
        "2026-12-31, 2027-01-01",
        "2027-01-01 2026-12-31",
    ],
)
def test_dates(given: object) -> None:
    """Dates are ISO texts or dates, in a list or in a text."""
    assert read_dates(DATES.read(given, "except_dates")) == [date(2026, 12, 31), date(2027, 1, 1)]


@pytest.mark.parametrize(
    "given",
    ["", "31.12.2026", "2026-13-01", ["31.12.2026"], [datetime(2026, 12, 31)], [None], 20261231, {"a": 1}],  # noqa: DTZ001
)
def test_no_dates(given: object) -> None:
    """What may mean another day is refused: a moment is another day elsewhere, 01.02. has two readings."""
    with pytest.raises(InvalidArgumentError, match="except_dates must be ISO dates"):
        DATES.read(given, "except_dates")


def test_a_file_of_dates(tmp_path: Path) -> None:
    """A file has one date a line; empty lines and comments say nothing."""
    path = tmp_path / "holidays.txt"
    path.write_text("\ufeff# New Year\n2027-01-01\n\n 2026-11-16 \r\n", encoding="utf-8")

    assert DATES.read(path, "except_dates") == path
    assert read_dates_file(path) == [date(2027, 1, 1), date(2026, 11, 16)]


@pytest.mark.parametrize(
    ("text", "words"),
    [("2026-11-16\n16.11.2026", "line 2 of the file is no date"), ("# none\n", "the file holds no date")],
)
def test_a_file_that_says_something_else(tmp_path: Path, text: str, words: str) -> None:
    """A line that is no date, and a file without dates, are refused: a holiday would be texted on."""
    path = tmp_path / "holidays.txt"
    path.write_text(text)

    with pytest.raises(InvalidMessageError, match=words):
        read_dates_file(path)


@pytest.mark.parametrize(
    ("window", "days", "now", "opens"),
    [
        ("09:00-20:00", "mon-fri", at(20, 12), None),
        ("09:00-20:00", "mon-fri", at(20, 20), at(23, 9)),
        ("09:00-20:00", "mon-fri", at(21, 12), at(23, 9)),
        ("20:00-06:00", "fri", at(21, 5), None),
        ("20:00-06:00", "sat", at(21, 5), at(21, 20)),
        ("20:00-06:00", "fri", at(20, 5), at(20, 20)),
        (None, "mon-fri", at(20, 23, 59), None),
        (None, "mon-fri", at(21), at(23)),
        (None, "tue", at(17, 12), None),
        ("09:00-20:00 UTC", "fri", at(21, 0, 30), None),
    ],
)
def test_days_and_hours(window: str | None, days: str, now: datetime, opens: datetime | None) -> None:
    """A window opens on its days only; what is after midnight belongs to the day on which it opened."""
    answer = limit_to_days(read_window(window), read_days(days)).judge(now)

    assert isinstance(answer, Open) if opens is None else answer == Closed(opens)


def test_excepted_dates() -> None:
    """A date that is excepted is passed by."""
    days = read_days("mon-fri", [date(2026, 11, 23), date(2026, 11, 24)])

    assert limit_to_days(read_window("09:00-20:00"), days).judge(at(21)) == Closed(at(25, 9))
    assert limit_to_days(ALWAYS_OPEN, days).judge(at(20)) == Open(at(21))


def test_no_opening_within_a_year() -> None:
    """Days that never come are an error, and no wait without an end."""
    sundays = [date.fromordinal(day) for day in range(at(1).toordinal(), at(1).toordinal() + 800, 7)]
    window = limit_to_days(read_window("09:00-20:00"), read_days("sun", sundays))

    with pytest.raises(NoOpeningError, match="does not open within a year of 2026-11-20"):
        window.judge(at(20))


def test_every_day_is_no_limit() -> None:
    """All days of the week are as good as none named."""
    assert limit_to_days(ALWAYS_OPEN, read_days("mon-sun")) is ALWAYS_OPEN
    assert read_days(None) == EVERY_DAY
