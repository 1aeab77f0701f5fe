"""Waiting for terminal statuses: whom to ask, when again, and what an answer means. Knows no Airflow."""
