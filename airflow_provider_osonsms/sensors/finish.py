"""How a wait ends, the same in every mode."""

import logging
from dataclasses import dataclass
from typing import Any

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.summary import describe, describe_examples

log = logging.getLogger(__name__)


class DeliveryFailedError(AirflowFailException):
    """Too many messages ended without being delivered; waiting again would not change it."""


class DeliveryTimeoutError(AirflowSensorTimeout):
    """Some messages had no final status at the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitResult:
    """What a watch has come to, in this process or in the triggerer.

    Attributes:
        decision: A `Decision`.
        summary: Of the watch; JSON.
        problem: Why there are no files of it; None where there are, or should be none.
    """

    decision: str
    summary: dict[str, Any]
    problem: str | None

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers of the summary."""
        return {name: value for name, value in self.summary.items() if name != "examples"}


def read_event(event: Any) -> WaitResult:
    """Read the trigger's event; anything unexpected fails.

    Raises:
        AirflowFailException: It tells of an error, or of nothing.
    """
    told = event if isinstance(event, dict) else {}
    if told.get("error"):
        raise AirflowFailException(told["error"])
    summary, decision = told.get("summary"), told.get("decision")
    if not isinstance(summary, dict) or decision not in (Decision.SUCCEED, Decision.FAIL, Decision.TIME_OUT):
        raise AirflowFailException("the trigger fired without a result: clear the task to wait again")
    return WaitResult(decision=decision, summary=summary, problem=told.get("report_problem"))


def finish(result: WaitResult, *, criteria: DeliveryCriteria, timeout: float, soft_fail: bool) -> None:
    """Return when the wait is a success.

    Args:
        ending: What it has come to.
        rules: What was waited for.
        timeout: Seconds to the deadline.
        soft_fail: Whether Airflow makes a skip of an error, which would not say why.

    Raises:
        DeliveryFailedError, DeliveryTimeoutError: Too few messages were delivered.
    """
    summary = result.summary
    if result.decision == Decision.SUCCEED:
        log.info("%s", describe(summary))
        if summary["untracked"]:
            log.warning("%d messages have no msg_id: nobody can ask for them", summary["untracked"])
        return
    counts = f"{describe(summary)}{describe_examples(summary)}"
    if soft_fail:
        log.warning("%s", counts)
    if result.decision == Decision.FAIL:
        raise DeliveryFailedError(f"{counts}; {criteria.words}")
    raise DeliveryTimeoutError(f"{counts}; after {timeout:g} s, timeout= allows longer")
