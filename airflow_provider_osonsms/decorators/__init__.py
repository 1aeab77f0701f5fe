"""Airflow's task decorators."""
