"""When a campaign may be sent."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_osonsms.preflight.window import Always, Closed, Open, read_window
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

DUSHANBE = ZoneInfo("Asia/Dushanbe")


def at(hour: int, minute: int = 0, *, day: int = 24) -> datetime:
    """Return a moment in Dushanbe."""
    return datetime(2026, 11, day, hour, minute, tzinfo=DUSHANBE)


@pytest.mark.parametrize(
    ("written", "now", "closes", "opens"),
    [
        ("09:00-20:00", at(9), at(20), at(9, day=25)),
        ("09:00-20:00", at(19, 59), at(20), at(9, day=25)),
        ("09:00-20:00", at(20), None, at(9, day=25)),
        ("9:00 - 20:00 Asia/Dushanbe", at(8, 59), None, at(9)),
        ("20:00-06:00", at(23), at(6, day=25), at(20, day=25)),
        ("20:00-06:00", at(5), at(6), at(20)),
        ("20:00-06:00", at(6), None, at(20)),
        ("09:00-20:00 UTC", at(13), None, at(14)),
    ],
)
def test_open_and_closed(written: str, now: datetime, closes: datetime | None, opens: datetime) -> None:
    """A window is open from its first moment to before its last, over midnight too, in its own zone."""
    answer = read_window(written).judge(now)

    assert answer == (Closed(opens) if closes is None else Open(closes))


def test_no_window_is_an_answer_of_its_own() -> None:
    """Without a window messages may be sent at any time, which is neither open nor closed until a moment."""
    assert read_window(None).judge(at(3)) == Always()


@pytest.mark.parametrize("written", ["", "9-20", "09:00-09:00", "25:00-26:00", "09:00-20:00 Nowhere/City", 9])
def test_no_window(written: object) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(InvalidMessageError, match="'09:00-20:00'"):
        read_window(written)
