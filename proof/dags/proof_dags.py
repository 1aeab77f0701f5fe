"""A DAG for each scenario of the proof, with people, a Connection and a namespace of its own."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

from airflow_provider_osonsms.notifications.osonsms import OsonSmsNotifier
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

PEOPLE = Path(os.environ["PROOF_PEOPLE"])
HOME = Path(os.environ["AIRFLOW_HOME"])
TEXT = "Салом, {name}! Қарзи шуморо то {{ run_id }} пардозед."
RETRY_AT_ONCE = {"retries": 5, "retry_delay": timedelta(seconds=1)}
OVER_PARTS = (
    "worker_killed",
    "supervisor_killed",
    "scheduler_killed",
    "database_restarted",
    "gateway_restarted",
    "network_cut",
    "cleared",
)


class TracedCampaignOperator(OsonSmsCampaignOperator):
    """Tells which process runs a campaign, and which supervises it."""

    def execute(self, context: Any) -> dict[str, Any]:
        """Send as ever."""
        ti = context["ti"]
        trace = HOME / "traces" / f"{ti.dag_id}-{ti.map_index}"
        trace.write_text(f"{os.getpid()} {os.getppid()}")
        return super().execute(context)


def describe_campaign(name: str) -> dict[str, Any]:
    """Return the arguments that all campaigns have; the rate makes a middle that lasts."""
    return {
        "task_id": "campaign",
        "osonsms_conn_id": f"osonsms_{name}",
        "message": TEXT,
        "max_rate": 60,
        "results_path": str(HOME / "results" / f"{name}-{{{{ run_id }}}}-{{{{ ti.map_index }}}}.csv"),
    }


def fail() -> None:
    """Fail, as the source of a storm does."""
    raise ValueError("the source is gone")


for name in OVER_PARTS:
    with DAG(f"proof_{name}", schedule=None, default_args=RETRY_AT_ONCE):
        TracedCampaignOperator.partial(
            campaign_id=f"{name}-{{{{ run_id }}}}", **describe_campaign(name)
        ).expand(recipients=sorted(map(str, (PEOPLE / name).glob("*.csv"))))

with DAG("proof_triggerer_killed", schedule=None, default_args=RETRY_AT_ONCE):
    campaign = OsonSmsCampaignOperator(
        recipients=str(PEOPLE / "triggerer_killed" / "0.csv"), **describe_campaign("triggerer_killed")
    )
    OsonSmsDeliverySensor(
        task_id="wait",
        messages=campaign.output,
        osonsms_conn_id="osonsms_triggerer_killed",
        deferrable=True,
        poke_interval=3,
        max_poll_interval=3,
        report_path=str(HOME / "results" / "report-{{ run_id }}"),
    )

with DAG(  # it ends before today, so only a backfill makes runs of it
    "proof_backfilled_twice",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 (Airflow's own zone, UTC)
    end_date=datetime(2026, 1, 3),  # noqa: DTZ001
    catchup=False,
    default_args=RETRY_AT_ONCE,
):
    OsonSmsCampaignOperator(
        recipients=str(PEOPLE / "backfilled_twice" / "0.csv"), **describe_campaign("backfilled_twice")
    )

with DAG("proof_two_airflows", schedule=None, default_args=RETRY_AT_ONCE):
    OsonSmsCampaignOperator(
        recipients=str(PEOPLE / "two_airflows" / "0.csv"), **describe_campaign("two_airflows")
    )

alert = OsonSmsNotifier(phones="992900000901", osonsms_conn_id="osonsms_alerts")
with DAG("proof_alerts", schedule=None, max_active_runs=16, on_failure_callback=[alert, alert]):
    PythonOperator(task_id="load", python_callable=fail, on_failure_callback=[alert, alert])
