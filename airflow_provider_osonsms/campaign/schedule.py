"""When a bulk job goes out.

Reference:
    OsonSMS protocol 1.5, §5.1; wire-notes 15; design §6 (time zone).
"""

import re
from datetime import datetime

import pendulum

from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

_DATE_AND_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")


def read_send_at(value: object) -> datetime:
    """Read a datetime or an ISO text with date and time; without a zone it is taken for Asia/Dushanbe.

    Raises:
        InvalidMessageError: It is neither.
    """
    if isinstance(value, datetime):
        return _to_wall_time(value if value.tzinfo else value.replace(tzinfo=TAJIK_TIME))
    if not isinstance(value, str):
        raise InvalidMessageError(f"send_at must be a datetime or an ISO text, not {type(value).__name__}")
    try:
        if not _DATE_AND_TIME.fullmatch(value.strip()):
            raise ValueError  # noqa: TRY301
        moment = pendulum.parse(value.strip(), tz="Asia/Dushanbe")
    except (ValueError, OverflowError):
        moment = None
    if not isinstance(moment, datetime):
        raise InvalidMessageError(
            "send_at must name a date and a time, such as '2026-12-01 09:00' (Asia/Dushanbe) or "
            f"'2026-12-01T04:00:00Z'; it is {value[:40]!r}"
        )
    return _to_wall_time(datetime.fromisoformat(moment.isoformat()))


def _to_wall_time(moment: datetime) -> datetime:
    """Cut to the seconds that the wire carries."""
    return moment.astimezone(TAJIK_TIME).replace(microsecond=0)


def require_future(send_at: datetime, now: datetime) -> None:
    """Refuse a *send_at* that is not after *now*; both aware.

    Raises:
        InvalidMessageError: The gateway's answer to a past time is undocumented: texting at once, or never.
    """
    if send_at <= now:
        raise InvalidMessageError(
            f"send_at {send_at:%Y-%m-%d %H:%M:%S} (Asia/Dushanbe) is past, now is "
            f"{now.astimezone(TAJIK_TIME):%Y-%m-%d %H:%M:%S}: choose a later time; for a late run, start a "
            f"new one"
        )
