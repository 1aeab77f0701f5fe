"""Send one SMS, wait for its delivery without a worker slot, then look at the balance.

Safe with retries: however often a task runs, one SMS goes out.
"""

from datetime import timedelta

import pendulum
from airflow.sdk import DAG

from airflow_provider_osonsms.operators.osonsms import OsonSmsBalanceOperator, OsonSmsSendOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

with DAG(
    dag_id="example_osonsms_send",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Dushanbe"),
    catchup=False,
    default_args={"retries": 5, "retry_delay": timedelta(seconds=30)},
    params={"phone": "992900000101", "name": "Зарина"},
    tags=["osonsms", "example"],
) as dag:
    send = OsonSmsSendOperator(
        task_id="send_sms",
        pool="osonsms",
        phone="{{ params.phone }}",
        message="Салом, {{ params.name }}! Фармоиши шумо омода аст.",
        max_parts=2,
    )
    wait = OsonSmsDeliverySensor(
        task_id="wait_for_delivery",
        messages=send.output,
        deferrable=True,
        poke_interval=2,
        timeout=timedelta(hours=6).total_seconds(),
    )
    balance = OsonSmsBalanceOperator(task_id="check_balance", min_balance=5)

    wait >> balance

if __name__ == "__main__":
    dag.test()
