"""Times as the people of one zone read them.

A database gives a morning in Dushanbe as a moment in UTC, with the date of the day before: whoever has to pay
until then would be told yesterday's date.
"""

import re
from datetime import datetime, time, tzinfo
from typing import Final

_MOMENT: Final = re.compile(
    r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"\s?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)\s*",
    re.IGNORECASE,
)


def to_zone(value: datetime, zone: tzinfo) -> datetime:
    """Return an aware time in *zone*; a time without a zone means that zone already, and stays."""
    return value if value.utcoffset() is None else value.astimezone(zone)


def is_foreign_time(value: time, zone: tzinfo) -> bool:
    """Whether the time of day *value* is of another zone: without a date, nobody can tell what it is here."""
    return value.tzinfo not in (None, zone)


def is_foreign_moment(text: str, zone: tzinfo) -> bool:
    """Whether *text* is a moment with an offset that is not the one of *zone*, such as ``…T20:30:00Z``."""
    if not _MOMENT.fullmatch(text):
        return False
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.utcoffset() != moment.astimezone(zone).utcoffset()
    except (OverflowError, ValueError):
        return True
