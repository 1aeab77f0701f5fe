"""The Airflow sensors of this provider."""
