"""An alert from the callbacks of DAGs, deadlines, lost workers and approvals, whose contexts hold less."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

MOMENT = datetime(2026, 11, 23, 4, 9, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _base_url(monkeypatch):
    """An Airflow that a browser finds."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://air.tj/")


@pytest.fixture
def make_dag():
    """Make a DAG with one task."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    def make(dag_id="unit", **options):
        dag = DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), **options)
        EmptyOperator(task_id="load", dag=dag)
        return dag

    return make


@pytest.fixture
def lost_task(make_dag):
    """Make the context in which the DAG processor calls the callbacks of a task whose worker was lost."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    def make(run_id="run-1", try_number=1, max_tries=1):
        dag = make_dag()
        ti = RuntimeTaskInstance.model_construct(
            task_id="load",
            dag_id="unit",
            run_id=run_id,
            try_number=try_number,
            map_index=-1,
            task=dag.get_task("load"),
            max_tries=max_tries,
        )
        return {"dag": dag, "ti": ti, "run_id": run_id, "dag_run": None}

    return make


@pytest.fixture
def make_approval():
    """Make a task that waits for a person, where Airflow has such tasks."""
    try:
        from airflow.providers.standard.operators.hitl import ApprovalOperator
    except Exception as error:  # noqa: BLE001  # Airflow 3.0 raises an exception of its own
        pytest.skip(f"this Airflow has no approvals ({type(error).__name__})")
    return lambda **options: ApprovalOperator(task_id="approve", subject="Send?", **options)


def make_deadline_context(minutes=0, run_id="run-1"):
    """Make the context of a deadline: the run is a dict of JSON, and there is no task and no DAG."""
    moment = (MOMENT + timedelta(minutes=minutes)).isoformat()
    run = {"dag_id": "unit", "dag_run_id": run_id, "state": "running", "end_date": None}
    return {"dag_run": run, "deadline": {"id": "0199", "deadline_time": moment}}


@pytest.mark.parametrize(
    ("reason", "has_run", "said"),
    [
        ("task_failure", True, "unit failed, run-1 https://air.tj/dags/unit/runs/run-1"),
        ("success", True, "unit succeeded, run-1 https://air.tj/dags/unit/runs/run-1"),
        ("timed_out", False, "unit failed, run-1 https://air.tj/dags/unit/runs/run-1"),
    ],
)
def test_callback_of_a_dag(gateway, make_notifier, make_dag, *, reason, has_run, said):
    """The callback of a run texts about the run, also when Airflow has lost its last task, and once."""
    context = {"dag": make_dag(), "run_id": "run-1", "reason": reason}
    if has_run:
        run = SimpleNamespace(dag_id="unit", run_id="run-1", state="failed", end_date=MOMENT)
        context |= {"dag_run": run, "ti": SimpleNamespace(task_id="load", end_date=datetime.now(UTC))}
    for _ in range(2):
        make_notifier()(context)

    assert [sms.text for sms in gateway.sent] == [said]


def test_task_and_dag_that_fail_together(gateway, make_notifier, make_dag, run_to_end):
    """The callbacks of a task and of its DAG are one SMS for the DAG, and two for the task and its run."""
    run_to_end(ValueError("x"), on_failure_callback=[make_notifier(window=7 * 86400)])
    run = SimpleNamespace(dag_id="unit", run_id="run-1", state="failed", end_date=datetime.now(UTC))
    context = {"dag": make_dag(), "run_id": "run-1", "reason": "task_failure", "dag_run": run}

    make_notifier(window=7 * 86400)(context)

    assert [sms.text.split(",")[0] for sms in gateway.sent] == ["unit.load failed"]


def test_lost_workers(gateway, make_notifier, lost_task, monkeypatch):
    """A node that dies with many tasks is told once in a window: that in which the callbacks run."""
    notifier = make_notifier()
    for minute in (1, 2, 9, 11):
        monkeypatch.setattr(notifier, "_clock", lambda minute=minute: MOMENT.replace(minute=minute))
        for run in range(5):
            notifier(lost_task(run_id=f"run-{run}", try_number=2))

    assert [sms.text.split(",")[0] for sms in gateway.sent] == ["unit.load failed"] * 2


@pytest.mark.parametrize("is_async", [False, True], ids=["SyncCallback", "AsyncCallback"])
def test_deadline(gateway, make_notifier, is_async):
    """A deadline's callback texts about the run, synchronously or not, once in a window for all runs."""
    for minutes, run_id in ((0, "run-1"), (0, "run-2"), (0.1, "run-3")):
        context = make_deadline_context(minutes, run_id)
        notifier = make_notifier(message="{{ alert.dag_id }} {{ dag_run.dag_run_id }} late", context=context)
        asyncio.run(notifier.async_notify(context)) if is_async else notifier(context)

    assert [sms.text for sms in gateway.sent] == [
        "unit run-1 late",
        "unit run-3 late",
    ]  # 09:10 is between them


def test_deadline_as_airflow_awaits_it(gateway, make_notifier):
    """A notifier that has its context is awaited, with the default text."""

    async def await_it():
        await make_notifier(context=make_deadline_context())

    asyncio.run(await_it())

    (sms,) = gateway.sent
    assert sms.text == "unit missed its deadline, run-1 https://air.tj/dags/unit/runs/run-1"


def test_deadline_knows_no_task(gateway, make_notifier, said):
    """A template that asks a deadline for its task is replaced by the default text."""
    make_notifier(message="{{ ti.task_id }} is late")(make_deadline_context())
    make_notifier(message="{{ who }} is late", dedupe_by="dag_run")(make_deadline_context())

    assert all(sms.text.startswith("unit missed its deadline") for sms in gateway.sent)
    assert said().count("the default text is sent") == 2


def test_approval(gateway, make_notifier, run_task, make_approval):
    """An approval asks by SMS, and a task that waits is no problem of its DAG."""
    run_task(make_approval(notifiers=[make_notifier()]))

    assert [sms.text.split(",")[0] for sms in gateway.sent] == ["unit.approve waits for an answer"]


def test_broken_notifier_fails_no_approval(make_notifier, run_task, make_approval, said):
    """What goes wrong in the notifier of an approval leaves the approval waiting."""
    result = run_task(make_approval(notifiers=make_notifier(osonsms_conn_id="nowhere")))

    assert result.state in ("awaiting_input", "deferred")
    assert "Connection 'nowhere' is not defined" in said()


def test_dag_that_renders_natively(gateway, make_notifier, make_dag):
    """A message of digits is a text, also in a DAG that renders to native objects."""
    context = {"dag": make_dag(render_template_as_native_obj=True), "run_id": "12_34", "reason": "x"}
    make_notifier(message="{{ run_id }}")(context)

    assert [sms.text for sms in gateway.sent] == ["12_34"]
