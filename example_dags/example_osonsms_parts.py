"""One campaign over the parts of a large audience, a task for each part, on as many workers as there are.

The keys do not depend on the parts: an audience that is split otherwise, in a retry or in another run of the
same ``campaign_id``, texts nobody twice.
"""

import os
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator

FOLDER = Path(os.environ.get("EXAMPLE_OSONSMS_PARTS", "/data/audience"))
"""Parquet files (or CSV files) with the columns phone and name, such as Spark leaves behind."""


@task
def list_parts() -> list[str]:
    """List the parts; paths only, no personal data."""
    return sorted(str(path) for suffix in ("parquet", "csv") for path in FOLDER.glob(f"*.{suffix}"))


with DAG(
    dag_id="example_osonsms_parts",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 5, "retry_delay": timedelta(minutes=1)},
    tags=["osonsms", "example"],
) as dag:
    OsonSmsCampaignOperator.partial(
        task_id="campaign",
        pool="osonsms",  # with one slot the parts go one by one; a pool with more sends them side by side
        campaign_id="new-year-{{ dag_run.run_after.year }}",
        message="Соли нав муборак, {name}!",
        results_path=str(FOLDER / "results" / "{{ run_id }}-{{ ti.map_index }}.csv"),
    ).expand(recipients=list_parts())

if __name__ == "__main__":
    dag.test()
