"""The bulk jobs of a task: none created twice, and none forgotten.

A bulk upload differs from a message: one request texts up to 384,615 people, nothing can be cancelled, and §5
documents no refusal of a second job under one txn_id. So what may exist already is not created again unless
the user says so.

Reference:
    OsonSMS protocol 1.5, §5; docs/design.md "Bulk is different".
"""

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from airflow_provider_osonsms.bulk.receipts import PHONE_BYTES, JobState, Receipts
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.store import (
    NullStateStore,
    StateStore,
    note_used_key,
    refuse_other_keys,
)
from airflow_provider_osonsms.exactly_once.task import NAMESPACE_ADVICE
from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError, OsonSmsError
from airflow_provider_osonsms.protocol.history import SendAgain, TxnIdHistory, is_collision, read_proof
from airflow_provider_osonsms.protocol.models import BulkJob, BulkReceipt
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.tables.paths import guard_storage

log = logging.getLogger(__name__)

_UNNAMED: Final = "created, name unknown"
_OR_THEN: Final = ", or at the time that send_at had then"
"""The time of now is the time of a job that may exist only while nobody has changed it."""
_SET_BACK: Final = "set on_unconfirmed back to 'fail' before the next run"
"""Left as it is, the answer to one question would be the answer to all later ones."""
_BULKS: Final = "osonsms_bulks"
"""Lists the store keys under which this task has begun to upload."""


class OnUnconfirmed(StrEnum):
    """What to do about a bulk job that may exist already."""

    FAIL = "fail"
    RESEND = "resend"
    ASSUME_CREATED = "assume_created"


class UnconfirmedBulkError(OsonSmsError):
    """A job may have been created, and repeating it could text everybody twice: a person has to look."""


class BulkTxnIdTakenError(DuplicateTransactionError):
    """The gateway knows the txn_id of a job, and nothing explains it: this task has not created the job."""


class AudienceChangedError(OsonSmsError):
    """An earlier try created jobs for other people than those who should be texted now."""


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


class BulkRun:
    """Creates the jobs of one task, one after the other.

    The store holds ``{txn_id: bulk_name}``. In place of a name, an empty text is a job that was uploaded and
    not answered, and None one that met a temporary refusal. Receipts say the same, also to other runs.
    """

    def __init__(
        self,
        client: OsonSmsClient,
        store: StateStore,
        *,
        store_key: str,
        history: TxnIdHistory,
        on_unconfirmed: OnUnconfirmed,
        has_own_campaign_id: bool = False,
        receipts: Receipts | None = None,
    ) -> None:
        """Read what earlier tries have stored.

        Args:
            client: Uploads.
            store: Holds what earlier tries of this task have stored under *store_key*.
            store_key: Names the campaign.
            history: What is known of earlier tries without the store.
            on_unconfirmed: What to do about a job that may exist.
            has_own_campaign_id: Whether the user named the campaign, so that another task may have created
                its jobs.
            receipts: What earlier tries and other runs have left; None for none.

        Raises:
            ReceiptsUnreadableError: It cannot be read.
        """
        self._client = client
        self._store = store
        self._store_key = store_key
        self._receipts = receipts
        self._remembers = receipts is not None or not isinstance(store, NullStateStore)
        self._known: dict[str, str | None] = {}
        is_remembered = self._read_memories() or store.is_lasting or history is TxnIdHistory.UNUSED
        # A value that is not ours says nothing, so each job may exist.
        self._is_blind = self._is_store_strange or not is_remembered
        self._may_resend = on_unconfirmed is OnUnconfirmed.RESEND
        self._assumes_created = on_unconfirmed is OnUnconfirmed.ASSUME_CREATED
        self._has_own_campaign_id = has_own_campaign_id

    def create(self, jobs: Sequence[BulkJob], *, check_time: Callable[[], None]) -> list[BulkReceipt]:
        """Create those *jobs* that are not known to exist, and return the receipts of all, in order.

        Args:
            jobs: The jobs, each with a txn_id that a retry computes again.
            check_time: Called before each upload; raises when ``send_at`` is past.

        Raises:
            AudienceChangedError: Jobs are known that are not among *jobs*.
            UnconfirmedBulkError: A job may exist already.
            OsonSmsError: The gateway refused, or could not be reached.
        """
        self._refuse_other_jobs(jobs)
        done = [job for job in jobs if self._known.get(job.txn_id)]
        if done:
            log.info("%d of %d bulk jobs were created before", len(done), len(jobs))
        for number, job in enumerate(jobs, start=1):
            if not self._known.get(job.txn_id) and not self._is_assumed(job, number, len(jobs)):
                check_time()
                self._refuse_unconfirmed(job, number, len(jobs))
                self._create_one(job, number, len(jobs))
        return [BulkReceipt(txn_id=job.txn_id, bulk_name=self._known[job.txn_id]) for job in jobs]

    def _read_memories(self) -> bool:
        """Take in what the store and the receipts say by now; return whether they say anything.

        Raises:
            ReceiptsUnreadableError: The receipts cannot be read.
        """
        stored = self._store.get(self._store_key)
        received = {} if self._receipts is None else self._receipts.read()
        self._is_store_strange = stored is not None and not isinstance(stored, dict)
        for txn_id, said in (stored if isinstance(stored, dict) else {}).items():
            if said is None:
                self._learn(txn_id, JobState.REFUSED_FOR_NOW, None)
            elif isinstance(said, str) and said:
                self._learn(txn_id, JobState.CREATED, said)
            else:
                self._learn(txn_id, JobState.ATTEMPTED, None)
        for txn_id, (state, name) in received.items():
            self._learn(txn_id, state, name)
        return isinstance(stored, dict) or bool(received)

    def _learn(self, txn_id: str, state: JobState, name: str | None) -> None:
        """Take in what is known of a job; a name that is known stays."""
        if state is JobState.CREATED:
            self._known[txn_id] = self._known.get(txn_id) or name or _UNNAMED
        elif state is JobState.REFUSED_FOR_NOW:
            self._known[txn_id] = self._known.get(txn_id) or None
        elif state is JobState.ATTEMPTED:
            self._known.setdefault(txn_id, "")

    def _refuse_other_jobs(self, jobs: Sequence[BulkJob]) -> None:
        others = self._known.keys() - {job.txn_id for job in jobs}
        if others:
            names = ", ".join(self._known[txn_id] or "one without an answer" for txn_id in sorted(others))
            raise AudienceChangedError(
                f"The recipients have changed since bulk jobs were created for the old ones ({names}): "
                f"creating jobs for the new ones would text people twice. Restore the old recipients; "
                f"text those who were added in a task of their own"
            )

    def _is_assumed(self, job: BulkJob, number: int, total: int) -> bool:
        """Whether a job that was uploaded and not answered counts as created: a person has looked."""
        if not self._assumes_created or job.txn_id not in self._known:
            return False
        self._save_result(job, _UNNAMED, state=JobState.CREATED)
        log.warning("Bulk job %d of %d counts as created, as on_unconfirmed says", number, total)
        return True

    def _refuse_unconfirmed(self, job: BulkJob, number: int, total: int) -> None:
        if self._may_resend:
            return
        if job.txn_id in self._known:
            raise UnconfirmedBulkError(
                f"An earlier try uploaded bulk job {number} of {total} and got no answer, so it may exist. "
                f"{self._look_for(job, total)}"
            )
        if self._is_blind:
            all_of_them = "it is" if total == 1 else f"all {total} are"
            none_of_them = "it is not" if total == 1 else "none is"
            some_of_them = (
                ""
                if total == 1
                else " If only some are there, text the recipients of the others in a task of their own."
            )
            raise UnconfirmedBulkError(
                f"This is not the first try, and nothing is remembered of the others (Airflow below 3.3, or "
                f"[state_store] clear_on_success): bulk job {number} of {total} may exist. Look in the "
                f"cabinet for campaigns at {_print_time(job)}{_OR_THEN}. If {all_of_them} there, mark this "
                f"task as success.{some_of_them} If {none_of_them} there, set on_unconfirmed='resend', clear "
                f"this task, and {_SET_BACK}. With receipt_path a task remembers by itself"
            )

    def _create_one(self, job: BulkJob, number: int, total: int) -> None:
        history = self._read_history(job)
        was_known = job.txn_id in self._known
        is_consumed = history is TxnIdHistory.MAYBE_CONSUMED
        # Before the first byte leaves: a later try must know of this upload whatever happens to this process.
        self._known[job.txn_id] = None if is_consumed else ""
        self._store.set(self._store_key, dict(self._known))
        state = JobState.REFUSED_FOR_NOW if is_consumed else JobState.ATTEMPTED
        self._write_receipt(job, state, was_known=was_known)
        try:
            receipt = self._client.create_bulk(
                job,
                may_resend=self._may_resend,
                history=history,
                on_history=lambda left_behind: self._save_history(job, left_behind),
            )
        except OsonSmsError as error:
            self._read_memories_quietly()
            if self._is_created_by_another(job, error):
                return
            self._handle_failure(error, job, number=number, total=total, was_known=was_known)
            raise
        self._read_memories_quietly()
        name = receipt.bulk_name or self._known[job.txn_id] or _UNNAMED
        self._save_result(job, name, state=JobState.CREATED)
        log.info("Bulk job %d of %d was created: %s", number, total, self._known[job.txn_id])

    def _write_receipt(self, job: BulkJob, state: JobState, *, was_known: bool) -> None:
        """Write the receipt of an upload that is about to begin.

        Raises:
            InvalidMessageError, PathUnavailableError: It cannot be written; the job is as it was before.
        """
        receipts = self._receipts
        if receipts is None:
            return
        try:
            guard_storage(lambda: receipts.write(job, state), "a receipt in receipt_path", "written")
        except OsonSmsError:
            if not was_known:  # nothing was uploaded, so no later try has to ask a person
                self._save_not_created(job)
            raise

    def _read_memories_quietly(self) -> None:
        """Take in what a newer try has stored, should this one have been taken for dead meanwhile.

        What is written next must not be less, and what that one has created must not be created again.
        """
        try:
            self._read_memories()
        except Exception as error:  # noqa: BLE001 - stores and storages have errors of their own
            log.warning("What other tries have stored is not known (%s)", type(error).__name__)

    def _is_created_by_another(self, job: BulkJob, error: OsonSmsError) -> bool:
        """Whether another try has created the job meanwhile: our 108 is no collision then.

        A job without a name was told from a 108 too, which proves nothing where we know of a refusal.
        """
        name = self._known[job.txn_id]
        is_doubted = read_proof(error).history is TxnIdHistory.MAYBE_CONSUMED
        return bool(name) and not (name == _UNNAMED and is_doubted)

    def _read_history(self, job: BulkJob) -> TxnIdHistory:
        if self._known.get(job.txn_id, "") is None:
            return TxnIdHistory.MAYBE_CONSUMED
        may_exist = job.txn_id in self._known or self._is_blind or self._has_own_campaign_id
        return TxnIdHistory.MAYBE_ACCEPTED if may_exist else TxnIdHistory.UNUSED

    def _handle_failure(
        self, error: OsonSmsError, job: BulkJob, *, number: int, total: int, was_known: bool
    ) -> None:
        """Store what *error* has left behind; raise where a later try must not go on by itself."""
        proof = read_proof(error)
        if proof.history is TxnIdHistory.UNUSED:
            if not was_known and self._known[job.txn_id] is not None:
                self._save_not_created(job)
            if is_collision(error):
                self._refuse_taken(error, job, number=number, total=total)
            if proof.send_again is SendAgain.AT_ONCE:
                self._refuse_blind_retry(error, number, total)
            return
        if proof.history is TxnIdHistory.MAYBE_CONSUMED and not self._known[job.txn_id]:
            self._save_result(job, None, state=JobState.REFUSED_FOR_NOW)
        if not self._may_resend:
            raise UnconfirmedBulkError(
                f"Bulk job {number} of {total} may have been created ({error}). It is not repeated. "
                f"{self._look_for(job, total)}"
            ) from None

    def _save_history(self, job: BulkJob, left_behind: TxnIdHistory) -> None:
        """Store that a 108 will prove nothing, before the next attempt: a kill may come until then."""
        if left_behind is not TxnIdHistory.MAYBE_CONSUMED:
            return
        self._read_memories_quietly()
        if not self._known[job.txn_id]:  # a newer try may have created it meanwhile
            self._save_result(job, None, state=JobState.REFUSED_FOR_NOW)

    def _save_not_created(self, job: BulkJob) -> None:
        del self._known[job.txn_id]
        self._save(job, JobState.NOT_CREATED, bulk_name=None)

    def _save_result(self, job: BulkJob, bulk_name: str | None, *, state: JobState) -> None:
        self._known[job.txn_id] = bulk_name
        self._save(job, state, bulk_name=bulk_name)

    def _save(self, job: BulkJob, state: JobState, *, bulk_name: str | None) -> None:
        """Store what the gateway has answered; if that fails, the job stays one that may exist."""
        try:
            self._store.set(self._store_key, dict(self._known))
            if self._receipts is not None:
                self._receipts.write(job, state, bulk_name=bulk_name)
        except Exception as error:  # noqa: BLE001 - stores and storages have errors of their own
            text = "What became of a bulk job could not be stored (%s): for a later try it may exist"
            log.warning(text, type(error).__name__)

    def _refuse_taken(self, error: OsonSmsError, job: BulkJob, *, number: int, total: int) -> None:
        """Say what to do about a txn_id that is taken: once jobs exist, the namespace has to stay."""
        later = " and text the recipients of the later jobs in a task of their own" if number < total else ""
        way_on = (
            "keep the key_namespace, because under another one the other jobs would be created again: "
            "text these recipients in a task of their own"
            if self._known
            else NAMESPACE_ADVICE
        )
        raise BulkTxnIdTakenError(
            f"{error}, although this task has not used it before: this try has not created bulk job {number} "
            f"of {total}. Look in the cabinet first, for a campaign at {_print_time(job)}. If it is there, "
            f"mark this task as success{later}. If it is not there, {way_on}"
        ) from None

    def _refuse_blind_retry(self, error: OsonSmsError, number: int, total: int) -> None:
        """Turn a retryable failure into a final one where a retry could not know what this try created."""
        if self._remembers or self._may_resend:
            return
        created = "none" if number == 1 else f"the {number - 1} before it"
        whose = "the recipients" if number == 1 else "the recipients of the other jobs"
        raise UnconfirmedBulkError(
            f"Bulk job {number} of {total} was not created; of the others {created} were ({error}). Airflow "
            f"below 3.3 remembers nothing from try to try, so this task does not retry: text {whose} in a "
            f"task of their own. With receipt_path a retry goes on by itself"
        ) from None

    def _look_for(self, job: BulkJob, total: int) -> str:
        """Say where a person finds out whether *job* exists, and what to do then."""
        others = ", ".join(sorted(name for name in self._known.values() if name))
        besides = f" besides {others}" if others else ""
        where = (
            f"Look in the cabinet for a campaign of {len(job.csv) // PHONE_BYTES} numbers at "
            f"{_print_time(job)}{_OR_THEN}{besides}."
        )
        resend = "set on_unconfirmed='resend' and clear this task: it uploads the job again under the same"
        if self._remembers:
            return (
                f"{where} If it is there, set on_unconfirmed='assume_created' and clear this task: it goes "
                f"on with the next job. If it is not there, {resend} txn_id, and then each later job that is "
                f"not answered, too. Afterwards {_SET_BACK}"
            )
        if total == 1:
            return (
                f"{where} If it is there, mark this task as success. If it is not there, {resend} txn_id. "
                f"Afterwards {_SET_BACK}"
            )
        # A Clear with 'resend' would upload the jobs that exist, too.
        return (
            f"{where} Nothing is remembered from try to try (Airflow below 3.3, no receipt_path), so mark "
            f"this task as success, and text the recipients of the jobs that are not there in a task of "
            f"their own"
        )


def _print_time(job: BulkJob) -> str:
    return f"{job.send_at.astimezone(TAJIK_TIME):%Y-%m-%d %H:%M} (Asia/Dushanbe)"
