"""The public import path of this provider's sensors."""

from airflow_provider_osonsms.sensors.delivery import OsonSmsDeliverySensor
from airflow_provider_osonsms.sensors.finish import (
    DeliveryFailedError,
    DeliveryTimeoutError,
    WrongAccountError,
)

__all__ = ["DeliveryFailedError", "DeliveryTimeoutError", "OsonSmsDeliverySensor", "WrongAccountError"]
