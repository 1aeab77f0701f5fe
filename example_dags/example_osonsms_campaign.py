"""A personal text for everybody: preview, campaign, delivery, report.

The campaign is safe with retries, kills and *Clear*: the same customer is never texted twice in a run.
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator, OsonSmsCampaignPreviewOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

CUSTOMERS = Path(__file__).parent / "data" / "customers.csv"
FOLDER = Path(os.environ.get("EXAMPLE_OSONSMS_FOLDER", tempfile.gettempdir()))
WHO_AND_WHAT: dict[str, Any] = {
    "recipients": str(CUSTOMERS),
    "exclude": ["992900000112"],
    "message": "Салом, {name}! Мағозаи мо дар шаҳри {city} кушода шуд: тахфиф 20% то охири ҳафта!",
    "max_parts": 2,
    "max_invalid_ratio": 0.5,
}


@task(multiple_outputs=False)
def report(sent: Any, delivery: Any) -> dict[str, Any]:
    """Put together what somebody would like to read."""
    return {
        "texted": sent["outcomes"]["accepted"],
        "delivered": delivery["delivered"],
        "page": delivery["report_path"],
        "rejected": sent["rejected"],
        "parts": sent["parts"],
        "somoni": sent["cost"],
    }


with DAG(
    dag_id="example_osonsms_campaign",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 5, "retry_delay": timedelta(minutes=1)},
    tags=["osonsms", "example"],
) as dag:
    preview = OsonSmsCampaignPreviewOperator(task_id="preview", **WHO_AND_WHAT)
    campaign = OsonSmsCampaignOperator(
        task_id="campaign",
        pool="osonsms",
        max_lateness=timedelta(hours=6),
        results_path=str(FOLDER / "results-{{ run_id }}.csv"),
        **WHO_AND_WHAT,
    )
    wait = OsonSmsDeliverySensor(
        task_id="wait_for_delivery",
        messages=campaign.output,
        deferrable=True,
        poke_interval=2,
        timeout=3600,
        report_path=str(FOLDER / "delivery-{{ run_id }}.html"),
    )
    preview >> campaign
    report(campaign.output, wait.output)

if __name__ == "__main__":
    dag.test()
