"""At most 500 somoni a month for all campaigns of this folder, and 20 somoni for this one.

A campaign that would go over the budget sends nothing. What was spent stands in the tables that the campaigns
leave in the folder. Make the folder once by hand in production: a disk that is missing must not read as a
month in which nothing was spent.
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator

CUSTOMERS = Path(__file__).parent / "data" / "customers.csv"
BUDGET = Path(os.environ.get("EXAMPLE_OSONSMS_FOLDER", tempfile.gettempdir())) / "sms-budget"


@task
def make_folder() -> None:
    """Make the folder of the budget, so that the example runs anywhere."""
    BUDGET.mkdir(exist_ok=True)


with DAG(
    dag_id="example_osonsms_budget",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 5, "retry_delay": timedelta(minutes=1)},
    tags=["osonsms", "example"],
) as dag:
    campaign = OsonSmsCampaignOperator(
        task_id="campaign",
        pool="osonsms",
        recipients=str(CUSTOMERS),
        message="Салом, {name}! Мағозаи мо дар шаҳри {city} кушода шуд: тахфиф 20% то охири ҳафта!",
        max_parts=2,
        max_cost=20,
        budget="500/month",
        budget_path=str(BUDGET),
        results_path=str(BUDGET / "results-{{ run_id }}.csv"),
    )

    make_folder() >> campaign

if __name__ == "__main__":
    dag.test()
