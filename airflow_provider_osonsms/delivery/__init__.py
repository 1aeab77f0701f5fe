"""Waiting for final statuses: which msg_ids to poll, when, and what a status means. Without Airflow."""
