"""Checks before a message is sent: each is written once, for send, campaign, bulk and preview.

``parameters`` reads the arguments of a DAG; the other modules are limits that stop a task. Airflow is not
imported.
"""
