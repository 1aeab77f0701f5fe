"""A bulk job that is made when the data is ready, and never goes out at night, on Sundays and holidays.

The gateway sends it, and nobody can cancel it: so its time is moved before it is created, to nine o'clock of
the next day that is allowed. A retry moves it to the same time.
"""

from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG

from airflow_provider_osonsms.operators.osonsms import OsonSmsBulkCreateOperator

CUSTOMERS = Path(__file__).parent / "data" / "customers.csv"

with DAG(
    dag_id="example_osonsms_bulk_daytime",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["osonsms", "example"],
) as dag:
    OsonSmsBulkCreateOperator(
        task_id="create_bulk_job",
        pool="osonsms",
        recipients=str(CUSTOMERS),
        message="Аз имрӯз: тахфиф 20% ба ҳамаи молҳо!",
        send_at="{{ (dag_run.run_after + macros.timedelta(hours=1)).isoformat() }}",
        send_window="09:00-20:00",
        send_days="mon-sat",
        except_dates=["2026-12-31", "2027-01-01", "2027-03-08", "2027-03-21"],
        outside_window="move",
        max_recipients=10_000,
        max_parts=1,
    )

if __name__ == "__main__":
    dag.test()
