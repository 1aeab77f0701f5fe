"""At most one SMS in a window: the transaction id of an alert, which the gateway takes once.

All alerts of one window have one txn_id for each phone, whichever worker, callback or scheduler makes it. The
gateway accepts the first and refuses the others with 108, so no memory is needed, and none can be lost.

The window is that of the moment at which it happened, not at which a callback runs: a callback that runs a
second time a minute later makes the same txn_id, also at the edge of a window. Windows follow each other
without a gap from a Monday at midnight in Dushanbe, so a window of a day is a day there.

Where Airflow does not say when it happened, as of a task whose worker was lost, it is the moment at which the
callback runs. A node that dies with two hundred tasks is a storm too, so such alerts share the window of the
others; a callback of this kind that runs again after the border of a window texts again.

Reference:
    docs/alerts.md "How few are sent"; OsonSMS protocol 1.5, §2.3.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from airflow_provider_osonsms.alerts.event import AlertEvent
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id

_FIRST_WINDOW: Final = datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Dushanbe")).astimezone(UTC)
"""A Monday. Dushanbe has had one offset since 1991, so windows of whole days begin at its midnight."""


class DedupeBy(StrEnum):
    """What has at most one SMS in a window, for each phone."""

    TASK = "task"
    """A state of a task of a run, with all its mapped instances."""
    DAG_RUN = "dag_run"
    DAG = "dag"
    MESSAGE = "message"
    """A text, whichever DAG it comes from."""


def find_window(moment: datetime, length: timedelta) -> datetime:
    """Return when the window of *moment* begins, in UTC."""
    return _FIRST_WINDOW + (moment - _FIRST_WINDOW) // length * length


def make_alert_txn_id(
    event: AlertEvent,
    *,
    phone: str,
    text: str,
    dedupe_by: DedupeBy,
    window: timedelta,
    channel: str | None,
    namespace: str,
    now: datetime,
) -> str:
    """Make the txn_id that all alerts have of which one SMS is enough; *now* is when the callback runs."""
    owner: dict[DedupeBy, tuple[str, ...]] = {
        DedupeBy.TASK: (event.dag_id, event.run_id, event.task_id, event.state),
        DedupeBy.DAG_RUN: (event.dag_id, event.run_id, event.kind),
        DedupeBy.DAG: (event.dag_id, event.kind),
        DedupeBy.MESSAGE: (text,),
    }
    begin = find_window(event.moment or now, window)
    fields = ("alert", dedupe_by, *owner[dedupe_by], "window", str(window.total_seconds()), begin.isoformat())
    fields += (channel or "", phone)
    return make_txn_id(*fields, namespace=namespace)
