"""What a waiting task remembers from try to try and from poke to poke; nothing below Airflow 3.3."""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from airflow_provider_osonsms._compat import Context, open_journal
from airflow_provider_osonsms.campaign.journal import NoJournal
from airflow_provider_osonsms.delivery.watch import Doubt
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

_KEY: Final = "osonsms_wait"
_DOUBTS_KEY: Final = "osonsms_doubts"
MOST_DOUBTS: Final = 1000
"""More fit into no value of the store."""


class Memory:
    """Remembers since when a task waits, and doubtful sightings.

    Args:
        context: Of the running task.
        retries: Of its operator.
    """

    def __init__(self, context: Context, *, retries: int) -> None:
        self._journal = open_journal(context)
        self._try_number = context["ti"].try_number
        # a retry belongs to the same wait, a try after a Clear begins another
        self._first_try = context["ti"].max_tries - retries + 1

    @property
    def is_lasting(self) -> bool:
        """Whether this Airflow keeps anything."""
        return not isinstance(self._journal, NoJournal)

    def find_start(self, now: datetime) -> datetime:
        """Return when this wait began: *now*, or when an earlier try did."""
        record = self._journal.get(_KEY)
        if isinstance(record, dict) and record.get("first_try") == self._first_try:
            with contextlib.suppress(KeyError, TypeError, ValueError):
                return min(datetime.fromisoformat(record["began"]), now)
        self._journal.set(_KEY, {"first_try": self._first_try, "began": now.isoformat()})
        return now

    def read_doubts(self) -> dict[str, Doubt]:
        """Return what the last poke of this try has noted; anything else is forgotten."""
        record = self._journal.get(_DOUBTS_KEY)
        if not isinstance(record, dict) or record.get("try") != self._try_number:
            return {}
        with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
            return {
                str(msg_id): (DeliveryStatus(status), int(count))
                for msg_id, (status, count) in record["doubts"].items()
            }
        return {}

    def note_doubts(self, doubts: Mapping[str, Doubt]) -> None:
        """Keep at most `MOST_DOUBTS` *doubts* for the next poke."""
        noted: Any = {msg_id: [str(status), count] for msg_id, (status, count) in doubts.items()}
        self._journal.set(_DOUBTS_KEY, {"try": self._try_number, "doubts": noted})
