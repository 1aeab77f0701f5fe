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

from airflow_provider_osonsms.bulk.memory import UNNAMED, JobMemory
from airflow_provider_osonsms.bulk.receipts import count_recipients
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.task import NAMESPACE_ADVICE
from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError, OsonSmsError
from airflow_provider_osonsms.protocol.flows import PATIENCE
from airflow_provider_osonsms.protocol.history import (
    TxnIdHistory,
    is_collision,
    may_send_again_soon,
    read_proof,
)
from airflow_provider_osonsms.protocol.models import BulkJob, BulkReceipt
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

log = logging.getLogger(__name__)

_OR_THEN: Final = ", or at the time that send_at had then"
"""The time of now is the time of a job that may exist only while nobody has changed it."""
_SET_BACK: Final = "set on_unconfirmed back to 'fail' before the next run"
"""Left as it is, the answer to one question would be the answer to all later ones."""


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


class BulkRun:
    """Creates the jobs of one task, one after the other.

    Args:
        client: Uploads.
        memory: What is known of the jobs.
        on_unconfirmed: What to do about a job that may exist.
        has_own_campaign_id: Whether the user named the campaign, so that another task may have created its
            jobs.
    """

    def __init__(
        self,
        client: OsonSmsClient,
        memory: JobMemory,
        *,
        on_unconfirmed: OnUnconfirmed,
        has_own_campaign_id: bool = False,
    ) -> None:
        self._client = client
        self._memory = memory
        self._may_resend = on_unconfirmed is OnUnconfirmed.RESEND
        self._assumes_created = on_unconfirmed is OnUnconfirmed.ASSUME_CREATED
        self._has_own_campaign_id = has_own_campaign_id

    def create(self, jobs: Sequence[BulkJob], *, check_time: Callable[[], float]) -> list[BulkReceipt]:
        """Create those *jobs* that are not known to exist, and return the receipts of all, in order.

        Args:
            jobs: The jobs, each with a txn_id that a retry computes again.
            check_time: Returns the seconds that are left before ``send_at``; raises when it is past.

        Raises:
            AudienceChangedError: Jobs are known that are not among *jobs*.
            UnconfirmedBulkError: A job may exist already.
            OsonSmsError: The gateway refused, or could not be reached.
        """
        self._refuse_other_jobs(jobs)
        done = [job for job in jobs if self._memory.names.get(job.txn_id)]
        if done:
            log.info("%d of %d bulk jobs were created before", len(done), len(jobs))
        for number, job in enumerate(jobs, start=1):
            self._memory.read()  # another try, which takes this one for dead, may have begun to upload
            if not self._memory.names.get(job.txn_id) and not self._is_assumed(job, number, len(jobs)):
                seconds_left = check_time()
                self._refuse_unconfirmed(job, number, len(jobs))
                if self._memory.is_blind:
                    self._memory.doubt(jobs)
                self._create_one(job, number, len(jobs), seconds_left=seconds_left)
        return [BulkReceipt(txn_id=job.txn_id, bulk_name=self._memory.names[job.txn_id]) for job in jobs]

    def _refuse_other_jobs(self, jobs: Sequence[BulkJob]) -> None:
        known = self._memory.names
        others = known.keys() - {job.txn_id for job in jobs}
        if others:
            names = ", ".join(known[txn_id] or "one without an answer" for txn_id in sorted(others))
            raise AudienceChangedError(
                f"The recipients have changed since bulk jobs were created for the old ones ({names}): "
                f"creating jobs for the new ones would text people twice. Restore the old recipients; "
                f"text those who were added in a task of their own"
            )

    def _is_assumed(self, job: BulkJob, number: int, total: int) -> bool:
        """Whether a job that was uploaded and not answered counts as created: a person has looked."""
        if not self._assumes_created or job.txn_id not in self._memory.names:
            return False
        self._memory.save_created(job, None)
        log.warning("Bulk job %d of %d counts as created, as on_unconfirmed says", number, total)
        return True

    def _refuse_unconfirmed(self, job: BulkJob, number: int, total: int) -> None:
        if self._may_resend:
            return
        if job.txn_id in self._memory.names:
            raise UnconfirmedBulkError(
                f"Bulk job {number} of {total} may exist: an earlier try got no answer or is not remembered. "
                f"{self._look_for(job, total)}"
            )
        if self._memory.is_blind:
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

    def _create_one(self, job: BulkJob, number: int, total: int, *, seconds_left: float) -> None:
        memory = self._memory
        history = memory.read_history(job)
        if self._has_own_campaign_id:  # another task may have created it
            history = max(history, TxnIdHistory.MAYBE_ACCEPTED)
        memory.save_attempt(job)
        try:
            receipt = self._client.create_bulk(
                job,
                may_resend=self._may_resend,
                history=history,
                on_history=lambda left_behind: self._save_history(job, left_behind),
                patience=min(PATIENCE, seconds_left),
            )
        except OsonSmsError as error:
            memory.read_quietly()
            if self._is_created_by_another(job, error):
                return
            self._handle_failure(error, job, number, total)
            raise
        memory.read_quietly()
        memory.save_created(job, receipt.bulk_name)
        log.info("Bulk job %d of %d was created: %s", number, total, memory.names[job.txn_id])

    def _is_created_by_another(self, job: BulkJob, error: OsonSmsError) -> bool:
        """Whether another try has created the job meanwhile: our 108 is no collision then.

        A job without a name was told from a 108 too, which proves nothing where we know of a refusal.
        """
        name = self._memory.names[job.txn_id]
        is_doubted = read_proof(error).history is TxnIdHistory.MAYBE_CONSUMED
        return bool(name) and not (name == UNNAMED and is_doubted)

    def _handle_failure(self, error: OsonSmsError, job: BulkJob, number: int, total: int) -> None:
        """Store what *error* has left behind; raise where a later try must not go on by itself."""
        proof = read_proof(error)
        if proof.history is TxnIdHistory.UNUSED:
            is_ours = self._memory.take_back(job)
            if is_collision(error) and is_ours:
                self._refuse_taken(error, job, number=number, total=total)
            if may_send_again_soon(error):
                self._refuse_blind_retry(error, number, total)
            if not is_collision(error):
                return
        if proof.history is TxnIdHistory.MAYBE_CONSUMED:
            self._memory.save_refused_for_now(job)
        if is_collision(error) or not self._may_resend:  # a 108 here may be of another try's upload
            raise UnconfirmedBulkError(
                f"Bulk job {number} of {total} may have been created ({error}). It is not repeated. "
                f"{self._look_for(job, total)}"
            ) from None

    def _save_history(self, job: BulkJob, left_behind: TxnIdHistory) -> None:
        """Store that a 108 will prove nothing, before the next attempt: a kill may come until then."""
        if left_behind is TxnIdHistory.MAYBE_CONSUMED:
            self._memory.read_quietly()  # a newer try may have created it meanwhile
            self._memory.save_refused_for_now(job)

    def _refuse_taken(self, error: OsonSmsError, job: BulkJob, *, number: int, total: int) -> None:
        """Say what to do about a txn_id that is taken: once jobs exist, the namespace has to stay."""
        later = " and text the recipients of the later jobs in a task of their own" if number < total else ""
        way_on = (
            "keep the key_namespace, because under another one the other jobs would be created again: "
            "text these recipients in a task of their own"
            if self._memory.names
            else NAMESPACE_ADVICE
        )
        raise BulkTxnIdTakenError(
            f"{error}, although this task has not used it before: this try has not created bulk job {number} "
            f"of {total}. Look in the cabinet first, for a campaign at {_print_time(job)}. If it is there, "
            f"mark this task as success{later}. If it is not there, {way_on}"
        ) from None

    def _refuse_blind_retry(self, error: OsonSmsError, number: int, total: int) -> None:
        """Turn a retryable failure into a final one where a retry could not know what this try created."""
        if self._memory.is_lasting or self._may_resend:
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
        others = ", ".join(sorted(name for name in self._memory.names.values() if name))
        besides = f" besides {others}" if others else ""
        where = (
            f"Look in the cabinet for a campaign of {count_recipients(job)} numbers at "
            f"{_print_time(job)}{_OR_THEN}{besides}."
        )
        resend = "set on_unconfirmed='resend' and clear this task: it uploads the job again under the same"
        if self._memory.is_lasting:
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
