"""A template that a run cannot render fails its task at once, and says what to write."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_osonsms.operators.osonsms import (
    OsonSmsBalanceOperator,
    OsonSmsBulkCreateOperator,
    OsonSmsCampaignOperator,
    OsonSmsSendOperator,
)
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

NAMES = ("ds", "ds_nodash", "ts", "ts_nodash", "logical_date", "data_interval_start", "data_interval_end")
PHONE = "992900000101"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
WHO: dict[str, Any] = {"recipients": [PHONE], "message": "Салом", "task_id": "t", "retries": 5}
MAKERS: dict[str, Callable[[str], Any]] = {
    "results_path": lambda text: OsonSmsCampaignOperator(results_path=f"/data/{text}.csv", **WHO),
    "receipt_path": lambda text: OsonSmsBulkCreateOperator(send_at=TOMORROW, receipt_path=text, **WHO),
    "txn_id": lambda text: OsonSmsSendOperator(
        task_id="t", retries=5, phone=PHONE, message="Салом", txn_id=text
    ),
    "report_path": lambda text: OsonSmsDeliverySensor(
        task_id="t", retries=5, messages="1", report_path=f"/data/{text}"
    ),
    "osonsms_conn_id": lambda text: OsonSmsBalanceOperator(task_id="t", retries=5, osonsms_conn_id=text),
}


@pytest.mark.parametrize("field", MAKERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_date_that_a_run_does_not_have(
    field: str, name: str, gateway: Any, run_task: Callable[..., Any]
) -> None:
    """The task fails without a retry, sends nothing, and is told of run_id and run_after."""
    result = run_task(MAKERS[field](f"{{{{ {name} }}}}"), has_date=False)

    assert result.state == "failed"
    assert f"the template in {field} cannot" in str(result.error)
    assert f"'{name}' is undefined" in str(result.error)
    assert "use run_id, or dag_run.run_after" in str(result.error)
    assert not gateway.sent
    assert not gateway.bulks
