"""What a waiting task remembers from try to try and from poke to poke; nothing below Airflow 3.3."""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import open_state_store
from airflow_provider_osonsms.delivery.tracker import UnconfirmedStatus
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

_STORE_KEY: Final = "osonsms_wait"
_UNCONFIRMED_STORE_KEY: Final = "osonsms_doubts"
MAX_UNCONFIRMED: Final = 1000
"""More fit into no value of the store."""


class WaitState:
    """Remembers since when a task waits, and statuses that need confirmation.

    Args:
        context: Of the running task.
        retries: Of its operator.
    """

    def __init__(self, context: Context, *, retries: int) -> None:
        self._store = open_state_store(context)
        self._try_number = context["ti"].try_number
        # a retry belongs to the same wait, a try after a Clear begins another
        self._first_try = context["ti"].max_tries - retries + 1

    @property
    def is_lasting(self) -> bool:
        """Whether this Airflow keeps anything."""
        return not isinstance(self._store, NullStateStore)

    def find_start(self, now: datetime) -> datetime:
        """Return when this wait began: *now*, or when an earlier try did."""
        record = self._store.get(_STORE_KEY)
        if isinstance(record, dict) and record.get("first_try") == self._first_try:
            with contextlib.suppress(KeyError, TypeError, ValueError):
                return min(datetime.fromisoformat(record["began"]), now)
        self._store.set(_STORE_KEY, {"first_try": self._first_try, "began": now.isoformat()})
        return now

    def load_unconfirmed(self) -> dict[str, UnconfirmedStatus]:
        """Return what the last poke of this try has saved; anything else is forgotten."""
        record = self._store.get(_UNCONFIRMED_STORE_KEY)
        if not isinstance(record, dict) or record.get("try") != self._try_number:
            return {}
        with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
            return {
                str(msg_id): (DeliveryStatus(status), int(count))
                for msg_id, (status, count) in record["doubts"].items()
            }
        return {}

    def save_unconfirmed(self, unconfirmed: Mapping[str, UnconfirmedStatus]) -> None:
        """Keep at most `MAX_UNCONFIRMED` statuses for the next poke."""
        saved: Any = {msg_id: [str(status), count] for msg_id, (status, count) in unconfirmed.items()}
        self._store.set(_UNCONFIRMED_STORE_KEY, {"try": self._try_number, "doubts": saved})
