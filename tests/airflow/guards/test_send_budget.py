"""A single send in a budget: what it may have spent is never forgotten, neither by itself nor by others."""

import csv
from functools import partial

import pytest
from airflow.sdk import DAG

from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.simulator import Fault

CAP = {"once_per": "month", "category": "marketing"}


@pytest.fixture
def make(make_task, budget_folder):
    """Make a send, of a DAG of its own, that reads and feeds the budget."""

    def make(dag_id="unit", **options):
        options = {"budget": "10/day", "budget_path": str(budget_folder), **options}
        task = make_task("send", **options)
        task.dag = DAG(dag_id, schedule=None)
        return task

    return make


def read_outcomes(folder):
    """Return the outcomes that the tables of a budget hold."""
    rows = [row for path in folder.glob("*.csv") for row in csv.DictReader(path.read_text().splitlines())]
    return sorted(row["outcome"] for row in rows)


def test_a_refusal_after_a_lost_answer(gateway, run_task, make, *, texted, budget_folder, monkeypatch):
    """The message of the lost answer was sent and paid, although the next attempt is refused for good."""
    gateway.inject(Fault.CUT_AFTER)
    block = partial(gateway.backend.change_account, "demo")
    with monkeypatch.context() as patch:
        patch.setattr(flows, "back_off", lambda _attempt: block(is_blocked=True) or 0.0)
        refused = run_task(make())
    block(is_blocked=False)

    assert (refused.state, len(texted())) == ("failed", 1)
    assert read_outcomes(budget_folder) == ["uncertain"]
    assert run_task(make("other", budget="0.10/day")).state == "failed"
    assert len(texted()) == 1


def test_a_budget_that_is_newer_than_the_lost_answer(gateway, run_task, make, *, texted, budget_folder):
    """A try that sends nothing does not say so of the tries before it, of which there is no table."""
    gateway.inject(Fault.CUT_AFTER)
    gateway.inject(Fault.CUT_BEFORE, times=2)
    assert run_task(make(budget=None, budget_path=None)).state == "up_for_retry"
    assert len(texted()) == 1

    gateway.inject(Fault.TOO_MANY_REQUESTS, times=3)
    assert run_task(make(), try_number=2).state == "up_for_retry"

    assert read_outcomes(budget_folder) == ["uncertain"]


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.UNAVAILABLE_AFTER])
def test_a_capped_send_takes_nothing_off_what_another_has_spent(
    gateway, run_task, make, *, texted, budget_folder, fault
):
    """Tasks under one cap have one txn_id, and a table each: capped costs nothing, a lost answer counts."""
    gateway.inject(fault)
    gateway.inject(Fault.CUT_BEFORE, times=2)
    assert run_task(make("first", **CAP)).state == "up_for_retry"
    assert len(texted()) == 1

    assert run_task(make("second", **CAP)).state == "skipped"

    assert read_outcomes(budget_folder) == ["capped", "uncertain"]
    assert len(texted()) == 1


@pytest.mark.parametrize("options", [{}, {"txn_id": "invoice-1"}, CAP], ids=["task", "own key", "cap"])
def test_the_table_remembers_what_no_store_does(gateway, run_task, make, *, texted, supervisor, options):
    """Below Airflow 3.3 a later try finds the receipt in the folder of the budget, and asks nobody."""
    first = run_task(make(**options))
    supervisor.store.clear()
    asked = dict(gateway.requests)

    again = run_task(make(**options, require_balance=True, max_cost=0), try_number=2)

    assert (again.state, again.xcom) == ("success", first.xcom), again.error
    assert first.xcom["msg_id"] is not None
    assert (len(texted()), dict(gateway.requests)) == (1, asked)
