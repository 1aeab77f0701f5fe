"""The identity of a waiting task, its start, and the memory of what it has seen, over pokes and tries."""

import contextlib
from datetime import datetime
from hashlib import sha256
from typing import Final

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import identify_task, open_state_store
from airflow_provider_osonsms._storage import open_path
from airflow_provider_osonsms.delivery.memory import (
    FileMemory,
    StoreMemory,
    WaitMemory,
)
from airflow_provider_osonsms.exactly_once.store import NullStateStore

_STORE_KEY: Final = "osonsms_wait"
_DIGITS: Final = 8


class WaitState:
    """What is stored of a wait.

    Args:
        context: The context of the running task.
        retries: The retries of its operator.

    Attributes:
        wait_id: The same in each try and process of this wait; after a *Clear* it is another.
        try_number: The running try of the task.
    """

    def __init__(self, context: Context, *, retries: int) -> None:
        self._store = open_state_store(context)
        # a retry continues the wait; a try after a Clear begins a new one, with a new deadline
        self._first_try = context["ti"].max_tries - retries + 1
        task = identify_task(context)
        self.try_number = task.try_number
        self.wait_id = f"{task.dag_id} {task.run_id} {task.task_id} {task.map_index} {self._first_try}"

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

    def name_file(self, beside: str | None) -> str | None:
        """Return the path of a file of this wait *beside* another; None for none."""
        digest = sha256(self.wait_id.encode()).hexdigest()
        return None if beside is None else f"{beside}.{digest[:_DIGITS]}.wait"

    def open_memory(self, path: str | None) -> WaitMemory:
        """Open the memory of the wait: the task's state store, or below Airflow 3.3 the file at *path*."""
        if self.is_lasting:
            return StoreMemory(self._store)
        return WaitMemory() if path is None else FileMemory(path, open_path=open_path)
