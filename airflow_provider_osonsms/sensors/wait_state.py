"""The stored state of a waiting task, from try to try and from poke to poke; none below Airflow 3.3."""

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
"""More statuses do not fit a value of the store."""


class WaitState:
    """Stores the start of a wait, and the statuses that need confirmation.

    Args:
        context: The context of the running task.
        retries: The retries of its operator.
    """

    def __init__(self, context: Context, *, retries: int) -> None:
        self._store = open_state_store(context)
        self._try_number = context["ti"].try_number
        # a retry continues the wait; a try after a Clear begins a new one, with a new deadline
        self._first_try = context["ti"].max_tries - retries + 1

    @property
    def is_lasting(self) -> bool:
        """Whether this Airflow stores anything."""
        return not isinstance(self._store, NullStateStore)

    def find_start(self, now: datetime) -> datetime:
        """Return when this wait began: at the start of an earlier try if one is stored, else *now*."""
        record = self._store.get(_STORE_KEY)
        if isinstance(record, dict) and record.get("first_try") == self._first_try:
            with contextlib.suppress(KeyError, TypeError, ValueError):
                return min(datetime.fromisoformat(record["began"]), now)
        self._store.set(_STORE_KEY, {"first_try": self._first_try, "began": now.isoformat()})
        return now

    def load_unconfirmed(self) -> dict[str, UnconfirmedStatus]:
        """Return the statuses that the last poke of this try has saved; those of another try do not count."""
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
        """Save the statuses, at most `MAX_UNCONFIRMED`, for the next poke."""
        saved: Any = {msg_id: [str(status), count] for msg_id, (status, count) in unconfirmed.items()}
        self._store.set(_UNCONFIRMED_STORE_KEY, {"try": self._try_number, "doubts": saved})
