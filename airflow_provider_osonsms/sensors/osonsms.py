"""The sensors of this provider, under the import path that Airflow's users expect."""

from airflow_provider_osonsms.sensors.delivery import OsonSmsDeliverySensor
from airflow_provider_osonsms.sensors.finish import DeliveryFailedError, DeliveryTimeoutError

__all__ = ["DeliveryFailedError", "DeliveryTimeoutError", "OsonSmsDeliverySensor"]
