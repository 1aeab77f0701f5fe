"""What the bulk jobs of a task are made of: settled before the first upload."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_osonsms.exactly_once.task import TaskIdentity
from airflow_provider_osonsms.protocol.models import BulkJob

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPlan:
    """One text for an audience, at one time.

    Attributes:
        task: Who creates the jobs.
        campaign_id: The user's name of the campaign; None for dag, run and task.
        namespace: Of the Connection.
        text: For everybody.
        parts: That the text is billed as.
        sender: Sender name.
        send_at: Aware; when the gateway sends.
    """

    task: TaskIdentity
    campaign_id: str | None
    namespace: str
    text: str = field(repr=False)
    parts: int
    sender: str
    send_at: datetime

    @property
    def name(self) -> str:
        """The campaign's name, for people."""
        return self.campaign_id or self.task.campaign_id

    @property
    def store_key(self) -> str:
        """Where a later try finds what this one has created."""
        return f"osonsms_bulk_{self._make_txn_id('')}"

    def make_jobs(self, audience: "Audience") -> Iterator[BulkJob]:
        """Make a job for each file that the phones of *audience* fill."""
        from airflow_provider_osonsms.bulk.files import split_into_files

        for file in split_into_files(audience.msisdns):
            yield BulkJob(
                csv=file.content,
                text=self.text,
                sender=self.sender,
                txn_id=self._make_txn_id(file.digest),
                send_at=self.send_at,
            )

    def _make_txn_id(self, digest: str) -> str:
        return self.task.make_bulk_txn_id(digest, campaign_id=self.campaign_id, namespace=self.namespace)
