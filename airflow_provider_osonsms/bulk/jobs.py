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

from airflow_provider_osonsms.bulk.receipts import JobState, Receipts
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.store import NullStateStore, StateStore
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import SendAgain, TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import BulkJob, BulkReceipt
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

log = logging.getLogger(__name__)

_UNNAMED: Final = "created, name unknown"


class OnUnconfirmed(StrEnum):
    """What to do about a bulk job that may exist already."""

    FAIL = "fail"
    RESEND = "resend"
    ASSUME_CREATED = "assume_created"


class UnconfirmedBulkError(OsonSmsError):
    """A job may have been created, and repeating it could text everybody twice: a person has to look."""


class AudienceChangedError(OsonSmsError):
    """An earlier try created jobs for other people than those who should be texted now."""


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
        self._known: dict[str, str | None] = {}
        is_remembered = self._read_memories()
        self._is_blind = not is_remembered and not store.is_lasting and history is not TxnIdHistory.UNUSED
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
        for txn_id, said in dict(stored or {}).items():
            state = (
                JobState.CREATED if said else JobState.REFUSED_FOR_NOW if said is None else JobState.ATTEMPTED
            )
            self._learn(txn_id, state, said)
        for txn_id, (state, name) in received.items():
            self._learn(txn_id, state, name)
        return stored is not None or bool(received)

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
                f"{_look_for(job)}"
            )
        if self._is_blind:
            all_of_them = "it is" if total == 1 else f"all {total} are"
            none_of_them = "it is not" if total == 1 else "none is"
            raise UnconfirmedBulkError(
                f"This is not the first try, and nothing is remembered of the others (Airflow below 3.3, or "
                f"[state_store] clear_on_success): bulk job {number} of {total} may exist. Look in the "
                f"cabinet for campaigns at {_print_time(job)}. If {all_of_them} there, mark this task as "
                f"success. If {none_of_them} there, set on_unconfirmed='resend' and clear this task. With "
                f"receipt_path a task remembers by itself"
            )

    def _create_one(self, job: BulkJob, number: int, total: int) -> None:
        history = self._read_history(job)
        was_known = job.txn_id in self._known
        is_consumed = history is TxnIdHistory.MAYBE_CONSUMED
        # Before the first byte leaves: a later try must know of this upload whatever happens to this process.
        self._known[job.txn_id] = None if is_consumed else ""
        self._store.set(self._store_key, dict(self._known))
        if self._receipts is not None:
            self._receipts.write(job, JobState.REFUSED_FOR_NOW if is_consumed else JobState.ATTEMPTED)
        try:
            receipt = self._client.create_bulk(job, may_resend=self._may_resend, history=history)
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
            if proof.send_again is SendAgain.AT_ONCE:
                self._refuse_blind_retry(error, number, total)
            return
        if proof.history is TxnIdHistory.MAYBE_CONSUMED:
            self._save_result(job, None, state=JobState.REFUSED_FOR_NOW)
        if not self._may_resend:
            raise UnconfirmedBulkError(
                f"Bulk job {number} of {total} may have been created ({error}). It is not repeated. "
                f"{_look_for(job)}"
            ) from None

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

    def _refuse_blind_retry(self, error: OsonSmsError, number: int, total: int) -> None:
        """Turn a retryable failure into a final one where a retry could not know what this try created."""
        if not isinstance(self._store, NullStateStore) or self._receipts is not None or self._may_resend:
            return
        created = "none" if number == 1 else f"the {number - 1} before it"
        way_on = (
            "start a new DAG run"
            if number == 1
            else "text the recipients of the other jobs in a task of their own"
        )
        raise UnconfirmedBulkError(
            f"Bulk job {number} of {total} was not created; of the others {created} were ({error}). Airflow "
            f"below 3.3 remembers nothing from try to try, so this task does not retry: {way_on}. With "
            f"receipt_path a retry goes on by itself"
        ) from None


def _print_time(job: BulkJob) -> str:
    return f"{job.send_at.astimezone(TAJIK_TIME):%Y-%m-%d %H:%M} (Asia/Dushanbe)"


def _look_for(job: BulkJob) -> str:
    return (
        f"Look in the cabinet for a campaign at {_print_time(job)}. If it is there, set "
        f"on_unconfirmed='assume_created' and clear this task: it goes on with the next job. If it is not "
        f"there, set on_unconfirmed='resend' and clear this task: that repeats the upload under the same "
        f"txn_id"
    )
