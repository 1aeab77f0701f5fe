"""The balance operator, run as Airflow runs it."""

import json
from decimal import Decimal

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsBalanceOperator
from airflow_provider_osonsms.simulator import Fault


def test_returns_the_balance(gateway, run_task):
    """The balance arrives as a JSON number of somoni."""
    gateway.backend.change_account("demo", balance=Decimal("6.07"))

    result = run_task(OsonSmsBalanceOperator(task_id="balance"))

    assert json.dumps(result.xcom) == '{"balance": 6.07}'


def test_fails_below_the_minimum(gateway, run_task):
    """A balance below the minimum fails, may be retried after a top-up, and names both figures."""
    gateway.backend.change_account("demo", balance=Decimal("6.07"))

    low = run_task(OsonSmsBalanceOperator(task_id="balance", min_balance="6.08", retries=1))
    enough = run_task(OsonSmsBalanceOperator(task_id="balance", min_balance=6.07))

    assert low.state == "up_for_retry"
    assert "6.07" in str(low.error)
    assert "6.08" in str(low.error)
    assert enough.state == "success"


def test_asks_again_after_a_failure(gateway, run_task):
    """Asking changes nothing, so it is repeated within the try."""
    gateway.inject(Fault.CUT_BEFORE, call="balance")

    assert run_task(OsonSmsBalanceOperator(task_id="balance")).state == "success"
    assert gateway.requests["balance"] == 2


@pytest.mark.parametrize("minimum", ["much", "nan", "inf", []])
def test_minimum_must_be_a_number(minimum):
    """A wrong minimum is refused when the DAG file is parsed."""
    with pytest.raises(ValueError, match="number of somoni"):
        OsonSmsBalanceOperator(task_id="balance", min_balance=minimum)
