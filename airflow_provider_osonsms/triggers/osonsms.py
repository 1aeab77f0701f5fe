"""The public import path of this provider's triggers; stored triggers hold it, so it stays."""

from airflow_provider_osonsms.triggers.delivery import OsonSmsDeliveryTrigger
from airflow_provider_osonsms.triggers.send_window import OsonSmsWindowTrigger

__all__ = ["OsonSmsDeliveryTrigger", "OsonSmsWindowTrigger"]
