"""DAGs whose callbacks text somebody: a storm of failures, a gateway that is down, missed deadlines."""

import json
import os
from datetime import timedelta
from time import sleep

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

from airflow_provider_osonsms.notifications.osonsms import OsonSmsNotifier

try:
    from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference, SyncCallback
except ImportError:  # Airflow below 3.2
    DeadlineAlert = None

DEAD = {"conn_type": "osonsms", "host": "http://127.0.0.1:9", "login": "demo", "password": "another-salt"}
os.environ["AIRFLOW_CONN_OSONSMS_DEAD"] = json.dumps(DEAD | {"extra": {"sender": "SHOP"}})

storm_alert = OsonSmsNotifier(phones="992900000901")
dead_alert = OsonSmsNotifier(phones=["992900000902", "992900000903"], osonsms_conn_id="osonsms_dead")
EVERY_CALLBACK = ("on_failure_callback", "on_retry_callback", "on_success_callback", "on_skipped_callback")


def fail() -> None:
    """Fail, as the source of a storm does."""
    raise ValueError("the source is gone")


def skip() -> None:
    """Skip the task."""
    from airflow.exceptions import AirflowSkipException

    raise AirflowSkipException


with DAG("e2e_storm", schedule=None, max_active_runs=16, on_failure_callback=storm_alert):
    PythonOperator(task_id="load", python_callable=fail, on_failure_callback=storm_alert)

for dag_id, callbacks in (
    ("e2e_alerts_to_nobody", dict.fromkeys(EVERY_CALLBACK, dead_alert)),
    ("e2e_no_alerts", {}),
):
    of_dag = {name: dead_alert for name in EVERY_CALLBACK[::2] if callbacks}
    with DAG(dag_id, schedule=None, default_args={"retry_delay": timedelta(seconds=1)} | callbacks, **of_dag):
        PythonOperator(task_id="good", python_callable=print)
        PythonOperator(task_id="skipped", python_callable=skip)
        PythonOperator(task_id="bad", python_callable=fail, retries=1)

if DeadlineAlert is not None:
    with DAG(
        "e2e_late",
        schedule=None,
        deadline=[
            DeadlineAlert(
                reference=DeadlineReference.DAGRUN_QUEUED_AT,
                interval=timedelta(seconds=1),
                callback=kind(
                    OsonSmsNotifier, kwargs={"phones": phone, "window": 3600, "dedupe_by": "dag_run"}
                ),
            )
            for kind, phone in ((AsyncCallback, "992900000904"), (SyncCallback, "992900000905"))
        ],
    ):
        PythonOperator(task_id="slow", python_callable=lambda: sleep(20))
