"""The kinds of plain arguments: what each accepts, and how it is read.

A value may come from Python, from a template or from JSON, where a flag is the text ``False`` and a rate the
text ``20``. So each kind reads these texts, too, in one way everywhere. What may mean two things is refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from os import PathLike
from typing import Any, Final, Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from airflow_provider_osonsms.audience.missing import is_blank
from airflow_provider_osonsms.protocol.errors import InvalidMessageError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)

MAX_SECONDS: Final = 10 * 366 * 86400.0
_MIN_RATE: Final = 0.001
_MAX_RATE: Final = 10_000
_MAX_SHOWN_CHARACTERS: Final = 10
_MAX_SHOWN_DIGITS: Final = 6
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,15})?) ?%")
_QUOTIENT: Final = re.compile(r"([0-9]{1,6}) ?/ ?([0-9]{1,6})")
_DURATION: Final = re.compile(r"(?:([0-9]{1,4}) days?, )?([0-9]{1,2}):([0-9]{2}):([0-9]{2})")
"""What Python prints of a timedelta."""
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class InvalidArgumentError(InvalidMessageError, ValueError):
    """An argument has a value that it does not accept; nothing has left this machine."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """What an argument accepts.

    Attributes:
        accepted: It, in words that follow "must be".
        parse: Returns the value that is meant; raises ValueError for any other.
        rendered: The types that a template may come out as. Native rendering makes ``1234`` of ``12_34`` and
            of ``1_234``, so where each character counts only a text is the one that was meant.
        is_path: Whether it is one of a file: what fills a template may not lead out of the template's folder.
    """

    accepted: str
    parse: Callable[[Any], T_co]
    rendered: tuple[type, ...] = (object,)
    is_path: bool = False

    def read(self, value: Any, name: str) -> T_co:
        """Return what *value* means for the argument *name*.

        Raises:
            InvalidArgumentError: It is not accepted.
        """
        return self._read(value, name, "it is")

    def read_rendered(self, value: Any, name: str, *, template: str | None) -> T_co:
        """Return what *value* means for the argument *name* that Airflow rendered.

        Args:
            value: What it came out as.
            name: Its name, for the error.
            template: What it was before; None for the output of a task.

        Raises:
            InvalidArgumentError: It is None, is not accepted, or is perhaps not what the template says.
        """
        if value is None:
            raise InvalidArgumentError(
                f"{name} came out as None: check the template, or the task, that it comes from; to mean the "
                f"default, leave {name} out"
            )
        if template is not None and not isinstance(value, self.rendered):
            raise InvalidArgumentError(
                f"{name} was rendered to {_name_type(value)} instead of a text, and so perhaps has lost a "
                f"character (render_template_as_native_obj makes 1234 of '12_34' and of '1_234'): write "
                f"quotes around the template, {name}=\"'{{{{ ... }}}}'\""
            )
        if self.is_path and _count_climbs(value) > _count_climbs(template):
            raise InvalidArgumentError(
                f"{name} was rendered to a path with '..', which its template does not have, and so may lead "
                f"anywhere: check what fills the template"
            )
        return self._read(value, name, "it was rendered to")

    def _read(self, value: Any, name: str, it_is: str) -> T_co:
        try:
            return self.parse(value)
        except (ValueError, ArithmeticError):
            given = describe_value(value)
        raise InvalidArgumentError(f"{name} must be {self.accepted}; {it_is} {given}")


def optional(kind: Kind[T], meaning: str = "the default") -> Kind[T | None]:
    """Return *kind* with None, which has a *meaning* of its own."""

    def parse(value: Any) -> T | None:
        return None if value is None else kind.parse(value)

    return Kind(f"{kind.accepted}, or None for {meaning}", parse, kind.rendered, is_path=kind.is_path)


def describe_value(value: Any) -> str:
    """Return *value* for an error, or its type if it is long or may be a phone in the wrong argument."""
    if value is None or isinstance(value, bool | int | float | str):
        shown = repr(value)
        is_short = len(shown) <= _MAX_SHOWN_CHARACTERS
        if is_short and sum(character.isdigit() for character in shown) <= _MAX_SHOWN_DIGITS:
            return shown
    return _name_type(value)


def _name_type(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def whole_number(*, minimum: int = 1, maximum: int | None = None) -> Kind[int]:
    """Return the kind of whole numbers from *minimum* to *maximum*."""

    def parse(value: Any) -> int:
        number = _parse_number(value)
        if not isinstance(number, int) or number < minimum or (maximum is not None and number > maximum):
            raise ValueError
        return number

    bounds = f", {minimum} or more" if maximum is None else f" from {minimum} to {maximum}"
    return Kind(f"a whole number{bounds}", parse)


def choice(choices: type[ChoiceT]) -> Kind[ChoiceT]:
    """Return the kind of one of *choices*."""

    def parse(value: Any) -> ChoiceT:
        if not isinstance(value, str):
            raise ValueError  # noqa: TRY004
        return choices(value.strip())

    return Kind(f"one of {', '.join(choices)}", parse)


def seconds(minimum: float = 0.0, maximum: float = MAX_SECONDS) -> Kind[float]:
    """Return the kind of seconds, given as a number or a timedelta."""

    def parse(value: Any) -> float:
        number = _parse_number(value) if _is_number(value) else _parse_timedelta(value).total_seconds()
        if not max(minimum, 1e-9) <= number <= maximum:
            raise ValueError
        return float(number)

    bounds = "above 0, up to ten years" if maximum == MAX_SECONDS else f"from {minimum:g} to {maximum:g}"
    return Kind(f"seconds {bounds}, such as 10, or a timedelta", parse)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None
    )


def _parse_number(value: Any) -> int | float:
    """Return the number that *value* is or spells; True and False are none."""
    if isinstance(value, bool) or not _is_number(value):
        raise ValueError
    if isinstance(value, str):
        text = value.strip()
        return float(text) if "." in text else int(text)
    return value  # type: ignore[no-any-return]


def _parse_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | str):
        word = str(value).strip().lower()
        if word in _FLAGS:
            return _FLAGS[word]
    raise ValueError


def _parse_share(value: Any) -> float:
    percent = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    share = float(Decimal(percent[1]) / 100) if percent else _parse_number(value)
    if not 0 <= share <= 1 or (isinstance(share, int) and share):  # 1 could be all, one, or one in a hundred
        raise ValueError
    return float(share)


def _parse_fraction(value: Any) -> float:
    quotient = _QUOTIENT.fullmatch(value.strip()) if isinstance(value, str) else None
    share = int(quotient[1]) / int(quotient[2]) if quotient else _parse_share(value)
    if not 0 < share <= 1:
        raise ValueError
    return share


def _parse_rate(value: Any) -> float:
    rate = _parse_number(value)
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise ValueError
    return float(rate)


def _parse_timedelta(value: Any) -> timedelta:
    if isinstance(value, timedelta) and value >= timedelta(0):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=rest)


def _parse_somoni(value: Any) -> Decimal:
    amount = value if isinstance(value, Decimal) else Decimal(str(_parse_number(value)))
    if not amount.is_finite():
        raise ValueError
    return amount


def _parse_limit(value: Any) -> Decimal:
    amount = _parse_somoni(value)
    if amount < 0:
        raise ValueError
    return amount


def _parse_path(value: Any) -> Any:
    is_object = isinstance(value, PathLike) or hasattr(value, "open")  # pathlib's, or Airflow's
    if is_blank(value) if isinstance(value, str) else not is_object:
        raise ValueError
    return value


def _count_climbs(path: Any) -> int:
    """Return how often *path* goes to the folder above; for what is no path, 0."""
    is_path = isinstance(path, str | PathLike)
    return re.split(r"[/\\]", str(path)).count("..") if is_path else 0


def _parse_zone(value: Any) -> str:
    try:
        return ZoneInfo(value.strip()).key
    except (AttributeError, KeyError, OSError):  # "Asia" is a folder of the zones
        raise ValueError from None


def _parse_column(value: Any) -> str:
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.strip())):
        raise ValueError
    return cast("str", value)


def _parse_name(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.isprintable() or is_blank(value):
        raise ValueError
    return value.strip()


FLAG: Final = Kind("True or False, or the text true, false, 1 or 0", _parse_flag)
SHARE: Final = Kind("a share from 0.0 to 1.0, such as 0.05 or '5%' (all is 1.0 or '100%')", _parse_share)
FRACTION: Final = Kind("a share above 0.0, up to 1.0, such as 0.25, '25%' or '1/4'", _parse_fraction)
RATE: Final = Kind(f"a number per second from {_MIN_RATE} to {_MAX_RATE}, such as 20", _parse_rate)
SECONDS: Final = seconds()
DURATION: Final = Kind(
    "a timedelta, such as timedelta(hours=6), or a text such as '6:00:00'", _parse_timedelta
)
"""Without bare numbers, where hours are as likely to be meant as seconds."""
SOMONI: Final = Kind("a number of somoni, such as 50", _parse_somoni)
SOMONI_LIMIT: Final = Kind("a number of somoni, 0 or more, such as 50", _parse_limit)
NAME: Final = Kind("a printable text that is neither empty nor a missing value", _parse_name, (str,))
PATH: Final = Kind("a path or a URL, as a text or a path object", _parse_path, rendered=(str,), is_path=True)
COLUMN: Final = Kind("the name of a column, a text", _parse_column, rendered=(str,))
"""It is kept as it is, because a table may have a number or a text with blanks around it as a name."""
ZONE: Final = Kind("the name of a time zone, such as 'Asia/Dushanbe'", _parse_zone, rendered=(str,))
CONCURRENCY: Final = whole_number(maximum=1000)
