"""The triggers of this provider, under the import path that Airflow's users expect."""

from airflow_provider_osonsms.triggers.delivery import OsonSmsDeliveryTrigger
from airflow_provider_osonsms.triggers.send_window import OsonSmsWindowTrigger

__all__ = ["OsonSmsDeliveryTrigger", "OsonSmsWindowTrigger"]
