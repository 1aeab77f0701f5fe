"""The periods of the calendar in Dushanbe, in which budgets and caps count."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

_LONGEST_MONTH: Final = timedelta(days=31)


class Period(StrEnum):
    """A kind of period: it begins at midnight in Dushanbe, a week on Monday, a month on its first day."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def find_begin(self, moment: datetime) -> datetime:
        """Return when the period of *moment* began."""
        midnight = moment.astimezone(TAJIK_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.WEEK:
            return midnight - timedelta(days=midnight.weekday())
        return midnight if self is Period.DAY else midnight.replace(day=1)

    def find_end(self, moment: datetime) -> datetime:
        """Return when the period after that of *moment* begins."""
        begin = self.find_begin(moment)
        if self is Period.MONTH:
            return (begin + _LONGEST_MONTH).replace(day=1)
        return begin + timedelta(days=7 if self is Period.WEEK else 1)

    def find_name(self, moment: datetime) -> str:
        """Return the name of the period of *moment*, such as ``2026-W48``; no two kinds share a name."""
        return self.find_begin(moment).strftime(_FORMATS[self])

    def has_name(self, name: str | None) -> bool:
        """Whether *name* is that of a period of this kind."""
        return name is not None and _FORMS[self].fullmatch(name) is not None


_FORMATS: Final = {Period.DAY: "%Y-%m-%d", Period.WEEK: "%G-W%V", Period.MONTH: "%Y-%m"}
_FORMS: Final = {
    Period.DAY: re.compile(r"\d{4}-\d{2}-\d{2}"),
    Period.WEEK: re.compile(r"\d{4}-W\d{2}"),
    Period.MONTH: re.compile(r"\d{4}-\d{2}"),
}
