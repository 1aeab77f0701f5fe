"""Metrics and spans: the one place that names them, and emits them through Airflow.

Counters tell what a try has done, so those of all tries add up to what the gateway's ledger says. No phone,
text, txn_id, msg_id or URL is in a name, a tag or an attribute. A backend that fails disturbs no task.

Reference:
    docs/metrics.md.
"""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from airflow_provider_osonsms._compat import Stats, Trace
from airflow_provider_osonsms.alerts.send import AlertEnd
from airflow_provider_osonsms.delivery.criteria import Reach
from airflow_provider_osonsms.protocol.models import Outcome

log = logging.getLogger(__name__)

_COMPONENT: Final = "airflow_provider_osonsms"
_NANOSECONDS: Final = 1_000_000_000


class Metric(StrEnum):
    """The names of counters and timers, beside those of outcomes (`name_outcome`)."""

    THROTTLED = "osonsms.throttled"
    JOURNAL_RESUMED = "osonsms.journal.resumed"
    JOURNAL_CHUNKS_FAILED = "osonsms.journal.chunks_failed"
    CAMPAIGN_DURATION = "osonsms.campaign.duration"
    BULK_JOBS = "osonsms.bulk.jobs"
    BULK_RECIPIENTS = "osonsms.bulk.recipients"
    WAIT_QUESTIONS = "osonsms.wait.questions"


class SpanName(StrEnum):
    """The names of spans."""

    CAMPAIGN = "osonsms.campaign"
    WAIT = "osonsms.wait"


_BALANCE: Final = "osonsms.balance"
_ALERT: Final = "osonsms.alert"
_WAIT: Final = "osonsms.wait"


def name_outcome(outcome: Outcome) -> str:
    """Return the counter of messages with this *outcome*."""
    return "osonsms.sent" if outcome is Outcome.ACCEPTED else f"osonsms.{outcome}"


def set_balance(balance: Decimal, *, conn_id: str) -> None:
    """Set the gauge of the account's balance, in somoni."""
    with _quietly():
        Stats.gauge(_BALANCE, float(balance), tags={"conn_id": conn_id})


class TaskMetrics:
    """Emits what is measured in one task.

    Args:
        dag_id: Of the task, or of what an alert is about.
        task_id: The same; empty where an alert is about a run.
        conn_id: Id of the Connection.
    """

    def __init__(self, *, dag_id: str, task_id: str, conn_id: str) -> None:
        tags = {"dag_id": dag_id, "task_id": task_id, "conn_id": conn_id}
        self._tags = {name: value for name, value in tags.items() if value}

    def count(self, metric: Metric, number: int = 1) -> None:
        """Add *number* to a counter, if there is something to add."""
        self._incr(metric, number)

    def count_outcomes(self, outcomes: Mapping[Outcome, int]) -> None:
        """Count messages by what this try has made of them; a pending one is counted by a later try."""
        for outcome, number in outcomes.items():
            if outcome is not Outcome.PENDING:
                self._incr(name_outcome(outcome), number)

    def count_alerts(self, ends: Mapping[AlertEnd, int]) -> None:
        """Count alerts by what became of them."""
        for end, number in ends.items():
            self._incr(f"{_ALERT}.{end}", number)

    def count_reach(self, reach: Mapping[Reach, int]) -> None:
        """Count the messages of an ended wait by whether they have reached somebody."""
        for each, number in reach.items():
            self._incr(f"{_WAIT}.{each}", number)

    def time(self, metric: Metric, seconds: float) -> None:
        """Tell a timer that something took *seconds*."""
        with _quietly():
            Stats.timing(metric, timedelta(seconds=seconds), tags=self._tags)

    @contextmanager
    def span(self, name: SpanName, *, began: datetime | None = None) -> Iterator[dict[str, int]]:
        """Put what is done meanwhile into a span, where Airflow's tracing is on.

        An error is named by its class only: what it says, and where, may come from anywhere.

        Args:
            name: Of the span.
            began: When it began, if that was earlier than now.

        Yields:
            Counts that become attributes of the span at its end.
        """
        counts: dict[str, int] = {}
        failure = None
        with _start_span(name, began) as span:
            try:
                yield counts
            except BaseException as error:  # noqa: BLE001 - raised again outside, where no span sees its text
                failure = error
            with _quietly():
                _end_span(span, {**self._tags, **counts}, failure)
        if failure is not None:
            raise failure

    def _incr(self, name: str, number: int) -> None:
        if number > 0:
            with _quietly():
                Stats.incr(name, number, tags=self._tags)


def _start_span(name: str, began: datetime | None) -> Any:
    """Start a span as the current one: with Airflow's own tracer below 3.2, else with OpenTelemetry's."""
    if Trace is not None:
        return Trace.start_span(span_name=name, component=_COMPONENT, start_time=began)
    try:
        from opentelemetry import trace
    except ImportError:
        return contextlib.nullcontext()
    start = None if began is None else int(began.timestamp() * _NANOSECONDS)
    return trace.get_tracer(_COMPONENT).start_as_current_span(name, start_time=start)


def _end_span(span: Any, attributes: Mapping[str, Any], failure: BaseException | None) -> None:
    if span is None or not span.is_recording():
        return
    span.set_attributes({f"osonsms.{name}": value for name, value in attributes.items()})
    if failure is not None:
        from opentelemetry.trace import Status, StatusCode

        span.set_status(Status(StatusCode.ERROR, type(failure).__name__))


@contextmanager
def _quietly() -> Iterator[None]:
    """Let no backend of metrics or traces disturb a task whose messages are sent."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - backends have errors of their own
        log.debug("A metric could not be emitted (%s)", type(error).__name__)
