"""The times at which messages may go out: hours of the day, on some days.

A window answers `Open`, `Closed` or `Always`. "No window" has an answer of its own, not None: when None also
meant "no end yet", a window that closed while the audience was read let a whole campaign go out at night.
"""

import contextlib
import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_osonsms.arguments import Kind
from airflow_provider_osonsms.preflight.days import EVERY_DAY, OpenDays
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_WRITTEN: Final = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*(\S+)?\s*")
_DEFAULT_ZONE: Final = "Asia/Dushanbe"
_DAY: Final = timedelta(days=1)
_MAX_DAYS_AHEAD: Final = 366


class NoOpeningError(InvalidMessageError):
    """The window does not open within a year; nothing was sent."""


class OutsideWindowError(InvalidMessageError):
    """The window is closed, and the task is told to fail then."""


class OutsideWindow(StrEnum):
    """What a task does when it would send outside its window."""

    MOVE = "move"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Always:
    """There is no window: messages may be sent at any time."""


@dataclass(frozen=True, slots=True)
class Open:
    """Messages may be sent now; from *until* on, no message is begun."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """No message may be begun before *until*."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyWindow:
    """A window of each of its days; it spans midnight when *opens* is later than *closes*.

    Attributes:
        opens: Wall time.
        closes: Wall time; from then on, no message is begun. The same as *opens* for a whole day.
        zone: The time zone of both, and of the days.
        days: On which it opens: what is after midnight belongs to the day before.
    """

    opens: time
    closes: time
    zone: tzinfo
    days: OpenDays = EVERY_DAY

    def __str__(self) -> str:
        hours = "" if self.opens == self.closes else f" {self.opens:%H:%M}-{self.closes:%H:%M}"
        days = "" if self.days == EVERY_DAY else f" on {self.days}"
        return f"window{hours} {self.zone}{days}"

    def judge(self, now: datetime) -> Open | Closed:
        """Return whether messages may be sent at *now*, and until when that holds.

        Raises:
            NoOpeningError: They may not, nor within a year.
        """
        today = now.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            end = self._at(day if self.opens < self.closes else day + _DAY, self.closes)
            if day in self.days and self._at(day, self.opens) <= now < end:
                return Open(end)
        for ahead in range(_MAX_DAYS_AHEAD + 1):
            day = today + ahead * _DAY
            if day in self.days and (begin := self._at(day, self.opens)) > now:
                return Closed(begin)
        raise NoOpeningError(
            f"the {self} does not open within a year of {now.astimezone(self.zone):%Y-%m-%d}: this try sent "
            f"nothing. Correct send_days and except_dates"
        )

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, tzinfo=self.zone)


@dataclass(frozen=True, slots=True)
class NoWindow:
    """No window: messages may be sent at any time of day."""

    def __str__(self) -> str:
        return "no window"

    def judge(self, now: datetime) -> Always:  # noqa: ARG002
        """Return that messages may be sent."""
        return Always()


SendWindow = DailyWindow | NoWindow
ALWAYS_OPEN: Final = NoWindow()


def read_window(written: str | None, name: str = "send_window") -> SendWindow:
    """Read ``"09:00-20:00"`` or ``"09:00-20:00 Asia/Dushanbe"``; None for no window.

    Args:
        written: What was given for the parameter *name*.
        name: The name of the parameter, for the error.

    Raises:
        InvalidArgumentError: *written* is something else.
    """
    return ALWAYS_OPEN if written is None else _parse_window(WINDOW.read(written, name))


def limit_to_days(window: SendWindow, days: OpenDays) -> SendWindow:
    """Return *window* on *days* only; without a window, they are open from midnight to midnight."""
    if days == EVERY_DAY:
        return window
    if isinstance(window, NoWindow):
        return DailyWindow(opens=time(), closes=time(), zone=ZoneInfo(_DEFAULT_ZONE), days=days)
    return replace(window, days=days)


def _parse_window(written: Any) -> DailyWindow:
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    opens = closes = time()
    if match is not None:
        with contextlib.suppress(ValueError, ZoneInfoNotFoundError):
            zone = ZoneInfo(match[3] or _DEFAULT_ZONE)
            opens, closes = (time.fromisoformat(side.zfill(5)) for side in (match[1], match[2]))
    if opens == closes:
        raise ValueError
    return DailyWindow(opens=opens, closes=closes, zone=zone)


def _check_window(written: Any) -> str:
    _parse_window(written)
    return str(written)


WINDOW: Final = Kind(
    "two different times of day and, if it is not Asia/Dushanbe, a time zone: '09:00-20:00' or "
    "'09:00-20:00 Asia/Tashkent'",
    _check_window,
)
