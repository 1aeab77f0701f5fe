"""Airflow's extra links."""
