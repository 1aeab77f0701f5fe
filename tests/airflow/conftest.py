"""Run tasks through Airflow's real task runner, without a database."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_osonsms.bulk import files as bulk_csv
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.errors import RequestNotSentError
from airflow_provider_osonsms.simulator import SimulatedGateway
from airflow_provider_osonsms.triggers import delivery as triggers


class FakeSupervisor:
    """Answers the few messages that a provider sends, and keeps state over tries as the API server does."""

    def __init__(self, ear: Any) -> None:
        self.task: tuple[Any, ...] = ()
        self._stores: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.xcom: dict[str, Any] = {}
        self.returned: dict[str, Any] = {}
        self.reschedule_start: datetime | None = None
        self._ear = ear

    @property
    def store(self) -> dict[str, Any]:
        """The state store of the last task that has run: each task of each run has its own."""
        return self._stores.setdefault(self.task, {})

    def send(self, msg: Any) -> Any:
        """Answer *msg*."""
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time import comms

        kind = type(msg).__name__
        if kind != "MaskSecret":  # tells the supervisor what to hide
            self._ear.hear("to the supervisor", msg)
        answer = None
        if kind == "GetTaskStateStore":
            answer = comms.ErrorResponse(error=ErrorType.TASK_STORE_NOT_FOUND)
            if msg.key in self.store:
                answer = comms.TaskStateStoreResult(value=self.store[msg.key])
        elif kind == "SetTaskStateStore":
            self.store[msg.key] = json.loads(json.dumps(msg.value))
        elif kind in ("SetXCom", "GetXCom", "GetXComSequenceSlice"):
            answer = self._exchange(msg, kind)
        elif kind == "GetTaskRescheduleStartDate":
            answer = comms.TaskRescheduleStartDate(start_date=self.reschedule_start)
        elif kind == "ValidateInletsAndOutlets":
            answer = comms.InactiveAssetsResult(inactive_assets=[])
        elif kind == "GetConnection":
            answer = comms.ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
        return answer

    def _exchange(self, msg: Any, kind: str) -> Any:
        """Keep what a task returns, and give it to the tasks behind it."""
        from airflow.sdk.execution_time import comms

        if kind == "GetXCom":
            return comms.XComResult(key=msg.key, value=self.returned.get(msg.task_id))
        if kind == "GetXComSequenceSlice":
            known = [self.returned[msg.task_id]] if msg.task_id in self.returned else []
            return comms.XComSequenceSliceResult(root=known)
        self.xcom[msg.key] = msg.value
        if msg.key == "return_value":
            self.returned[msg.task_id] = msg.value
        return None

    async def asend(self, msg: Any) -> Any:
        """Answer *msg*."""
        return self.send(msg)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch, ear: Any) -> FakeSupervisor:
    """Stand in for the process that supervises a task."""
    from airflow.sdk.execution_time import task_runner

    fake = FakeSupervisor(ear)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", fake, raising=False)
    return fake


@pytest.fixture
def output_of() -> Callable[[Any], Any]:
    """Make the output of another task, which Airflow resolves and does not render."""

    class Output:
        def __init__(self, value: Any) -> None:
            self._value = value

        def resolve(self, *_: Any) -> Any:
            return self._value

    return Output


@pytest.fixture
def has_state_store() -> bool:
    """Whether this Airflow remembers something from try to try (3.3)."""
    from importlib.metadata import version

    return tuple(map(int, version("apache-airflow-core").split(".")[:2])) >= (3, 3)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a flow's second and third attempt, and a trigger's first look, follow at once."""
    monkeypatch.setattr(flows, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(triggers, "FIRST_POLL_AFTER", 0.01)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedGateway]:
    """A fresh gateway behind the default Connection, with fast delivery."""
    with SimulatedGateway(enroute_seconds=0, accepted_seconds=0) as gateway:
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(timeout=1))
        yield gateway


@pytest.fixture
def run_task(supervisor: FakeSupervisor, ear: Any) -> Callable[..., SimpleNamespace]:
    """Run an operator as one try of a task; the result holds state, msg, error, xcom and rendered fields."""
    import structlog
    from airflow.sdk.execution_time import task_runner

    def run(operator: Any, **options: Any) -> SimpleNamespace:
        ti = _make_task_instance(operator, supervisor, **options)
        context = ti.get_template_context()
        state, msg, error = task_runner.run(ti, context, structlog.get_logger("task"))
        if error is not None:
            ear.hear_error("task", error)
        return SimpleNamespace(
            state=state.value, msg=msg, error=error, ti=ti, xcom=supervisor.xcom.get("return_value")
        )

    return run


def _make_task_instance(
    operator: Any,
    supervisor: FakeSupervisor,
    *,
    try_number: int = 1,
    map_index: int = -1,
    run_id: str = "run-1",
    next_event: Any = None,
    next_method: str = "execute_complete",
    reschedules: int = 0,
    max_tries: int | None = None,
    has_date: bool = True,
    due: datetime | None = None,
) -> Any:
    from airflow.sdk import DAG
    from airflow.sdk.api.datamodels import _generated as generated
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    if not operator.has_dag():
        operator.dag = DAG("unit", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    supervisor.task = (operator.dag_id, run_id, operator.task_id, map_index)
    if next_event is None:
        supervisor.xcom.clear()
    fields = {
        "dag_run": _make_dag_run(operator.dag_id, run_id, generated, has_date=has_date, due=due),
        "max_tries": operator.retries,
        "should_retry": try_number <= operator.retries,
        "task_reschedule_count": reschedules,
        "next_method": None if next_event is None else next_method,
        "next_kwargs": None if next_event is None else _encode({"event": next_event}),
        "xcom_keys_to_clear": [],
    }
    known = generated.TIRunContext.model_fields
    return RuntimeTaskInstance.model_construct(
        id=_make_id(),
        task_id=operator.task_id,
        dag_id=operator.dag_id,
        run_id=run_id,
        try_number=try_number,
        map_index=map_index,
        dag_version_id=_make_id(),
        task=operator,
        max_tries=operator.retries if max_tries is None else max_tries,
        start_date=datetime.now(UTC),
        hostname=None,
        context_carrier=None,
        _ti_context_from_server=generated.TIRunContext.model_construct(
            **{name: value for name, value in fields.items() if name in known}
        ),
    )


def _make_id() -> uuid.UUID:
    """Make an id without twelve digits in a row, which the ear would take for a phone."""
    return uuid.UUID(f"{uuid.uuid4().hex[:-1]}a")


def _make_dag_run(dag_id: str, run_id: str, generated: Any, *, has_date: bool, due: datetime | None) -> Any:
    """Make a run; without a date as that of ``airflow dags trigger``, of REST or of an asset."""
    now = due or datetime.now(UTC)
    date = now if has_date else None
    fields = {
        "dag_id": dag_id,
        "run_id": run_id,
        "logical_date": date,
        "data_interval_start": date,
        "data_interval_end": date,
        "run_after": now,
        "start_date": now,
        "end_date": None,
        "run_type": "manual",
        "state": "running",
        "consumed_asset_events": [],
        "partition_key": None,
        "clear_number": 0,
        "conf": None,
    }
    known = generated.DagRun.model_fields
    return generated.DagRun.model_validate({name: value for name, value in fields.items() if name in known})


def _encode(kwargs: dict[str, Any]) -> Any:
    """Encode what the API server hands to a resumed task."""
    try:
        from airflow.sdk.serde import serialize
    except ImportError:  # Airflow below 3.2
        from airflow.serialization.serialized_objects import BaseSerialization

        serialize = BaseSerialization.serialize
    return serialize(kwargs)


@pytest.fixture
def texted(gateway: SimulatedGateway) -> Callable[[], list[str]]:
    """Return everybody whom the gateway was asked to text, as often as it was asked."""

    def list_texted() -> list[str]:
        jobs = [phone for job in gateway.bulks for phone in job.phones]
        return sorted([*(sms.phone for sms in gateway.sent), *jobs])

    return list_texted


@pytest.fixture
def fail_second_job(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Any]:
    """Run something in which no connection comes about for the second bulk job; a job has two phones."""
    split, create = bulk_csv.split_into_files, OsonSmsClient.create_bulk
    monkeypatch.setattr(bulk_csv, "split_into_files", partial(split, max_bytes=2 * 13))

    def fail_second_job(run: Callable[[], Any]) -> Any:
        calls = []

        def fail_the_second(self: Any, job: Any, **options: Any) -> Any:
            calls.append(job.txn_id)
            if len(calls) == 2:
                raise RequestNotSentError("bulk: no connection")
            return create(self, job, **options)

        with monkeypatch.context() as patch:
            patch.setattr(OsonSmsClient, "create_bulk", fail_the_second)
            return run()

    return fail_second_job


@pytest.fixture(params=["campaign", "bulk", "preview"])
def make_audience_task(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Make an operator of each kind that has an audience."""
    from airflow_provider_osonsms.operators import osonsms

    kinds = {
        "campaign": (osonsms.OsonSmsCampaignOperator, {}),
        "bulk": (osonsms.OsonSmsBulkCreateOperator, {"send_at": datetime.now(UTC) + timedelta(days=1)}),
        "preview": (osonsms.OsonSmsCampaignPreviewOperator, {}),
    }
    operator, options = kinds[request.param]

    def make(**fields: Any) -> Any:
        return operator(**{"task_id": request.param, "message": "Салом!", "retries": 5, **options, **fields})

    return make


@pytest.fixture
def in_dag():
    """Make what a function makes within a DAG; templates are rendered natively if that is asked for."""
    from airflow.sdk import DAG

    def make(build: Any, **options: Any) -> Any:
        with DAG("unit", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), **options):
            return build()

    return make
