"""What is read from the running task: who it is, what earlier tries have stored, what its events carry."""

from collections.abc import Mapping
from typing import Any

from airflow_provider_osonsms._compat import NEVER_EXPIRE, Asset, Context, conf
from airflow_provider_osonsms.exactly_once.store import NullStateStore, StateStore
from airflow_provider_osonsms.exactly_once.task import TaskIdentity


def open_state_store(context: Context) -> StateStore:
    """Open the journal of the running task; below Airflow 3.3 it remembers nothing."""
    store = context.get("task_state_store")
    return NullStateStore() if store is None else _TaskStateStore(store)


def identify_task(context: Context) -> TaskIdentity:
    """Read who is running from the task's context."""
    ti = context["ti"]
    return TaskIdentity(
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=-1 if ti.map_index is None else ti.map_index,
        try_number=ti.try_number,
    )


def add_to_asset_events(context: Context, facts: Mapping[str, Any]) -> None:
    """Let the events of the running task's ``outlets`` carry *facts*, should it succeed."""
    for outlet in context["task"].outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(facts)


class _TaskStateStore:
    """The task state store of Airflow 3.3, without an expiry."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.is_lasting = not conf.getboolean("state_store", "clear_on_success", fallback=False)

    def get(self, key: str) -> Any:
        return self._store.get(key)

    def set(self, key: str, value: Any) -> None:
        self._store.set(key, value, retention=NEVER_EXPIRE)
