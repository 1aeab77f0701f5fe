"""Run a task to its end, with what Airflow calls then."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

PHONE = "992900000001"
OTHER_PHONE = "992900000002"


@pytest.fixture
def make_notifier() -> Callable[..., Any]:
    """Make a notifier that texts one phone."""
    from airflow_provider_osonsms.notifications.osonsms import OsonSmsNotifier

    def make(**options: Any) -> OsonSmsNotifier:
        return OsonSmsNotifier(**{"phones": PHONE, **options})

    return make


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return what the notifier has written to the log."""
    caplog.set_level(logging.INFO)

    def join_lines() -> str:
        ours = [one for one in caplog.records if "osonsms" in one.name]
        assert not any(one.exc_info for one in ours)
        return "\n".join(one.getMessage() for one in ours)

    return join_lines


@pytest.fixture
def run_to_end(run_task: Callable[..., SimpleNamespace]) -> Callable[..., SimpleNamespace]:
    """Run one try of a task whose function does as it is told, and then its callbacks.

    The result can run the callbacks again, also as if the task had ended later.
    """
    import structlog
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG
    from airflow.sdk.execution_time import task_runner

    def run(error: Exception | None = None, *, dag_id: str = "unit", **options: Any) -> SimpleNamespace:
        def work() -> None:
            if error is not None:
                raise error

        names = ("try_number", "run_id", "map_index")
        operator = PythonOperator(
            task_id=options.pop("task_id", "load"),
            python_callable=work,
            dag=DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)),
            **{name: value for name, value in options.items() if name not in names},
        )
        result = run_task(operator, **{name: options[name] for name in names if name in options})

        def run_callbacks(*, later: timedelta = timedelta()) -> None:
            result.ti.end_date = (ended or result.ti.start_date) + later
            context = result.ti.get_template_context()
            context["exception"] = result.error
            log = structlog.get_logger("task")
            state = task_runner.TaskInstanceState(result.state)
            task_runner.finalize(result.ti, state, context, log, result.error)

        ended = result.ti.end_date
        run_callbacks()
        result.run_callbacks = run_callbacks
        return result

    return run
