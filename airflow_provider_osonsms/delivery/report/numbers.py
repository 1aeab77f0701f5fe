"""Numbers, times and durations as a language writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from airflow_provider_osonsms.delivery.report.translations import Language, read_words
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_UNITS: Final = (("hours", 3600, 3), ("minutes", 60, 2), ("seconds", 1, 0))
"""Units of time: the name, the seconds, and the least number of units for which the unit is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """How a language writes numbers.

    Attributes:
        thousands: Between groups of three digits.
        decimal: Before the decimals.
        percent: Behind a percentage.
        time: Format of a moment.
        words: The units of time.
    """

    thousands: str
    decimal: str
    percent: str
    time: str
    words: Mapping[str, str]

    def print_number(self, value: float | Decimal, digits: int = 0) -> str:
        """Return *value* with this many decimals."""
        marks = str.maketrans({",": self.thousands, ".": self.decimal})
        return f"{value:,.{digits}f}".translate(marks)

    def print_percentage(self, count: int, whole: int) -> str:
        """Return how many percent of *whole* are *count*, rounded down: not everybody is never 100 %."""
        if not whole:
            return "–"
        return f"{self.print_number(Decimal(1000 * count // whole) / 10, 1)}{self.percent}"

    def print_share(self, share: float) -> str:
        """Return a share that somebody has given, with the decimals that it has."""
        exact = (100 * Decimal(str(share))).normalize()
        exponent = exact.as_tuple().exponent
        return f"{self.print_number(exact, max(0, -int(exponent)))}{self.percent}"

    def print_duration(self, seconds: float) -> str:
        """Return *seconds* in hours, minutes or seconds."""
        name, size = next(
            (name, size) for name, size, least in _UNITS if seconds >= least * size or name == "seconds"
        )
        value = round(seconds / size, 1)
        return f"{self.print_number(value, 0 if value.is_integer() else 1)}{_NO_BREAK}{self.words[name]}"

    def print_time(self, seconds: float) -> str:
        """Return a moment, given in seconds since the epoch, in Dushanbe."""
        return datetime.fromtimestamp(seconds, UTC).astimezone(TAJIK_TIME).strftime(self.time)


def read_format(language: Language) -> NumberFormat:
    """Return how *language* writes numbers."""
    words = read_words(language)
    if language is Language.ENGLISH:
        return NumberFormat(thousands=",", decimal=".", percent="%", time="%Y-%m-%d %H:%M:%S", words=words)
    return NumberFormat(
        thousands=_NO_BREAK,
        decimal=",",
        percent=f"{_NO_BREAK}%",
        time="%d.%m.%Y %H:%M:%S",
        words=words,
    )
