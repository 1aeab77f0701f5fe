"""What a wait has found out so far, as counts for the next step and as words for people."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """Counts of the messages of a wait.

    Attributes:
        total: All of them.
        delivered: Those that count as delivered.
        failed: Those that have ended otherwise.
        pending: Those without a final status.
        untracked: Those that nobody can ask for, because their msg_id is unknown.
        by_status: Counts by the last status, where one was seen.
        examples: A few msg_ids that are not delivered, with their status or ``unanswered``.
    """

    total: int
    delivered: int
    failed: int
    pending: int
    untracked: int
    by_status: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers alone."""
        return {name: value for name, value in asdict(self).items() if name != "examples"}

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    def describe(self) -> str:
        """Say it in one line."""
        statuses = ", ".join(f"{count} {status}" for status, count in self.by_status.items()) or "none yet"
        return (
            f"{self.delivered} of {self.total} messages delivered, {self.failed} failed, "
            f"{self.pending} pending, {self.untracked} untracked (statuses: {statuses})"
        )

    def describe_examples(self) -> str:
        """Name a few msg_ids that are not delivered, for whoever has to find them."""
        examples = ", ".join(f"{msg_id} {status}" for msg_id, status in self.examples.items())
        return f"; not delivered: msg_id {examples}" if examples else ""


NOTHING_KNOWN = DeliverySummary(total=0, delivered=0, failed=0, pending=0, untracked=0)
"""Of a wait that has asked for nobody."""


def read_summary(values: Any) -> DeliverySummary | None:
    """Read the JSON values of a summary; None where they are something else."""
    names = {one.name for one in fields(DeliverySummary)}
    if not isinstance(values, dict) or set(values) != names:
        return None
    return DeliverySummary(**values)
