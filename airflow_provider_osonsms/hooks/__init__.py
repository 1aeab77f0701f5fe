"""The Airflow hooks of this provider."""
