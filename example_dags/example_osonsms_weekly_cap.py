"""Two advertisements to overlapping audiences, of which each person gets one in a week.

The cap holds over all DAGs, workers and installations that use the same category and the same key_namespace,
because all of them make the same transaction id for a person and a week, and the gateway takes it once. An
order's message has no category, and is not touched.
"""

import os
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator, OsonSmsSendOperator

RESULTS = Path(os.environ.get("EXAMPLE_OSONSMS_FOLDER", "/data")) / "weekly"

with DAG(
    dag_id="example_osonsms_weekly_cap",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    default_args={"retries": 5, "retry_delay": timedelta(minutes=1)},
    tags=["osonsms", "example"],
) as dag:
    discount = OsonSmsCampaignOperator(
        task_id="discount",
        recipients=["992900000501", "992900000502", "992900000503"],
        message="Танҳо имрӯз: тахфиф 20%!",
        once_per="week",
        category="marketing",
        results_path=str(RESULTS / "discount-{{ run_id }}.csv"),
        on_empty="success",
    )
    new_books = OsonSmsCampaignOperator(
        task_id="new_books",
        recipients=["992900000502", "992900000503", "992900000504"],
        message="Китобҳои нав омаданд!",
        once_per="week",
        category="marketing",
        results_path=str(RESULTS / "new-books-{{ run_id }}.csv"),
        on_empty="success",
    )
    order = OsonSmsSendOperator(task_id="order", phone="992900000502", message="Фармоиши шумо омода аст.")

    discount >> new_books >> order

if __name__ == "__main__":
    dag.test()
