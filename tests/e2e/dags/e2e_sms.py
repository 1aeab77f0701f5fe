"""Small DAGs for a whole Airflow: lost answers, a killed worker, a failed delivery, a clock in a DAG file."""

import os
from datetime import timedelta
from pathlib import Path
from time import time_ns
from typing import Any

from airflow.sdk import DAG, Asset

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator, OsonSmsSendOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

PID_FILE = Path(os.environ["AIRFLOW_HOME"]) / "send.pid"
CAMPAIGN_PID_FILE = PID_FILE.with_name("campaign.pid")
RETRY_AT_ONCE = {"retries": 5, "retry_delay": timedelta(seconds=1)}


class KillableSendOperator(OsonSmsSendOperator):
    """Tells in which process it runs."""

    def execute(self, context: Any) -> dict[str, Any]:
        """Send as ever."""
        PID_FILE.write_text(str(os.getpid()))
        return super().execute(context)


class KillableCampaignOperator(OsonSmsCampaignOperator):
    """Tells in which process it runs."""

    def execute(self, context: Any) -> dict[str, Any]:
        """Send as ever."""
        CAMPAIGN_PID_FILE.write_text(str(os.getpid()))
        return super().execute(context)


with DAG("e2e_campaign", schedule=None, default_args=RETRY_AT_ONCE):
    KillableCampaignOperator(
        task_id="campaign",
        recipients=[{"phone": f"9929001{number:05}", "name": f"N{number}"} for number in range(3000)],
        message="Салом, {name}!",
        results_path=str(CAMPAIGN_PID_FILE.with_name("campaign-{{ run_id }}.csv")),
    )

with DAG("e2e_lost_answers", schedule=None, default_args=RETRY_AT_ONCE):
    OsonSmsSendOperator(task_id="send_sms", phone="992900000301", message="Three answers are lost")

with DAG("e2e_killed_worker", schedule=None, default_args=RETRY_AT_ONCE):
    KillableSendOperator(task_id="send_sms", phone="992900000302", message="The worker is killed")

with DAG("e2e_not_delivered", schedule=None, default_args=RETRY_AT_ONCE):  # a verdict is not retried
    send = OsonSmsSendOperator(task_id="send_sms", phone="992900000393", message="Nobody gets this")
    for task_id, is_soft in (("fail", False), ("skip", True)):
        OsonSmsDeliverySensor(
            task_id=task_id, messages=send.output, deferrable=True, poke_interval=1, soft_fail=is_soft
        )

with DAG("e2e_long_wait", schedule=None, default_args=RETRY_AT_ONCE):
    campaign = OsonSmsCampaignOperator(
        task_id="campaign",
        recipients=[f"9929004{number:03}01" for number in range(200)],
        message="A triggerer dies while this is under way",
        results_path=str(PID_FILE.with_name("long-wait-{{ run_id }}.csv")),
    )
    OsonSmsDeliverySensor(
        task_id="wait",
        messages=campaign.output,
        deferrable=True,
        poke_interval=3,
        max_poll_interval=3,
        report_path=str(PID_FILE.with_name("long-wait-{{ run_id }}")),
        outlets=[Asset("e2e_delivered")],
    )

PEOPLE: Any = {
    "recipients": [f"9929005{number:03}{'93' if number > 37 else '01'}" for number in range(40)],
    "message": "Telegram first",
}

with DAG("e2e_telegram_first", schedule=None, default_args=RETRY_AT_ONCE):
    telegram = OsonSmsCampaignOperator(
        task_id="telegram",
        channel="telegram",
        results_path=str(PID_FILE.with_name("telegram-{{ run_id }}.csv")),
        **PEOPLE,
    )
    for name, conn_id in (("", "osonsms_default"), ("_of_another_account", "osonsms_other")):
        undelivered = str(PID_FILE.with_name(f"undelivered{name}-{{{{ run_id }}}}.csv"))
        wait = OsonSmsDeliverySensor(
            task_id=f"wait{name}",
            messages=telegram.output,
            osonsms_conn_id=conn_id,
            min_delivered=0.0,
            deferrable=True,
            poke_interval=2,
            max_poll_interval=2,
            undelivered_path=undelivered,
        )
        sms = OsonSmsCampaignOperator(task_id=f"sms{name}", only=undelivered, **PEOPLE)
        wait >> sms

with DAG("e2e_pool", schedule=None, max_active_runs=2):
    OsonSmsCampaignOperator(
        task_id="campaign",
        pool="osonsms",
        osonsms_conn_id="osonsms_priced",
        recipients=[f"9929006{number:05}" for number in range(80)],
        message="Two campaigns, and money for one",
        require_balance=True,
        max_rate=20,  # four seconds: without the pool, both would begin
        retries=0,
    )

with DAG("e2e_clock_in_file", schedule=None):
    OsonSmsSendOperator(task_id="send_sms", phone="992900000304", message=f"{time_ns()}", dry_run=True)
