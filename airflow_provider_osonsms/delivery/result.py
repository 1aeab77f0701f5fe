"""The result of a wait, as a trigger hands it on to the task."""

from dataclasses import dataclass
from typing import Any

from airflow_provider_osonsms.delivery.criteria import Decision
from airflow_provider_osonsms.delivery.report.plan import WrittenFiles
from airflow_provider_osonsms.delivery.summary import DeliverySummary


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitResult:
    """The result of a wait, in this process or in the triggerer.

    Attributes:
        decision: Every decision except WAIT; None after an error.
        summary: The counts.
        files: What became of the files.
        error: What has ended the wait before its time; None for nothing.
        may_retry: Whether another try may not meet that error.
        questions: How many times the gateway was asked in the triggerer.
        throttled: How many of these questions it has turned away.
        began: When the wait began, in seconds since the epoch; None if that is not known.
    """

    decision: Decision | None
    summary: DeliverySummary
    files: WrittenFiles
    error: str | None = None
    may_retry: bool = False
    questions: int = 0
    throttled: int = 0
    began: float | None = None

    @property
    def is_verdict(self) -> bool:
        """Whether enough is known to list undelivered rows."""
        return self.decision is not None and self.decision.is_verdict

    def to_event(self) -> dict[str, Any]:
        """Return it as JSON values, for a trigger's event."""
        return {
            "decision": self.decision,
            "summary": self.summary.to_dict(),
            "files": dict(self.files.paths),
            "problem": self.files.problem,
            "error": self.error,
            "may_retry": self.may_retry,
            "questions": self.questions,
            "throttled": self.throttled,
            "began": self.began,
        }
