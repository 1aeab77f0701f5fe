"""One try of a campaign, from what earlier tries have stored to what later ones must know."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from heapq import merge
from operator import itemgetter
from typing import Any, Final

from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError, Stop, run_in_thread
from airflow_provider_osonsms.campaign.plan import CampaignPlan
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.campaign.send_loop import SendLoop, SendWindowClosedError
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient, open_async_client
from airflow_provider_osonsms.protocol.errors import (
    DuplicateTransactionError,
    InvalidMessageError,
    OsonSmsError,
)
from airflow_provider_osonsms.protocol.models import Account, Outcome
from airflow_provider_osonsms.tables.files import TableIdentity, write_table
from airflow_provider_osonsms.tables.rows import ResultRow

log = logging.getLogger(__name__)

_BY_POSITION: Final = itemgetter(0)


class UnsettledRowsError(OsonSmsError):
    """Some rows wait for another attempt: a later try makes it, with the same txn_ids."""


class TooManyFailedError(InvalidMessageError):
    """More rows than allowed ended without being accepted, for good."""


class CampaignRun:
    """The rows of a campaign in one try of its task.

    Args:
        plan: What is sent, and how.
        journal: What earlier tries have stored.
        clock: Gives aware datetimes.
        open_client: Opens what sends the messages.

    Attributes:
        rows: What is known of the rows.
        settled: How many of them earlier tries have settled.
        is_resumed: Whether the journal knows of an earlier try that has sent.
    """

    def __init__(
        self,
        plan: CampaignPlan,
        *,
        journal: CampaignJournal,
        clock: Callable[[], datetime],
        open_client: Callable[..., AbstractAsyncContextManager[AsyncOsonSmsClient]] = open_async_client,
    ) -> None:
        self.rows = CampaignRows(plan.audience.rows, history=journal.history)
        self._plan = plan
        self._audience = plan.audience
        self._journal = journal
        self._clock = clock
        self._open_client = open_client
        self._stop = Stop()
        self._seconds = 0.0
        for position, _, row_key in self._audience.read_row_keys():
            self.rows.expect(position)
            journal.load_row(self.rows, position, plan.txn_ids.make(row_key))
        self.settled = len(self._audience) - self.rows.open_rows
        self.is_resumed = journal.is_resumed
        self._log_earlier_tries(vanished=journal.discard_unknown())

    @property
    def is_closed(self) -> bool:
        """Whether the send window has closed before the end."""
        return isinstance(self._stop.cause, SendWindowClosedError) and self.rows.open_rows > 0

    def stop(self) -> None:
        """Begin no further row, finish what is under way; may be called from a signal handler."""
        self._stop.set(CampaignStoppedError("the task was stopped"))

    def send(self, account: Account) -> None:
        """Send the open rows; what has become of them is in the rows and the journal afterwards.

        Raises:
            BaseException: What came up in this thread meanwhile, such as a timeout of the task.
        """
        if not self.rows.open_rows:
            return
        self._journal.mark_started()
        progress = Progress(len(self._audience), done=self.settled)
        try:
            run_in_thread(lambda: self._send(account, progress), self._stop)
        finally:
            self._seconds = progress.seconds
            before = self._journal.meta.get("seconds", 0.0)
            self._journal.close(seconds=round(before + self._seconds, 1))
            if isinstance(self._stop.cause, DuplicateTransactionError):
                self._journal.unmark_started()

    def write_results(self, path: Any) -> TableIdentity:
        """Write a row for every row of the input to a checked *path*.

        Raises:
            OSError: The place cannot be written.
        """
        return write_table(self._read_results(), path, kind=ResultRow, campaign_id=self._plan.campaign_id)

    def count_outcomes(self) -> dict[str, int]:
        """Count all rows of the input by outcome; every outcome is there."""
        counts = dict.fromkeys(map(str, Outcome), 0)
        for state, count in self.rows.count().items():
            counts[state.outcome] += count
        return counts

    def summarize(self, *, price_per_part: Decimal | None) -> dict[str, Any]:
        """Return JSON values about the campaign, without phones and texts; the same after a *Clear*."""
        parts = self.rows.total_parts
        rejected = self._audience.rejects.count()
        if unsendable := self.rows.count()[RowState.UNSENDABLE]:
            rejected["unsendable"] = unsendable
        return {
            "campaign_id": self._plan.campaign_id,
            "recipients": len(self._audience),
            "outcomes": self.count_outcomes(),
            "rejected": rejected,
            "parts": parts,
            "cost": None if price_per_part is None else float(price_per_part * parts),
            "seconds": self._journal.meta.get("seconds", round(self._seconds, 1)),
        }

    def list_messages(self) -> list[dict[str, Any]]:
        """Return txn_id, msg_id, parts and outcome of every row that the gateway has taken."""
        return [
            {
                "txn_id": self._plan.txn_ids.make(row_key),
                "msg_id": self.rows.msg_id(position),
                "parts": self.rows.parts(position),
                "outcome": str(self.rows.state(position).outcome),
            }
            for position, _, row_key in self._audience.read_row_keys()
            if self.rows.state(position).is_taken
        ]

    def finish(self, *, max_failed_ratio: float | None) -> None:
        """Return when the campaign is at its end.

        Raises:
            UnsettledRowsError, CampaignStoppedError, OsonSmsError: Rows are left for a later try.
            TooManyFailedError: It is at its end, with too many failures.
        """
        left = self._count_words(lambda state: state.is_open)
        cause = self._stop.cause
        if isinstance(cause, CampaignStoppedError):
            if left:
                raise CampaignStoppedError(f"The task was told to stop. Left for its next try: {left}")
        elif cause is not None and not isinstance(cause, SendWindowClosedError):
            log.error("The campaign stopped with rows left: %s", left)
            raise cause
        if left:
            raise UnsettledRowsError(
                f"{self.rows.open_rows} of {len(self._audience)} rows are not settled ({left}). The task's "
                f"next try, or a Clear, goes on with the same txn_ids and cannot text anybody twice"
            )
        self._check_failed_ratio(max_failed_ratio)

    def _check_failed_ratio(self, max_failed_ratio: float | None) -> None:
        failed = sum(count for state, count in self.rows.count().items() if state.is_failed)
        if not failed:
            return
        words = self._count_words(lambda state: state.is_failed)
        if failed == len(self._audience):
            raise TooManyFailedError(f"None of {failed} rows was accepted ({words}): see results_path")
        if max_failed_ratio is not None and failed > max_failed_ratio * len(self._audience):
            raise TooManyFailedError(
                f"{failed} of {len(self._audience)} rows ended without being accepted ({words}) and "
                f"max_failed_ratio is {max_failed_ratio:.1%}: see results_path"
            )
        log.warning("%d rows ended without being accepted: %s; a person has to look at them", failed, words)

    def _count_words(self, is_counted: Callable[[RowState], bool]) -> str:
        counts = self.rows.count().items()
        return ", ".join(f"{count} {state.reason}" for state, count in counts if is_counted(state))

    async def _send(self, account: Account, progress: Progress) -> None:
        async with self._open_client(account, max_connections=self._plan.options.concurrency) as client:
            loop = SendLoop(
                client,
                self._plan,
                rows=self.rows,
                journal=self._journal,
                progress=progress,
                stop=self._stop,
                clock=self._clock,
            )
            await loop.run()
        if loop.estimated_parts != loop.billed_parts:
            text = "Billed as %d parts, estimated as %d: price and texts may differ"
            log.warning(text, loop.billed_parts, loop.estimated_parts)

    def _read_results(self) -> Iterator[ResultRow]:
        """Read what became of every row of the input, in its order."""
        rejects = (
            ResultRow(reject.row, None, reject.phone, str(Outcome.REJECTED), reject.reason, None, None, None)
            for reject in self._audience.rejects.read_rows()
        )
        return merge(self._read_recipients(), rejects, key=_BY_POSITION)

    def _read_recipients(self) -> Iterator[ResultRow]:
        rows, make_txn_id = self.rows, self._plan.txn_ids.make
        for position, phone, row_key in self._audience.read_row_keys():
            state = rows.state(position)
            yield ResultRow(
                position,
                row_key,
                phone,
                str(state.outcome),
                state.reason,
                make_txn_id(row_key),
                rows.msg_id(position),
                rows.parts(position),
            )

    def _log_earlier_tries(self, *, vanished: int) -> None:
        if self.settled:
            log.info("%d of %d rows were settled by earlier tries", self.settled, len(self._audience))
        if vanished:
            log.warning("%d rows that were sent before are not in the audience any more", vanished)
        if self._journal.history and not self._journal.remembers:
            log.info("Nothing is remembered of earlier tries: rows that the gateway knows count as accepted")
