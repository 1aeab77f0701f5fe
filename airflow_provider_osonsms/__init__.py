"""Send SMS from Apache Airflow through OsonSMS, the SMS gateway of Tajikistan."""

from airflow_provider_osonsms.provider_info import get_provider_info

__all__ = ["get_provider_info"]
