"""Telegram first, and an SMS to whom it could not reach.

Each channel has keys of its own, so no retry of either campaign texts anybody twice over one channel. A
message that is still on its way after ten minutes may arrive: its recipient gets no SMS, unless the wait has
``include_unknown=True``. On the simulated gateway, numbers that end in 93 are not reached.
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

ORDERS = Path(__file__).parent / "data" / "orders.csv"
FOLDER = Path(os.environ.get("EXAMPLE_OSONSMS_FOLDER", tempfile.gettempdir())) / "telegram-first"
UNDELIVERED = str(FOLDER / "undelivered-{{ run_id }}.csv")
WHO_AND_WHAT: dict[str, Any] = {
    "recipients": str(ORDERS),
    "key_column": "order",
    "message": "Салом, {name}! Фармоиши {order} ({total:.2f} сомонӣ) омода аст.",
    "max_lateness": timedelta(hours=2),
}

with DAG(
    dag_id="example_osonsms_telegram_first",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 5, "retry_delay": timedelta(minutes=1)},
    tags=["osonsms", "example"],
) as dag:
    telegram = OsonSmsCampaignOperator(
        task_id="telegram",
        pool="osonsms",
        channel="telegram",
        results_path=str(FOLDER / "telegram-{{ run_id }}.csv"),
        **WHO_AND_WHAT,
    )
    wait = OsonSmsDeliverySensor(
        task_id="wait_for_telegram",
        messages=telegram.output,
        timeout=600,
        min_delivered=0.0,  # whoever is not reached gets an SMS: no reason to fail
        undelivered_path=UNDELIVERED,
        deferrable=True,
        poke_interval=5,
    )
    sms = OsonSmsCampaignOperator(
        task_id="sms",
        pool="osonsms",
        only=UNDELIVERED,
        results_path=str(FOLDER / "sms-{{ run_id }}.csv"),
        **WHO_AND_WHAT,
    )
    wait >> sms

if __name__ == "__main__":
    dag.test()
