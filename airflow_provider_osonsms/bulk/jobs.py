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

from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.store import NullStateStore, StateStore, save_result
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import SendAgain, TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import BulkJob, BulkReceipt
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME

log = logging.getLogger(__name__)

_NO_ANSWER = ""
"""Stored in place of a name: the job was uploaded and not answered."""
_WAY_ON = (
    "If it is there, mark this task as success. If it is not, start a new DAG run, or set "
    "on_unconfirmed='resend' and clear this task: that repeats the upload under the same txn_id"
)


class OnUnconfirmed(StrEnum):
    """What to do about a bulk job that may exist already."""

    FAIL = "fail"
    RESEND = "resend"


class UnconfirmedBulkError(OsonSmsError):
    """A job may have been created, and repeating it could text everybody twice: a person has to look."""


class AudienceChangedError(OsonSmsError):
    """An earlier try created jobs for other people than those who should be texted now."""


class BulkRun:
    """Creates the jobs of one task, one after the other.

    The store holds ``{txn_id: bulk_name}``. In place of a name, an empty text is a job that was uploaded and
    not answered, and None one that met a temporary refusal: a 108 then proves nothing.
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
        """
        known = store.get(store_key)
        self._client = client
        self._store = store
        self._store_key = store_key
        self._is_blind = known is None and not store.is_lasting and history is not TxnIdHistory.UNUSED
        self._may_resend = on_unconfirmed is OnUnconfirmed.RESEND
        self._has_own_campaign_id = has_own_campaign_id
        self._known: dict[str, str | None] = dict(known or {})

    def create(self, jobs: Sequence[BulkJob], *, check_time: Callable[[], None]) -> list[BulkReceipt]:
        """Create those *jobs* that are not known to exist, and return the receipts of all, in order.

        Args:
            jobs: The jobs, each with a txn_id that a retry computes again.
            check_time: Called before each upload; raises when ``send_at`` is past.

        Raises:
            AudienceChangedError: The store knows of jobs that are not among *jobs*.
            UnconfirmedBulkError: A job may exist already.
            OsonSmsError: The gateway refused, or could not be reached.
        """
        self._refuse_strangers(jobs)
        done = [job for job in jobs if self._known.get(job.txn_id)]
        if done:
            log.info("%d of %d bulk jobs were created by an earlier try", len(done), len(jobs))
        for number, job in enumerate(jobs, start=1):
            if not self._known.get(job.txn_id):
                check_time()
                self._refuse_unconfirmed(job, number, len(jobs))
                self._create_one(job, number, len(jobs))
        return [BulkReceipt(txn_id=job.txn_id, bulk_name=self._known[job.txn_id]) for job in jobs]

    def _refuse_strangers(self, jobs: Sequence[BulkJob]) -> None:
        strangers = self._known.keys() - {job.txn_id for job in jobs}
        if strangers:
            names = ", ".join(self._known[txn_id] or "one without an answer" for txn_id in sorted(strangers))
            raise AudienceChangedError(
                f"The recipients changed since an earlier try, which created bulk jobs for the old ones "
                f"({names}): creating jobs for the new ones would text people twice. Restore the old "
                f"recipients, or cancel those jobs in the cabinet and start a new DAG run"
            )

    def _refuse_unconfirmed(self, job: BulkJob, number: int, total: int) -> None:
        if self._may_resend:
            return
        if job.txn_id in self._known:
            raise UnconfirmedBulkError(
                f"An earlier try uploaded bulk job {number} of {total} and got no answer, so it may exist. "
                f"{_look_for(job)}"
            )
        if self._is_blind:
            raise UnconfirmedBulkError(
                f"This is not the first try, and nothing is remembered of the others (Airflow below 3.3, or "
                f"[state_store] clear_on_success): bulk job {number} of {total} may exist. {_look_for(job)}"
            )

    def _create_one(self, job: BulkJob, number: int, total: int) -> None:
        history = self._read_history(job)
        was_known = job.txn_id in self._known
        # Stored before the first byte leaves: a later try must know of this upload whatever happens to this
        # process.
        self._known[job.txn_id] = None if history is TxnIdHistory.MAYBE_CONSUMED else _NO_ANSWER
        self._store.set(self._store_key, dict(self._known))
        try:
            receipt = self._client.create_bulk(job, may_resend=self._may_resend, history=history)
        except OsonSmsError as error:
            self._handle_failure(error, job, number=number, total=total, was_known=was_known)
            raise
        self._known[job.txn_id] = receipt.bulk_name or "created, name unknown"
        save_result(self._store, self._store_key, dict(self._known))
        log.info("Bulk job %d of %d was created: %s", number, total, self._known[job.txn_id])

    def _read_history(self, job: BulkJob) -> TxnIdHistory:
        if self._known.get(job.txn_id, _NO_ANSWER) is None:
            return TxnIdHistory.MAYBE_CONSUMED
        may_exist = job.txn_id in self._known or self._is_blind or self._has_own_campaign_id
        return TxnIdHistory.MAYBE_ACCEPTED if may_exist else TxnIdHistory.UNUSED

    def _handle_failure(
        self, error: OsonSmsError, job: BulkJob, *, number: int, total: int, was_known: bool
    ) -> None:
        """Store what *error* has left behind; raise where a later try must not go on by itself."""
        proof = read_proof(error)
        if proof.history is TxnIdHistory.UNUSED:
            if not was_known:
                del self._known[job.txn_id]
                save_result(self._store, self._store_key, dict(self._known))
            if proof.send_again is SendAgain.AT_ONCE:
                self._refuse_blind_retry(error, number, total)
            return
        if proof.history is TxnIdHistory.MAYBE_CONSUMED:
            self._known[job.txn_id] = None
            save_result(self._store, self._store_key, dict(self._known))
        if not self._may_resend:
            raise UnconfirmedBulkError(
                f"Bulk job {number} of {total} may have been created ({error}). It is not repeated. "
                f"{_look_for(job)}"
            ) from None

    def _refuse_blind_retry(self, error: OsonSmsError, number: int, total: int) -> None:
        """Turn a retryable failure into a final one where a retry could not know what this try created."""
        if isinstance(self._store, NullStateStore) and not self._may_resend:
            way_on = "start a new DAG run" if number == 1 else "set on_unconfirmed='resend' and clear it"
            raise UnconfirmedBulkError(
                f"Bulk job {number} of {total} was not created, the {number - 1} before it were ({error}). "
                f"Airflow below 3.3 remembers nothing from try to try, so this task does not retry: {way_on}"
            ) from None


def _look_for(job: BulkJob) -> str:
    moment = job.send_at.astimezone(TAJIK_TIME)
    return f"Look in the cabinet for a campaign at {moment:%Y-%m-%d %H:%M} (Asia/Dushanbe). {_WAY_ON}"
