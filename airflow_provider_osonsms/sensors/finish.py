"""The end of a wait, the same in every mode: from its result to success or an error."""

import logging
from dataclasses import dataclass
from typing import Any

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.summary import DeliverySummary, read_summary
from airflow_provider_osonsms.protocol.errors import OsonSmsError

log = logging.getLogger(__name__)


class DeliveryFailedError(AirflowFailException):
    """Too few messages were delivered, and all have a final status: another try would not change it."""


class WaitInterruptedError(OsonSmsError):
    """The trigger could not go on; another try waits again."""


class DeliveryTimeoutError(AirflowSensorTimeout):
    """Some messages had no final status at the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitResult:
    """The result of a wait, in this process or in the triggerer.

    Attributes:
        decision: Every decision except WAIT.
        summary: The counts.
        problem: Why the files were not written; None if they were, or if none were planned.
    """

    decision: Decision
    summary: DeliverySummary
    problem: str | None


def read_event(event: Any) -> WaitResult:
    """Read the trigger's event.

    Raises:
        WaitInterruptedError: It tells of an error that another try may not meet.
        AirflowFailException: It tells of another error, or of nothing.
    """
    values = event if isinstance(event, dict) else {}
    if values.get("error"):
        raise (WaitInterruptedError if values.get("may_retry") is True else AirflowFailException)(
            values["error"]
        )
    summary, decision = read_summary(values.get("summary")), values.get("decision")
    if summary is None or decision not in (Decision.SUCCEED, Decision.FAIL, Decision.TIME_OUT):
        raise AirflowFailException("the trigger fired without a result: clear the task to wait again")
    return WaitResult(decision=Decision(decision), summary=summary, problem=values.get("report_problem"))


def finish(result: WaitResult, *, criteria: DeliveryCriteria, timeout: float, soft_fail: bool) -> None:
    """Return if the wait is a success; raise if it is not.

    Args:
        result: The result of the wait.
        criteria: The conditions of the wait.
        timeout: Seconds from the start to the deadline.
        soft_fail: Whether Airflow turns an error into a skip, whose log would not have the counts.

    Raises:
        DeliveryFailedError, DeliveryTimeoutError: Too few messages were delivered.
    """
    summary = result.summary
    if result.decision is Decision.SUCCEED:
        log.info("%s", summary.describe())
        if summary.untracked:
            log.warning("%d messages have no msg_id, so their delivery is unknown", summary.untracked)
        return
    counts = f"{summary.describe()}{summary.describe_examples()}"
    if soft_fail:
        log.warning("%s", counts)
    if result.decision is Decision.FAIL:
        raise DeliveryFailedError(f"{counts}; {criteria.requirement}")
    raise DeliveryTimeoutError(f"{counts}; the deadline came after {timeout:g} s: set a longer timeout")
