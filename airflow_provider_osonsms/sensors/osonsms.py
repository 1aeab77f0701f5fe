"""The sensors of this provider, under the import path that Airflow's users expect."""

from airflow_provider_osonsms.sensors.conclusion import DeliveryFailedError, DeliveryTimeoutError
from airflow_provider_osonsms.sensors.delivery import OsonSmsDeliverySensor

__all__ = ["DeliveryFailedError", "DeliveryTimeoutError", "OsonSmsDeliverySensor"]
