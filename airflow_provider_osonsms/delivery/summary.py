"""What a watch has found out, in words for people."""

from typing import Any


def describe(summary: dict[str, Any]) -> str:
    """Say a summary in one line."""
    statuses = ", ".join(f"{count} {status}" for status, count in summary["by_status"].items()) or "none yet"
    return (
        f"{summary['delivered']} of {summary['total']} messages delivered, {summary['failed']} failed, "
        f"{summary['pending']} pending, {summary['untracked']} untracked (statuses: {statuses})"
    )


def describe_examples(summary: dict[str, Any]) -> str:
    """Name a few msg_ids that are not delivered, for whoever has to find them."""
    examples = ", ".join(f"{msg_id} {status}" for msg_id, status in summary["examples"].items())
    return f"; not delivered: msg_id {examples}" if examples else ""
