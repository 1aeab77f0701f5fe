"""How a wait ends, the same in every mode."""

import logging
from typing import Any

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_osonsms.delivery.decision import Decision, Rules
from airflow_provider_osonsms.delivery.description import describe, describe_examples

log = logging.getLogger(__name__)


class DeliveryFailedError(AirflowFailException):
    """Too many messages ended without being delivered; waiting again would not change it."""


class DeliveryTimeoutError(AirflowSensorTimeout):
    """Some messages had no final status at the deadline."""


def conclude(
    decision: str | None, summary: dict[str, Any], *, rules: Rules, timeout: float, soft_fail: bool
) -> dict[str, Any]:
    """Return *summary* when the wait is a success.

    Args:
        decision: A `Decision`.
        summary: Of the watch.
        rules: What was waited for.
        timeout: Seconds to the deadline.
        soft_fail: Whether Airflow makes a skip of an error, which would not say why.

    Raises:
        DeliveryFailedError, DeliveryTimeoutError: Too few messages were delivered.
        AirflowFailException: *decision* ends no wait.
    """
    if decision == Decision.SUCCEED:
        log.info("%s", describe(summary))
        if summary["untracked"]:
            log.warning("%d messages have no msg_id: nobody can ask for them", summary["untracked"])
        return summary
    if decision not in (Decision.FAIL, Decision.TIME_OUT):
        raise AirflowFailException("the trigger fired without a result: clear the task to wait again")
    counts = f"{describe(summary)}{describe_examples(summary)}"
    if soft_fail:
        log.warning("%s", counts)
    if decision == Decision.FAIL:
        raise DeliveryFailedError(f"{counts}; {rules.words}")
    raise DeliveryTimeoutError(f"{counts}; after {timeout:g} s, timeout= allows longer")
