"""A wait for many messages in one deferrable task, and one mapped deferrable task for each message."""

import os

from airflow.sdk import DAG

from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

TABLE = os.environ["BENCH_TABLE"]
FIRST, MAPPED = int(os.environ["BENCH_FIRST_MAPPED"]), int(os.environ["BENCH_MAPPED"])

with DAG("bench_wait_one", schedule=None):
    OsonSmsDeliverySensor(task_id="wait", messages={"results_path": TABLE}, deferrable=True)

with DAG("bench_wait_mapped", schedule=None):
    OsonSmsDeliverySensor.partial(task_id="wait", deferrable=True).expand(
        messages=[str(FIRST + row) for row in range(MAPPED)]
    )
