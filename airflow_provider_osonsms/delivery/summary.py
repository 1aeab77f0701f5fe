"""The result of a wait so far: counts for the next step, and a sentence for people."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """Counts of the messages of a wait.

    Attributes:
        total: All messages.
        delivered: Messages that count as delivered.
        failed: Messages with another final status.
        pending: Messages without a final status.
        untracked: Messages that cannot be polled, because their msg_id is unknown.
        by_status: Counts by the last status, of the messages that have one.
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
        """The summary without the examples."""
        return {name: value for name, value in asdict(self).items() if name != "examples"}

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return asdict(self)

    def describe(self) -> str:
        """Return the counts as one sentence."""
        statuses = ", ".join(f"{count} {status}" for status, count in self.by_status.items()) or "none yet"
        return (
            f"{self.delivered} of {self.total} messages delivered, {self.failed} failed, "
            f"{self.pending} pending, {self.untracked} untracked (statuses: {statuses})"
        )

    def describe_examples(self) -> str:
        """Return a clause with a few msg_ids that are not delivered, for a look-up; "" if there are none."""
        examples = ", ".join(f"{msg_id} {status}" for msg_id, status in self.examples.items())
        return f"; not delivered: msg_id {examples}" if examples else ""


NOTHING_KNOWN = DeliverySummary(total=0, delivered=0, failed=0, pending=0, untracked=0)
"""The summary of a wait that could not read its messages."""


def read_summary(values: Any) -> DeliverySummary | None:
    """Read a summary from its JSON values; None if *values* is something else."""
    kinds = {one.name: type(getattr(NOTHING_KNOWN, one.name)) for one in fields(DeliverySummary)}
    if not isinstance(values, dict) or {name: type(value) for name, value in values.items()} != kinds:
        return None
    return DeliverySummary(**values)
