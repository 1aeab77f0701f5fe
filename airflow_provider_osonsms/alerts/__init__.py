"""Alerts: what an SMS about a task, a run or a deadline says, and how few of them are sent."""
