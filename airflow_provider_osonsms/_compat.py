"""Airflow's names that moved between 3.0 and 3.3, and the two things that 3.0 does not have."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, BaseOperator, BaseOperatorLink, Context, ObjectStoragePath
from airflow.sdk.bases.sensor import BaseSensorOperator, PokeReturnValue

from airflow_provider_osonsms.campaign.identity import TaskIdentity
from airflow_provider_osonsms.campaign.journal import Journal, NoJournal
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, InvalidSettingsError

try:
    from airflow.sdk.execution_time.context import NEVER_EXPIRE
except ImportError:  # Airflow below 3.3
    NEVER_EXPIRE = None

try:
    from airflow.sdk import BaseHook, Connection
except ImportError:  # Airflow 3.0
    from airflow.hooks.base import BaseHook
    from airflow.sdk import Connection

try:
    from airflow.sdk.configuration import conf
    from airflow.sdk.exceptions import (
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )
except ImportError:  # Airflow below 3.2
    from airflow.configuration import conf
    from airflow.exceptions import (
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )

try:
    from airflow.sdk.observability.stats import Stats
except ImportError:  # Airflow below 3.2
    from airflow.stats import Stats

__all__ = [
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "BaseHook",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Connection",
    "Context",
    "PokeReturnValue",
    "Stats",
    "aget_connection",
    "aopen_path",
    "conf",
    "identify_task",
    "note_in_asset_events",
    "open_journal",
    "open_path",
    "read_extra",
    "resolve_path",
]


class _StateStoreJournal:
    """The task state store of Airflow 3.3, without an expiry."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.is_lasting = not conf.getboolean("state_store", "clear_on_success", fallback=False)

    def get(self, key: str) -> Any:
        return self._store.get(key)

    def set(self, key: str, value: Any) -> None:
        self._store.set(key, value, retention=NEVER_EXPIRE)


def open_journal(context: Context) -> Journal:
    """Open the journal of the running task; below Airflow 3.3 it remembers nothing."""
    store = context.get("task_state_store")
    return NoJournal() if store is None else _StateStoreJournal(store)


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


def note_in_asset_events(context: Context, facts: Mapping[str, Any]) -> None:
    """Let the events of the running task's ``outlets`` carry *facts*, should it succeed."""
    for outlet in context["task"].outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(facts)


async def aget_connection(conn_id: str) -> Connection:
    """Read a Connection without blocking the event loop.

    Before 3.3.2 the asynchronous call masks secrets with a blocking one, and under ``dag.test()`` it does not
    see the database; a thread serves both.
    """
    from asgiref.sync import sync_to_async

    if hasattr(Connection, "aextra_dejson"):
        try:
            return await BaseHook.aget_connection(conn_id)
        except AirflowNotFoundException:
            pass
    return await sync_to_async(BaseHook.get_connection)(conn_id)


def read_extra(connection: Connection) -> dict[str, Any]:
    """Read the extra as a dict; ``extra_dejson`` would block an event loop.

    Raises:
        InvalidSettingsError: It is not a JSON object.
    """
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise InvalidSettingsError(f"Connection '{connection.conn_id}': extra must be a JSON object")
    return extra


def resolve_path(value: Any) -> Any:
    """Return the text of a URL, such as ``s3://bucket/file.csv``, as a path, and anything else as it is."""
    return open_path(value) if isinstance(value, str) and "://" in value else value


def open_path(path: str) -> Any:
    """Return *path*, local or a URL, as something with ``suffix`` and ``open``.

    Raises:
        InvalidMessageError: Nothing here can open such a path.
    """
    try:
        return ObjectStoragePath(path) if "://" in path else Path(path)
    except (ImportError, ValueError) as error:
        raise _make_path_error(error) from None


def _make_path_error(error: Exception) -> InvalidMessageError:
    return InvalidMessageError(
        f"a path cannot be opened here ({type(error).__name__}): install the library of its storage on "
        f"workers and triggerers, or correct the path"
    )


async def aopen_path(path: str) -> Any:
    """Return what `open_path` does, with its Connection read already: any thread may use it then.

    Airflow 3.0's triggerer reads a Connection for ``sync_to_async`` only; from another thread it breaks.

    Raises:
        InvalidMessageError: Nothing here can open such a path.
    """
    from asgiref.sync import sync_to_async

    place = open_path(path)
    if isinstance(place, ObjectStoragePath):
        try:
            await sync_to_async(getattr)(place, "fs")
        except (ImportError, ValueError) as error:
            raise _make_path_error(error) from None
    return place
