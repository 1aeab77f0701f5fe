"""The time of day in which a campaign may be sent.

A window answers `Open`, `Closed` or `Always`. "No window" has an answer of its own, not None: when None also
meant "no end yet", a window that closed while the audience was read let a whole campaign go out at night.
"""

import contextlib
import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_osonsms.arguments import Kind

_WRITTEN: Final = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*(\S+)?\s*")
_DEFAULT_ZONE: Final = "Asia/Dushanbe"
_DAY: Final = timedelta(days=1)


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
    """A window of each day; it spans midnight when *opens* is later than *closes*.

    Attributes:
        opens: Wall time.
        closes: Wall time; from then on, no message is begun.
        zone: The time zone of both.
    """

    opens: time
    closes: time
    zone: tzinfo

    def __str__(self) -> str:
        return f"window {self.opens:%H:%M}-{self.closes:%H:%M} {self.zone}"

    def judge(self, now: datetime) -> Open | Closed:
        """Return whether messages may be sent at *now*, and until when that holds."""
        local = now.astimezone(self.zone)
        for day in (local - _DAY, local):
            begin = self._at(day, self.opens)
            end = self._at(day if self.opens < self.closes else day + _DAY, self.closes)
            if begin <= now < end:
                return Open(end)
        today = self._at(local, self.opens)
        return Closed(today if today > now else self._at(local + _DAY, self.opens))

    def _at(self, day: datetime, moment: time) -> datetime:
        return datetime.combine(day.date(), moment, tzinfo=self.zone)


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
