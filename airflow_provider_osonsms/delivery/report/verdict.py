"""The first lines of the page: what was asked for, what was reached, and why the wait ended."""

from typing import NamedTuple

from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.report.numbers import NumberFormat
from airflow_provider_osonsms.delivery.summary import DeliverySummary


class Ending(NamedTuple):
    """How a wait ended.

    Attributes:
        decision: None if an error has ended it.
        deadline: In seconds since the epoch.
    """

    decision: Decision | None
    deadline: float


class Verdict(NamedTuple):
    """The verdict of a wait, in words.

    Attributes:
        sentence: What was reached of what was asked for.
        reason: Why the wait has ended.
        kind: A CSS class: ``good``, ``bad`` or ``wait``.
    """

    sentence: str
    reason: str
    kind: str


def make_verdict(
    summary: DeliverySummary,
    ending: Ending,
    *,
    criteria: DeliveryCriteria,
    numbers: NumberFormat,
    ended: float,
) -> Verdict:
    """Put the verdict into words.

    Args:
        summary: The counts of the wait.
        ending: Its end.
        criteria: Its conditions.
        numbers: The language.
        ended: The time of its end, in seconds since the epoch.
    """
    words = numbers.words
    tracked = summary.total - summary.untracked
    result, kind = {
        Decision.SUCCEED: ("verdict_reached", "good"),
        Decision.FAIL: ("verdict_not_reached", "bad"),
        Decision.TIME_OUT: ("verdict_not_reached", "bad"),
    }.get(ending.decision or Decision.WAIT, ("verdict_unknown", "wait"))
    sentence = words["verdict"].format(
        share=numbers.print_percentage(summary.delivered, tracked),
        total=numbers.print_number(tracked),
        asked=_print_asked(criteria, numbers),
        result=words[result],
    )
    reason = words[_find_reason(summary, ending, ended=ended)]
    return Verdict(sentence, reason.format(pending=numbers.print_number(summary.pending)), kind)


def _print_asked(criteria: DeliveryCriteria, numbers: NumberFormat) -> str:
    if criteria.min_delivered_count is not None:
        return numbers.print_number(criteria.min_delivered_count)
    return numbers.print_share(criteria.min_delivered)


def _find_reason(summary: DeliverySummary, ending: Ending, *, ended: float) -> str:
    if ending.decision is None:
        return "ended_error"
    if ending.decision is Decision.ASK_ACCOUNT:
        return "ended_account"
    if not summary.pending:
        return "ended_all"
    return "ended_deadline" if ended >= ending.deadline else "ended_early"
