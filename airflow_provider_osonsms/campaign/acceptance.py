"""What is kept of an accepted row, as the journal and the results table write it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from airflow_provider_osonsms.tables.rows import ResultRow

_CODE: Final = re.compile(r"([^/]+)/(\d{1,5})(?:/(\d{1,10})/(\d{1,3}))?")
_SAVED_AS_FLOAT: Final = re.compile(r"(?<=\d)\.0$")


@dataclass(slots=True, kw_only=True)  # not frozen: see `protocol.models`
class Acceptance:
    """What is kept of an accepted row.

    Attributes:
        msg_id: The gateway's message id.
        parts: Billed parts; 0 where they are unknown.
        accepted_at: Seconds since the epoch; 0 where they are unknown.
        try_number: The try of the task; 0 where it is unknown.
    """

    msg_id: str
    parts: int = 0
    accepted_at: int = 0
    try_number: int = 0

    def encode(self) -> str:
        """Return the journal's code."""
        return write_acceptance(self.msg_id, self.parts, self.accepted_at, self.try_number)


def write_acceptance(msg_id: str, parts: int, accepted_at: int, try_number: int) -> str:
    """Return the journal's code of an accepted row; see `Acceptance`."""
    return f"{msg_id}/{parts}/{accepted_at}/{try_number}"


def read_acceptance(code: object) -> Acceptance | None:
    """Return what the journal's *code* says of an accepted row; None for anything else."""
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    if match is None:
        return None
    msg_id, parts, accepted_at, try_number = match.groups(default="0")
    return Acceptance(
        msg_id=msg_id, parts=int(parts), accepted_at=int(accepted_at), try_number=int(try_number)
    )


def read_result(result: ResultRow) -> Acceptance | None:
    """Return what the results table says of an accepted row; None where its msg_id is none.

    A spreadsheet that opens the table and saves it again may write its numbers and times in other ways.
    """
    msg_id = _SAVED_AS_FLOAT.sub("", result.msg_id or "")
    if not (msg_id.isascii() and msg_id.isalnum()):
        return None
    return Acceptance(
        msg_id=msg_id,
        parts=result.parts or 0,
        accepted_at=int(result.accepted_seconds or 0),
        try_number=result.try_ or 0,
    )


@lru_cache(maxsize=64)  # thousands of rows are accepted in one second
def print_moment(seconds: int | None) -> str | None:
    """Return *seconds* since the epoch as the results table writes them: ISO in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
