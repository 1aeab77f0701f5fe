"""The code of the README, of the docs and of the example DAGs runs."""

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from airflow import sdk

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
TEXT = "".join((ROOT / name).read_text(encoding="utf-8") for name in PAGES)
BLOCKS = [dedent(block) for block in re.findall(r"```python[^\n]*\n(.*?)```", TEXT, re.DOTALL)]
SNIPPETS = [block for block in BLOCKS if "with DAG" in block]
EXAMPLES = sorted((ROOT / "example_dags").glob("*.py"))
DEBTORS = "phone,name,amount,invoice,due\n992900000101,Зарина,120.50,A-1,2026-11-30\n"
NAMES_OF_DATES = re.compile(
    r"\b(ds|ds_nodash|ts|ts_nodash|ts_nodash_with_tz|logical_date|execution_date|data_interval_\w+|prev_\w+_success)\b"
)


def place_files(folder: Path) -> None:
    """Put the files of the snippets where they read them."""
    for name in ("debtors.csv", "customers.csv", "orders.csv"):
        (folder / name).write_text(DEBTORS, encoding="utf-8")
    (folder / "reports").mkdir()
    (folder / "unsubscribed.csv").write_text("phone\n992900000202\n", encoding="utf-8")


def read_snippet(code: str, folder: Path) -> Any:
    """Return the DAG of a snippet whose folders are in *folder*, and whose Parquet files are CSV files.

    A CSV file has dates as texts, so these come without a format.
    """
    import pendulum

    today = pendulum.now("UTC").strftime("%Y-%m-%d")
    place_files(folder)
    (folder / "invoices").mkdir()
    (folder / "invoices" / f"{today}.csv").write_text(DEBTORS, encoding="utf-8")
    names: dict[str, Any] = {}
    moved = code.replace('"/data/', f'"{folder}/').replace("s3://dwh", str(folder))
    moved = moved.replace(".parquet", ".csv").replace("{due:%d.%m}", "{due}")
    exec(moved, names)  # noqa: S102
    return names["dag"]


def run_dag(dag: Any, run_task: Callable[..., Any], **mapped: Any) -> dict[str, str]:
    """Run the tasks of *dag* one after the other in a run without a date, and return their states.

    Args:
        dag: The DAG.
        run_task: The fixture.
        **mapped: The values of the only instance of a mapped task.
    """
    states = {}
    for task in dag.topological_sort():
        operator = task.unmap(mapped) if task.is_mapped else task
        # the tests have no triggerer, and run at night too
        for name, value in {"deferrable": False, "send_window": None}.items():
            if hasattr(operator, name):
                setattr(operator, name, value)
        index = 0 if task.is_mapped else -1
        result = run_task(operator, run_id="manual__x", map_index=index, has_date=False)
        states[task.task_id] = result.state
    return states


@pytest.fixture
def priced(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the Connection a price, which some snippets need."""
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(price_per_part="0.10"))


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer the snippet that asks a database."""
    module = ModuleType("airflow.providers.postgres.hooks.postgres")

    class PostgresHook:
        def __init__(self, conn_id: str) -> None:
            self.conn_id = conn_id

        def get_df(self, _: str) -> Any:
            import pandas as pd

            return pd.DataFrame({"phone": ["992900000101"], "name": ["Зарина"], "amount": [120.5]})

    module.PostgresHook = PostgresHook  # type: ignore[attr-defined]
    for name in ("airflow.providers.postgres", "airflow.providers.postgres.hooks"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize("code", SNIPPETS, ids=lambda code: re.search(r'dag_id="(\w+)"', code)[1])
@pytest.mark.usefixtures("priced", "no_database")
def test_snippets_run_without_a_date(code: str, run_task: Callable[..., Any], tmp_path: Path) -> None:
    """Each DAG runs to its end in a run that was triggered: such a run has no logical date."""
    if "DeadlineAlert" in code and not hasattr(sdk, "DeadlineAlert"):
        pytest.skip("deadlines came with Airflow 3.2")
    states = run_dag(read_snippet(code, tmp_path), run_task)

    assert states
    assert set(states.values()) <= {"success", "skipped"}
    assert next(iter(states.values())) == "success"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.usefixtures("priced")
def test_examples_run_without_a_date(
    path: Path, run_task: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example runs to its end in such a run."""
    (tmp_path / "part.csv").write_text(DEBTORS, encoding="utf-8")
    monkeypatch.setenv("EXAMPLE_OSONSMS_FOLDER", str(tmp_path))
    monkeypatch.setenv("EXAMPLE_OSONSMS_PARTS", str(tmp_path))
    dag = runpy.run_path(str(path))["dag"]

    states = run_dag(dag, run_task, recipients=str(tmp_path / "part.csv"))

    assert set(states.values()) == {"success"}


def test_no_template_names_a_date() -> None:
    """No page, example or error text recommends what a triggered run does not have."""
    files = [
        *EXAMPLES,
        *(ROOT / "airflow_provider_osonsms").rglob("*.py"),
        *(ROOT / "tests/e2e").rglob("*.py"),
    ]
    texts = [TEXT, *(path.read_text(encoding="utf-8") for path in files)]
    templates = [part for text in texts for part in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text)]

    assert len(templates) > 30
    assert [part for part in templates if NAMES_OF_DATES.search(part)] == [
        "{{ ds }}"
    ]  # design.md warns of it


@pytest.mark.parametrize("code", [block for block in BLOCKS if "hook = OsonSmsHook(" in block])
def test_hook_code_runs(code: str, gateway: Any) -> None:
    """The README's code for the hook sends one message to the gateway."""
    exec(code, {})  # noqa: S102

    assert [sms.text for sms in gateway.sent] == ["Салом!"]
