"""Text whoever is on call when a DAG fails, at most once in ten minutes, and a manager when it is done.

Run it with ``{"is_broken": true}`` to see it fail.
"""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_osonsms.notifications.osonsms import OsonSmsNotifier

text_on_call = OsonSmsNotifier(phones="{{ params.on_call }}")
text_manager = OsonSmsNotifier(
    phones="{{ params.manager }}",
    message="Ҳисобот омода аст: {{ alert.dag_id }}, {{ alert.run_id }}",
    transliterate=True,
    dedupe_by="dag_run",
)

with DAG(
    dag_id="example_osonsms_alerts",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    default_args={"on_failure_callback": text_on_call, "retries": 1, "retry_delay": timedelta(seconds=1)},
    params={"on_call": "992900000101, 992900000102", "manager": "992900000103", "is_broken": False},
    tags=["osonsms", "example"],
) as dag:

    @task
    def load(params: dict[str, Any] | None = None) -> None:
        """Load the data of the day."""
        if params and params["is_broken"]:
            raise ValueError("the source is gone")

    @task(on_success_callback=text_manager)
    def write_report() -> None:
        """Write the report of the day."""

    load() >> write_report()

if __name__ == "__main__":
    dag.test()
