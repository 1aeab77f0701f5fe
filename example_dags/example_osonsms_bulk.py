"""Every Monday at nine in Dushanbe: choose customers with pandas, and let the gateway text them at ten.

The audience travels as a file whose path is in XCom, so no phone number is stored in Airflow. On several
workers the folder must be one that all of them see.
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_osonsms.operators.osonsms import OsonSmsBulkCreateOperator

CUSTOMERS = Path(__file__).parent / "data" / "customers.csv"
AUDIENCES = Path(os.environ.get("EXAMPLE_OSONSMS_FOLDER", tempfile.gettempdir()))


@task.short_circuit
def is_in_time(dag_run: Any = None) -> bool:
    """Skip a late run, such as the one that unpausing this DAG starts: nobody hears of last Monday's sale."""
    return bool(pendulum.now() < dag_run.run_after + timedelta(hours=1))


@task
def select_customers(run_id: str) -> str:
    """Write the customers who agreed to be texted to a file, and return its path."""
    import pandas as pd

    customers = pd.read_csv(CUSTOMERS, dtype=str)  # dtype=str: numbers lose digits and leading zeros
    audience = customers[(customers["consent"] == "yes") & (customers["language"] == "tg")]
    path = AUDIENCES / f"audience-{run_id}.csv"
    audience.to_csv(path, index=False)
    return str(path)


with DAG(
    dag_id="example_osonsms_bulk",
    schedule="0 9 * * MON",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["osonsms", "example"],
) as dag:
    create = OsonSmsBulkCreateOperator(
        task_id="create_bulk_job",
        pool="osonsms",
        recipients="{{ ti.xcom_pull(task_ids='select_customers') }}",
        message="Танҳо имрӯз: тахфиф 20% ба ҳамаи молҳо!",
        send_at="{{ (dag_run.run_after + macros.timedelta(hours=1)).isoformat() }}",
        max_parts=1,
    )

    is_in_time() >> select_customers(run_id="{{ run_id }}") >> create

if __name__ == "__main__":
    dag.test()
