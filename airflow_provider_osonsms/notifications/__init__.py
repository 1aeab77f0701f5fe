"""Airflow's notifiers: SMS from callbacks."""
