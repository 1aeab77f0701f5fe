"""When a bulk job goes out.

Reference:
    OsonSMS protocol 1.5, §5.1; docs/wire-notes.md "Bulk"; docs/design.md "Phones and texts" (time).
"""

import contextlib
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
    if not isinstance(value, datetime | str):
        raise InvalidMessageError(f"send_at must be a datetime or an ISO text, not {type(value).__name__}")
    with contextlib.suppress(ValueError, OverflowError):
        moment = value if isinstance(value, datetime) else _parse(value.strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=TAJIK_TIME)
        return aware.astimezone(TAJIK_TIME).replace(microsecond=0)  # the wire carries seconds
    raise InvalidMessageError(
        "send_at must name a date and a time, such as '2026-12-01 09:00' (Asia/Dushanbe) or "
        "'2026-12-01T04:00:00Z'"
    )


def _parse(text: str) -> datetime:
    if not _DATE_AND_TIME.fullmatch(text):
        raise ValueError
    moment = pendulum.parse(text, tz="Asia/Dushanbe")
    if not isinstance(moment, datetime):
        raise ValueError  # noqa: TRY004
    return datetime.fromisoformat(moment.isoformat())


def require_future(send_at: datetime, now: datetime) -> float:
    """Return the seconds from *now* to *send_at*, which has to be later; both aware.

    Raises:
        InvalidMessageError: The gateway's answer to a past time is undocumented: texting at once, or never.
    """
    if send_at <= now:
        raise InvalidMessageError(
            f"send_at {send_at:%Y-%m-%d %H:%M:%S} (Asia/Dushanbe) is past, now is "
            f"{now.astimezone(TAJIK_TIME):%Y-%m-%d %H:%M:%S}: choose a later time for the same run. A new "
            f"run would create jobs again that this one has created"
        )
    return (send_at - now).total_seconds()
