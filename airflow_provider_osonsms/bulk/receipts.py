"""Receipts of bulk jobs: what is known of each, in a file of its own, for later tries and for other runs.

They serve where there is no state store (Airflow below 3.3), where it was emptied, and where a
``campaign_id`` of the user's makes several runs one campaign.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from airflow_provider_osonsms.bulk.plan import BulkPlan
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.models import BulkJob
from airflow_provider_osonsms.tables.files import read_columns, read_table, write_table
from airflow_provider_osonsms.tables.rows import ReceiptRow, find_kind

log = logging.getLogger(__name__)

_PHONE_BYTES: Final = 13
"""Bytes of a phone in the file of a job: 12 digits and a line feed."""


def count_recipients(job: BulkJob) -> int:
    """Return how many people *job* texts."""
    return len(job.csv) // _PHONE_BYTES


class JobState(StrEnum):
    """What is known of a bulk job."""

    ATTEMPTED = "attempted"
    """It was uploaded and not answered: it may exist."""
    REFUSED_FOR_NOW = "refused_for_now"
    """The upload met 109, 112 or 113: it may exist, and a 108 will prove nothing."""
    NOT_CREATED = "not_created"
    """Nothing of ours exists under its txn_id."""
    CREATED = "created"


class Receipt(NamedTuple):
    """What was written of a bulk job.

    Attributes:
        state: What is known.
        bulk_name: The gateway's name; None where none is known.
        attempt: The try that has uploaded it; empty for several, or an unknown one.
    """

    state: JobState
    bulk_name: str | None
    attempt: str


class ReceiptsUnreadableError(OsonSmsError):
    """The receipts cannot be read, so it is unknown which jobs exist: nothing more is uploaded."""


class Receipts:
    """The receipts of one campaign in a folder, which may hold those of others, and results tables.

    Args:
        folder: A local path, or Airflow's ObjectStoragePath.
        plan: Names the campaign.
        clock: Gives aware datetimes.

    Attributes:
        folder: Where they are.
        history_at: Up to when the history has counted by which their jobs leave people out; None for none.
    """

    def __init__(self, folder: Any, plan: BulkPlan, *, clock: Callable[[], datetime]) -> None:
        self.folder = folder
        self._plan = plan
        self._clock = clock
        self.history_at: datetime | None = None

    def read(self) -> dict[str, Receipt]:
        """Return what was written of each job of this campaign, by txn_id.

        Raises:
            ReceiptsUnreadableError: A receipt cannot be read.
        """
        found = {}
        try:
            files = sorted(self.folder.iterdir(), key=str) if self.folder.is_dir() else []
            for file in files:
                for row in read_table(file, kind=ReceiptRow) if _may_be_receipt(file) else ():
                    if (row.campaign_id, row.map_index) == (self._plan.name, self._plan.task.map_index):
                        state = JobState(str(row.state))
                        found[str(row.txn_id)] = Receipt(state, row.bulk_name, row.attempt or "")
                        if state is not JobState.NOT_CREATED and row.history_at:
                            self.history_at = datetime.fromisoformat(row.history_at)
        except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
            problem = type(error).__name__
        else:
            return found
        raise ReceiptsUnreadableError(
            f"a receipt in receipt_path cannot be read ({problem}), so it is unknown which bulk jobs exist. "
            f"Nothing more is uploaded: restore the folder"
        )

    def write(
        self, job: BulkJob, state: JobState, *, bulk_name: str | None = None, attempt: str = ""
    ) -> None:
        """Write what is known of *job* now.

        Raises:
            OSError: The folder cannot be written.
        """
        receipt = ReceiptRow(
            campaign_id=self._plan.name,
            map_index=self._plan.task.map_index,
            txn_id=job.txn_id,
            state=str(state),
            bulk_name=bulk_name,
            recipients=count_recipients(job),
            send_at=job.send_at.astimezone(UTC).isoformat(),
            uploaded_at=self._clock().astimezone(UTC).isoformat(timespec="seconds"),
            parts=self._plan.parts,
            history_at=None if self.history_at is None else self.history_at.isoformat(),
            attempt=attempt or None,
        )
        write_table([receipt], self.find_path(job), kind=ReceiptRow)

    def find_path(self, job: BulkJob) -> Any:
        """Return where the receipt of *job* is, or will be."""
        return self.folder / f"{job.txn_id}.csv"


def _may_be_receipt(file: Any) -> bool:
    """Whether *file* is a CSV file, and no other table of ours."""
    return file.suffix == ".csv" and find_kind(read_columns(file)) in (ReceiptRow, None)
