"""The end of a wait, the same in every mode: from its result to success or an error."""

import logging
from typing import Any

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.report.plan import WrittenFiles
from airflow_provider_osonsms.delivery.result import WaitResult
from airflow_provider_osonsms.delivery.summary import DeliverySummary, read_summary
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

log = logging.getLogger(__name__)


class DeliveryFailedError(AirflowFailException):
    """Too few messages were delivered, and all have a final status: another try would not change it."""


class WrongAccountError(AirflowFailException):
    """The gateway does not know many of the messages, so what is known of them is worth nothing."""


class WaitInterruptedError(OsonSmsError):
    """The trigger could not go on; another try waits again."""


class DeliveryTimeoutError(AirflowSensorTimeout):
    """Some messages had no final status at the deadline."""


def read_event(event: Any) -> WaitResult:
    """Read a trigger's event.

    Raises:
        AirflowFailException: It is not one of our trigger.
    """
    values = event if isinstance(event, dict) else {}
    summary = read_summary(values.get("summary"))
    decision, error, paths = values.get("decision"), values.get("error"), values.get("files")
    is_ended = decision in tuple(Decision) and decision != Decision.WAIT
    is_clear = is_ended if error is None else isinstance(error, str) and decision is None
    if summary is None or not isinstance(paths, dict) or not is_clear:
        raise AirflowFailException("the trigger fired without a result: clear the task to wait again")
    return WaitResult(
        decision=Decision(str(decision)) if is_ended else None,
        summary=summary,
        files=WrittenFiles({str(name): str(path) for name, path in paths.items()}, values.get("problem")),
        error=error,
        may_retry=values.get("may_retry") is True,
        questions=_read_number(values.get("questions")) or 0,
        throttled=_read_number(values.get("throttled")) or 0,
        began=_read_number(values.get("began")),
    )


def _read_number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def finish(result: WaitResult, *, criteria: DeliveryCriteria, timeout: float, conn_id: str) -> None:
    """Return if the wait is a success; raise if it is not.

    Args:
        result: The result of the wait.
        criteria: The conditions of the wait.
        timeout: Seconds from the start to the deadline.
        conn_id: Id of the Connection.

    Raises:
        DeliveryFailedError, DeliveryTimeoutError: Too few messages were delivered.
        WrongAccountError: The gateway does not know many of them.
        WaitInterruptedError, AirflowFailException: An error has ended the wait.
    """
    summary = result.summary
    counts = f"{summary.describe()}{summary.describe_examples()}"
    if result.error is not None:
        log.warning("%s", counts)
        raise (WaitInterruptedError if result.may_retry else AirflowFailException)(result.error)
    if result.decision is Decision.ASK_ACCOUNT:
        unknown = summary.by_status.get(DeliveryStatus.NOT_FOUND, 0)
        raise WrongAccountError(
            f"The gateway does not know {unknown} of these messages: was the account of Connection "
            f"{conn_id!r} the one that sent them? If it was, statuses are late: set a longer timeout and a "
            f"longer unknown_after. No undelivered rows were listed. {counts}"
        )
    if result.decision is Decision.FAIL:
        raise DeliveryFailedError(f"{counts}; {criteria.requirement}{_explain_end(summary)}")
    if result.decision is Decision.TIME_OUT:
        raise DeliveryTimeoutError(
            f"{counts}; {criteria.requirement}, and the deadline came after {timeout:g} s: set a longer "
            f"timeout"
        )
    log.info("Success: %s; %s%s", summary.describe(), criteria.requirement, _explain_end(summary))
    if summary.untracked:
        log.warning("%d messages have no msg_id, so their delivery is unknown", summary.untracked)


def _explain_end(summary: DeliverySummary) -> str:
    """Return why the wait went on no longer."""
    if summary.pending:
        return f", and the wait is over: {summary.pending} messages are still on their way"
    return ", and every message has a final status"
