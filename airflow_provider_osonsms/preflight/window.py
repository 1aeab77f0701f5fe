"""The time of day in which a campaign may be sent."""

import contextlib
import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_osonsms.protocol.errors import InvalidMessageError

_WRITTEN: Final = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*(\S+)?\s*")
_DEFAULT_ZONE: Final = "Asia/Dushanbe"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendWindow:
    """The time of day in which messages are sent; over midnight when it opens after it closes.

    Attributes:
        opens: Wall time.
        closes: Wall time; nothing is begun from then on.
        zone: Of both.
    """

    opens: time
    closes: time
    zone: tzinfo

    def closes_at(self, now: datetime) -> datetime | None:
        """Return when the window that is open at *now* closes; None when it is closed."""
        local = now.astimezone(self.zone)
        for day in (local - _DAY, local):
            begin = self._at(day, self.opens)
            end = self._at(day if self.opens < self.closes else day + _DAY, self.closes)
            if begin <= now < end:
                return end
        return None

    def opens_at(self, now: datetime) -> datetime:
        """Return when the window opens next after *now*."""
        local = now.astimezone(self.zone)
        today = self._at(local, self.opens)
        return today if today > now else self._at(local + _DAY, self.opens)

    def _at(self, day: datetime, moment: time) -> datetime:
        return datetime.combine(day.date(), moment, tzinfo=self.zone)


def read_window(written: Any) -> SendWindow | None:
    """Read ``"09:00-20:00"`` or ``"09:00-20:00 Asia/Dushanbe"``; None for no window.

    Raises:
        InvalidMessageError: It is something else.
    """
    if written is None:
        return None
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    opens = closes = time()
    if match is not None:
        with contextlib.suppress(ValueError, ZoneInfoNotFoundError):
            zone = ZoneInfo(match[3] or _DEFAULT_ZONE)
            opens, closes = (time.fromisoformat(side.zfill(5)) for side in (match[1], match[2]))
    if opens == closes:
        raise InvalidMessageError(
            "send_window must be two different times of day and, if it is not Asia/Dushanbe, a time zone: "
            "'09:00-20:00' or '09:00-20:00 Asia/Tashkent'"
        )
    return SendWindow(opens=opens, closes=closes, zone=zone)
