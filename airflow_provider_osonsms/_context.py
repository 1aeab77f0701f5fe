"""What is read from Airflow's context: who runs, what earlier tries have stored, what an alert is about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow_provider_osonsms._compat import NEVER_EXPIRE, AirflowFailException, Asset, Context, conf
from airflow_provider_osonsms.alerts.event import AWAITING_INPUT, DEADLINE_MISSED, AlertEvent
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


def find_due(context: Context) -> datetime | None:
    """Return since when the run may have worked; None where Airflow does not say it."""
    due = getattr(context["dag_run"], "run_after", None)
    return due if isinstance(due, datetime) else None


def add_to_asset_events(context: Context, facts: Mapping[str, Any]) -> None:
    """Let the events of the running task's ``outlets`` carry *facts*, should it succeed."""
    for outlet in context["task"].outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(facts)


def read_alert_event(context: Mapping[str, Any]) -> AlertEvent:
    """Read what has happened from the context of any callback: of a task, of a run, or of a deadline.

    A callback of a run has a ``reason``, and may have the last task instance or nothing of its run; that of a
    deadline has the run as a dict.
    """
    run = context.get("dag_run") or {}
    ti = context.get("ti")
    dag = context.get("dag")
    base_url = conf.get("api", "base_url", fallback="") or ""
    if ti is not None and "reason" not in context:
        return AlertEvent(
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            task_id=ti.task_id,
            map_index=-1 if ti.map_index is None else ti.map_index,
            try_number=ti.try_number,
            state=_read_task_state(context, ti),
            # A worker that was lost has told neither.
            moment=_read(ti, "end_date") or _read(ti, "start_date"),
            base_url=base_url,
        )
    deadline = context.get("deadline")
    state = _name_state(_read(run, "state")) or "failed"
    if "reason" in context:
        state = "success" if context["reason"] == "success" else "failed"
    return AlertEvent(
        dag_id=_read(run, "dag_id") or _read(dag, "dag_id") or "",
        run_id=_read(run, "run_id") or _read(run, "dag_run_id") or context.get("run_id") or "",
        state=DEADLINE_MISSED if deadline else state,
        moment=_read_moment(deadline["deadline_time"] if deadline else _read(run, "end_date")),
        base_url=base_url,
    )


def _read_task_state(context: Mapping[str, Any], ti: Any) -> str:
    """Return Airflow's word for the state; without one, what a lost task of this try number comes to."""
    state = _name_state(_read(ti, "state"))
    if state not in ("", "running"):
        return state
    error = context.get("exception")
    if error is None and _read(ti, "start_date") is not None:
        kinds = {kind.__name__ for kind in type(ti.task).__mro__}
        return AWAITING_INPUT if "HITLOperator" in kinds else "running"
    may_retry = ti.try_number <= (_read(ti, "max_tries") or 0)
    return "up_for_retry" if may_retry and not isinstance(error, AirflowFailException) else "failed"


def _name_state(state: Any) -> str:
    """Return Airflow's word for a state, whichever of its enums it is from; an empty text for none."""
    return str(getattr(state, "value", state) or "")


def _read(thing: Any, name: str) -> Any:
    """Return a field of an object, or of a dict; None if it has none, as a model that was never validated."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _read_moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


class _TaskStateStore:
    """The task state store of Airflow 3.3, without an expiry."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.is_lasting = not conf.getboolean("state_store", "clear_on_success", fallback=False)

    def get(self, key: str) -> Any:
        return self._store.get(key)

    def set(self, key: str, value: Any) -> None:
        self._store.set(key, value, retention=NEVER_EXPIRE)
