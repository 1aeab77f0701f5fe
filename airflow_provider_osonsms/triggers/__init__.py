"""The Airflow triggers of this provider."""
