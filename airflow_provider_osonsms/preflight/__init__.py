"""Checks before anything is sent: each is written once, for send, campaign, bulk and preview alike.

``parameters`` reads what a user wrote in a DAG; the others are limits that stop a task. Knows no Airflow.
"""
