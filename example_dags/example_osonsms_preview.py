"""Before a campaign: whom it would text, whom not and why, in how many parts and at what cost.

Nothing is sent. The preview is a small dict: a later task decides by it, and its ``markdown`` is for people.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignPreviewOperator

CUSTOMERS = Path(__file__).parent / "data" / "customers.csv"
REJECTS = Path(os.environ.get("EXAMPLE_OSONSMS_FOLDER", tempfile.gettempdir())) / "rejects-{{ run_id }}.csv"


@task.short_circuit
def is_affordable(preview: Any) -> bool:
    """Go on only if the balance suffices; without a price in the Connection nobody knows."""
    return preview["balance_after"] is None or preview["balance_after"] >= 0


with DAG(
    dag_id="example_osonsms_preview",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    tags=["osonsms", "example"],
) as dag:
    preview = OsonSmsCampaignPreviewOperator(
        task_id="preview",
        recipients=str(CUSTOMERS),
        exclude=["992900000112"],
        message="Салом, {name}! Мағозаи мо дар шаҳри {city} кушода шуд: тахфиф 20% то охири ҳафта!",
        max_parts=2,
        max_invalid_ratio=0.5,
        max_recipients=10_000,
        rejects_path=str(REJECTS),
    )

    is_affordable(preview.output)

if __name__ == "__main__":
    dag.test()
