"""The Airflow operators of this provider."""
