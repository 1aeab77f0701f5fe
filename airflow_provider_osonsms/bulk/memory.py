"""What a task remembers of its bulk jobs: in its state store, and in receipts that other runs read too."""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from airflow_provider_osonsms.bulk.receipts import JobState, Receipt, Receipts
from airflow_provider_osonsms.exactly_once.store import (
    NullStateStore,
    StateStore,
    note_used_key,
    refuse_other_keys,
)
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import BulkJob
from airflow_provider_osonsms.tables.paths import guard_storage

log = logging.getLogger(__name__)

UNNAMED: Final = "created, name unknown"
_BULKS: Final = "osonsms_bulks"
"""Lists the store keys under which this task has begun to upload."""


def refuse_other_txn_ids(store: StateStore, store_key: str) -> None:
    """Return when this task has uploaded nothing under another *store_key*, and note this one.

    Raises:
        KeysChangedError: It has, so the same people would be texted a second time.
    """

    def find_sent(other: str) -> str | None:
        if not store.get(other):  # empty where no job of it exists
            return None
        return "uploaded bulk jobs in this run under another key_namespace or campaign_id"

    refuse_other_keys(store, _BULKS, store_key, find_sent=find_sent)
    note_used_key(store, _BULKS, store_key)


class JobMemory:
    """What is known of the jobs of one campaign.

    The store holds ``{txn_id: {"state": ..., "bulk_name": ..., "attempt": ...}}``. Receipts say the same,
    also to other runs.

    An attempt carries the try that made it, and only that try may take it back: of two at once (one was taken
    for dead) the refusal of one says nothing about the upload of the other.

    Args:
        store: Holds what earlier tries of this task have stored under *store_key*.
        store_key: Names the campaign.
        history: What is known of earlier tries without the store.
        receipts: What earlier tries and other runs have left; None for none.

    Raises:
        ReceiptsUnreadableError: It cannot be read.

    Attributes:
        names: Of the jobs that exist or may, by txn_id. In place of a name, an empty text is a job that was
            uploaded and not answered, and None one that met a temporary refusal.
        is_lasting: Whether a later try reads anything of what is written here.
        receipts: As given.
        is_blind: Whether there may have been a try of which nothing is known: then each job may exist.
    """

    def __init__(
        self, store: StateStore, *, store_key: str, history: TxnIdHistory, receipts: Receipts | None
    ) -> None:
        self.names: dict[str, str | None] = {}
        self._attempts: dict[str, str] = {}
        """Who has uploaded each job that was not answered; an empty text is several, or unknown."""
        self._own = uuid.uuid4().hex[:8]
        self.is_lasting = receipts is not None or not isinstance(store, NullStateStore)
        self._store = store
        self._store_key = store_key
        self._history_key = f"{store_key}_history"
        self.receipts = receipts
        stored, has_receipts = self.read()
        is_remembered = isinstance(stored, dict) or has_receipts
        is_remembered = is_remembered or store.is_lasting or history is TxnIdHistory.UNUSED
        # A value that is not ours says nothing.
        is_strange = stored is not None and not isinstance(stored, dict)
        self.is_blind = is_strange or not is_remembered

    def read_history_at(self) -> datetime | None:
        """Return up to when the history has counted for the jobs that exist, or may; None for none.

        All tries leave out the same people. Else a message that another task sends between two of them would
        make another audience, and other jobs for people who have one.
        """
        if not self.names:
            return None
        stored = self._store.get(self._history_key)
        if isinstance(stored, str):
            return datetime.fromisoformat(stored)
        return None if self.receipts is None else self.receipts.history_at

    def save_history_at(self, moment: datetime) -> None:
        """Write up to when the history has counted for the jobs that are uploaded next.

        Raises:
            Exception: The store's own.
        """
        self._store.set(self._history_key, moment.isoformat())
        if self.receipts is not None:
            self.receipts.history_at = moment

    def may_upload(self, job: BulkJob, *, assumes_created: bool) -> bool:
        """Whether this try may upload *job*: it is not known to exist.

        Args:
            job: The job.
            assumes_created: Whether one that was uploaded and not answered counts as created.
        """
        return not self.names.get(job.txn_id) and not (assumes_created and job.txn_id in self.names)

    def read_quietly(self) -> bool:
        """Take in what a newer try has stored, should this one have been taken for dead meanwhile.

        What is written next must not be less, and what that one has created must not be created again.

        Returns:
            Whether that is known.
        """
        try:
            self.read()
        except Exception as error:  # noqa: BLE001 - stores and storages have errors of their own
            log.warning("What other tries have stored is not known (%s)", type(error).__name__)
            return False
        return True

    def doubt(self, jobs: Sequence[BulkJob]) -> None:
        """Write that each of the *jobs* may exist: what this try writes must not read as all there was.

        Raises:
            Exception: The store's own.
            InvalidMessageError, PathUnavailableError: A receipt cannot be written.
        """
        unknown = [job for job in jobs if job.txn_id not in self.names]
        self.names |= dict.fromkeys((job.txn_id for job in unknown), "")
        self._save_in_store()
        for job in unknown:
            self._write_receipt(job, JobState.ATTEMPTED)
        self.is_blind = False

    def read_history(self, job: BulkJob) -> TxnIdHistory:
        """Return what the memory alone tells of a job's txn_id."""
        if job.txn_id not in self.names:
            return TxnIdHistory.MAYBE_ACCEPTED if self.is_blind else TxnIdHistory.UNUSED
        is_refused = self.names[job.txn_id] is None
        return TxnIdHistory.MAYBE_CONSUMED if is_refused else TxnIdHistory.MAYBE_ACCEPTED

    def save_attempt(self, job: BulkJob) -> None:
        """Write that an upload begins: a later try must know of it whatever happens to this process.

        Raises:
            Exception: The store's own.
            InvalidMessageError, PathUnavailableError: The receipt cannot be written; the job is as it was
                before.
        """
        self._attempts[job.txn_id] = "" if job.txn_id in self.names else self._own
        is_refused = self.read_history(job) is TxnIdHistory.MAYBE_CONSUMED
        self.names[job.txn_id] = None if is_refused else ""
        self._save_in_store()
        try:
            self._write_receipt(job, JobState.REFUSED_FOR_NOW if is_refused else JobState.ATTEMPTED)
        except OsonSmsError:
            self.take_back(job)  # nothing was uploaded, so no later try has to ask a person
            raise

    def save_refused_for_now(self, job: BulkJob) -> None:
        """Write that a 108 will prove nothing from now on, unless the job is known to exist."""
        if not self.names[job.txn_id]:
            self._save(job, JobState.REFUSED_FOR_NOW, None)

    def save_created(self, job: BulkJob, name: str | None) -> None:
        """Write that a job exists; a name that is known stays if this one is not."""
        self._save(job, JobState.CREATED, name or self.names[job.txn_id] or UNNAMED)

    def take_back(self, job: BulkJob) -> bool:
        """Write that nothing of ours exists under a job's txn_id, if nobody but this try has uploaded it.

        Returns:
            Whether nobody has, as far as can be told.
        """
        is_known = self.read_quietly()
        if not is_known or self.names[job.txn_id] != "" or self._attempts[job.txn_id] != self._own:
            return False
        del self.names[job.txn_id]
        self._write(job, JobState.NOT_CREATED, None)
        return True

    def _save(self, job: BulkJob, state: JobState, name: str | None) -> None:
        self.names[job.txn_id] = name
        self._write(job, state, name)

    def _write_receipt(self, job: BulkJob, state: JobState) -> None:
        if (receipts := self.receipts) is not None:
            attempt = self._attempts.get(job.txn_id, "")
            guard_storage(
                lambda: receipts.write(job, state, attempt=attempt), "a receipt in receipt_path", "written"
            )

    def _save_in_store(self) -> None:
        """Write all names as they are.

        Raises:
            Exception: The store's own.
        """
        known = {}
        for txn_id, name in self.names.items():
            attempt = self._attempts.get(txn_id, "") if name == "" else ""
            known[txn_id] = Receipt(_name_state(name), name or None, attempt)._asdict()
        self._store.set(self._store_key, known)

    def _write(self, job: BulkJob, state: JobState, name: str | None) -> None:
        """Write what the gateway has answered; if that fails, the job stays one that may exist."""
        try:
            self._save_in_store()
            if self.receipts is not None:
                self.receipts.write(job, state, bulk_name=name)
        except Exception as error:  # noqa: BLE001 - stores and storages have errors of their own
            text = "What became of a bulk job could not be stored (%s): for a later try it may exist"
            log.warning(text, type(error).__name__)

    def read(self) -> tuple[Any, bool]:
        """Take in what is said by now; return the store's value, and whether there is any receipt.

        Raises:
            Exception: The store's own.
            ReceiptsUnreadableError: The receipts cannot be read.
        """
        stored = self._store.get(self._store_key)
        received = {} if self.receipts is None else self.receipts.read()
        for txn_id, said in (stored if isinstance(stored, dict) else {}).items():
            self._learn(txn_id, _read_entry(said))
        for txn_id, receipt in received.items():
            self._learn(txn_id, receipt)
        return stored, bool(received)

    def _learn(self, txn_id: str, said: Receipt) -> None:
        """Take in what is known of a job; a name that is known stays."""
        if said.state is JobState.CREATED:
            self.names[txn_id] = self.names.get(txn_id) or said.bulk_name or UNNAMED
        elif said.state is JobState.REFUSED_FOR_NOW:
            self.names[txn_id] = self.names.get(txn_id) or None
        elif said.state is JobState.ATTEMPTED:
            self.names.setdefault(txn_id, "")
            if self._attempts.setdefault(txn_id, said.attempt) != said.attempt:
                self._attempts[txn_id] = ""


def _name_state(name: str | None) -> JobState:
    """Return the state of a job that has this in place of a name."""
    if name is None:
        return JobState.REFUSED_FOR_NOW
    return JobState.CREATED if name else JobState.ATTEMPTED


def _read_entry(said: Any) -> Receipt:
    """Read what the store holds of a job; what is not ours says that it may exist."""
    try:
        return Receipt(JobState(said["state"]), said["bulk_name"], said["attempt"])
    except (TypeError, KeyError, ValueError):
        return Receipt(JobState.ATTEMPTED, None, "")
