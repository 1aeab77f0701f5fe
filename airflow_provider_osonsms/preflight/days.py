"""The days on which messages may go out: days of the week, without the dates of holidays."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from airflow_provider_osonsms.arguments import Kind
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.tables.paths import explain_relative, guard_storage

_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(rf"({'|'.join(_NAMES)})(?:\s*-\s*({'|'.join(_NAMES)}))?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEPARATORS: Final = re.compile(r"[,\s]+")
_DATES_ONLY: Final = re.compile(r"[0-9\s.,/-]*")
"""A text of digits alone is meant as dates, and is no path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDays:
    """The days of a calendar on which messages may go out.

    Attributes:
        weekdays: From 0, a Monday, to 6.
        except_dates: Dates on which none goes out.
    """

    weekdays: frozenset[int] = frozenset(range(len(_NAMES)))
    except_dates: frozenset[date] = frozenset()

    def __contains__(self, day: date) -> bool:
        return day.weekday() in self.weekdays and day not in self.except_dates

    def __str__(self) -> str:
        names = ",".join(_NAMES[day] for day in sorted(self.weekdays))
        dates = f" but {len(self.except_dates)} dates" if self.except_dates else ""
        return f"{names}{dates}"


EVERY_DAY: Final = OpenDays()


def read_days(send_days: str | None, except_dates: Iterable[date] = ()) -> OpenDays:
    """Return the days that *send_days* names, such as ``"mon-sat"``, without *except_dates*.

    Args:
        send_days: As the kind `DAYS` reads it; None for all days of the week.
        except_dates: Dates on which none goes out.
    """
    weekdays = EVERY_DAY.weekdays if send_days is None else frozenset(_parse_days(send_days))
    return OpenDays(weekdays=weekdays, except_dates=frozenset(except_dates))


def read_dates(given: tuple[str, ...]) -> list[date]:
    """Return the dates that the kind `DATES` has read."""
    return [date.fromisoformat(text) for text in given]


def read_dates_file(path: Any) -> list[date]:
    """Read a file with one ISO date a line; a line that is empty or begins with ``#`` says nothing.

    Args:
        path: Something with ``open``.

    Raises:
        InvalidMessageError: It cannot be read here, a line is no date, or it has none: a list of holidays
            that came out empty would let messages go out on all of them.
        PathUnavailableError: It cannot be read for now.
    """

    def read() -> str:
        with path.open("rb") as file:
            return str(file.read().decode("utf-8-sig"))

    text = guard_storage(read, "except_dates", "read", hint=explain_relative(path))
    dates = []
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        try:
            dates.append(_parse_date(written))
        except ValueError:
            raise InvalidMessageError(
                f"except_dates: line {number} of the file is no date: write one ISO date a line, such as "
                f"2026-12-31. Nothing was sent now"
            ) from None
    if not dates:
        raise InvalidMessageError(
            "except_dates: the file holds no date. Nothing was sent now: write one ISO date a line, or leave "
            "except_dates out"
        )
    return dates


def _parse_days(written: Any) -> Iterator[int]:
    if not isinstance(written, str):
        raise ValueError  # noqa: TRY004
    for part in written.lower().split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise ValueError
        first = _NAMES.index(match[1])
        last = _NAMES.index(match[2] or match[1])
        yield from ((first + step) % len(_NAMES) for step in range((last - first) % len(_NAMES) + 1))


def _check_days(written: Any) -> str:
    list(_parse_days(written))
    return str(written)


def _parse_date(written: Any) -> date:
    if isinstance(written, datetime):  # at midnight in UTC it is another day in Dushanbe
        raise ValueError  # noqa: TRY004
    if isinstance(written, date):
        return date(written.year, written.month, written.day)
    if not isinstance(written, str) or not _DATE.fullmatch(written.strip()):
        raise ValueError
    return date.fromisoformat(written.strip())


def _parse_dates(given: Any) -> Any:
    """Return ISO texts, or the path of a file as it is."""
    if isinstance(given, str):
        if not _DATES_ONLY.fullmatch(given):
            return given
        given = _SEPARATORS.split(given.strip())
    if isinstance(given, date):
        given = [given]
    if isinstance(given, list | tuple | set | frozenset):
        return tuple(sorted({_parse_date(one).isoformat() for one in given}))
    if hasattr(given, "open"):
        return given
    raise ValueError


DAYS: Final = Kind("days of the week, such as 'mon-sat', 'mon,wed,fri' or 'sat-mon'", _check_days, (str,))
DATES: Final = Kind(
    "ISO dates, such as ['2026-12-31', '2027-01-01'], or the path of a file with one a line",
    _parse_dates,
    (str, list, tuple, set, frozenset, date),
    is_path=True,
)
