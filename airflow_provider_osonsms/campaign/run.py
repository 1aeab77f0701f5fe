"""One try of a campaign, from what earlier tries have noted to what later ones must know."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.loop_thread import LoopThread
from airflow_provider_osonsms.campaign.options import SendOptions
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.campaign.send_loop import SendLoop
from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.messages.source import MessageSource
from airflow_provider_osonsms.protocol.errors import (
    DuplicateTransactionError,
    InvalidMessageError,
    OsonSmsError,
)
from airflow_provider_osonsms.protocol.models import Account, Outcome
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience
    from airflow_provider_osonsms.tables.results import Fate

log = logging.getLogger(__name__)


class UnsettledRowsError(OsonSmsError):
    """Some rows wait for another attempt: a later try makes it, under the same keys."""


class CampaignStoppedError(OsonSmsError):
    """The task was told to stop; a later try goes on."""


class TooManyFailedError(InvalidMessageError):
    """More rows than allowed ended without being accepted, for good."""


class CampaignRun:
    """The rows of a campaign in one try of its task.

    Args:
        audience: Who is texted.
        text: Where their texts come from.
        txn_ids: Their keys.
        notebook: What earlier tries have noted.
        manner: How they are sent.
        clock: Gives aware datetimes.

    Attributes:
        results: What is known of the rows.
        settled: How many of them earlier tries have settled.
        is_resumed: Whether the journal knows of an earlier try that has sent.
    """

    def __init__(
        self,
        audience: "Audience",
        *,
        text: MessageSource,
        txn_ids: TxnIdSeries,
        journal: CampaignJournal,
        options: SendOptions,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.results = CampaignRows(audience.rows, history=journal.history)
        self._audience = audience
        self._text = text
        self._txn_ids = txn_ids
        self._journal = journal
        self._options = options
        self._clock = clock
        self._send_loop: SendLoop | None = None
        self._loop_thread = LoopThread(self._stop_sending)
        self._was_stopped = False
        self._seconds = 0.0
        for position, _, key in audience.read_keys():
            self.results.expect(position)
            journal.load_row(self.results, position, txn_ids.make(key))
        self.settled = len(audience) - self.results.open_rows
        self.is_resumed = journal.is_resumed
        self._tell_about_earlier_tries(vanished=journal.discard_unknown())

    @property
    def is_closed(self) -> bool:
        """Whether the send window has closed before the end."""
        return self._send_loop is not None and self._send_loop.is_closed and self.results.open_rows > 0

    def stop(self) -> None:
        """Begin no further row, finish what is under way; may be called from a signal handler."""
        self._was_stopped = True
        self._loop_thread.stop()

    def send(self, account: Account) -> None:
        """Send the open rows; what has become of them is in the results and the notebook afterwards.

        Raises:
            BaseException: What came to this thread meanwhile, such as a timeout of the task.
        """
        if not self.results.open_rows:
            return
        self._journal.begin()
        progress = Progress(len(self._audience), done=self.settled)
        try:
            self._loop_thread.run(lambda: self._send(account, progress))
        finally:
            self._seconds = progress.seconds
            before = self._journal.meta.get("seconds", 0.0)
            self._journal.end(seconds=round(before + self._seconds, 1))
            if self._send_loop is not None and isinstance(self._send_loop.problem, DuplicateTransactionError):
                self._journal.unmark_started()

    def write_results(self, path: Any) -> None:
        """Write a row for every row of the input to a checked *path*.

        Raises:
            OSError: The place cannot be written.
        """
        from airflow_provider_osonsms.tables.results import write_outcomes

        write_outcomes(self._audience, path, tell=self._tell_fate)

    def count_outcomes(self) -> dict[str, int]:
        """Count all rows of the input by outcome; every outcome is there."""
        counts = dict.fromkeys(map(str, Outcome), 0)
        for state, count in self.results.count().items():
            counts[state.outcome] += count
        return counts

    def summarize(self, *, price_per_part: Decimal | None) -> dict[str, Any]:
        """Return JSON values about the campaign, without phones and texts; the same after a *Clear*."""
        parts = self.results.total_parts
        rejected = self._audience.rejects.count()
        if unsendable := self.results.count()[RowState.UNSENDABLE]:
            rejected["unsendable"] = unsendable
        return {
            "recipients": len(self._audience),
            "outcomes": self.count_outcomes(),
            "rejected": rejected,
            "parts": parts,
            "cost": None if price_per_part is None else float(price_per_part * parts),
            "seconds": self._journal.meta.get("seconds", round(self._seconds, 1)),
        }

    def list_messages(self) -> list[dict[str, Any]]:
        """Return txn_id, msg_id, parts and outcome of every row that the gateway has taken."""
        taken = (RowState.ACCEPTED, RowState.ANSWER_LOST)
        return [
            {
                "txn_id": self._txn_ids.make(key),
                "msg_id": self.results.msg_id(position),
                "parts": self.results.parts(position),
                "outcome": str(self.results.state(position).outcome),
            }
            for position, _, key in self._audience.read_keys()
            if self.results.state(position) in taken
        ]

    def finish(self, *, max_failed_ratio: float | None) -> None:
        """Return when the campaign is at its end.

        Raises:
            UnsettledRowsError, CampaignStoppedError, OsonSmsError: Rows are left for a later try.
            TooManyFailedError: It is at its end, with too many failures.
        """
        left = {state: count for state, count in self.results.count().items() if state.is_open}
        words = ", ".join(f"{count} {state.reason}" for state, count in left.items())
        if self._send_loop is not None and self._send_loop.problem is not None:
            log.error("The campaign stopped with rows left: %s", words)
            raise self._send_loop.problem
        if left and self._was_stopped:
            raise CampaignStoppedError(f"The task was told to stop. Left for its next try: {words}")
        if left:
            raise UnsettledRowsError(
                f"{sum(left.values())} of {len(self._audience)} rows are not settled ({words}). The task's "
                f"next try, or a Clear, goes on under the same keys and cannot text anybody twice"
            )
        self._hold_to_ratio(max_failed_ratio)

    def _hold_to_ratio(self, max_failed_ratio: float | None) -> None:
        failed = {
            state: count
            for state, count in self.results.count().items()
            if state in (RowState.UNDECIDED, RowState.ACCOUNT_REFUSED, RowState.UNSENDABLE)
        }
        if not failed:
            return
        total = sum(failed.values())
        words = ", ".join(f"{count} {state.reason}" for state, count in failed.items())
        if total == len(self._audience):
            raise TooManyFailedError(f"None of {total} rows was accepted ({words}): see results_path")
        if max_failed_ratio is not None and total > max_failed_ratio * len(self._audience):
            raise TooManyFailedError(
                f"{total} of {len(self._audience)} rows ended without being accepted ({words}) and "
                f"max_failed_ratio is {max_failed_ratio:.1%}: see results_path"
            )
        log.warning("%d rows ended without being accepted: %s; a person has to look at them", total, words)

    async def _send(self, account: Account, progress: Progress) -> None:
        async with open_async_client(account, max_connections=self._options.concurrency) as client:
            self._send_loop = SendLoop(
                client,
                self._audience,
                text=self._text,
                txn_ids=self._txn_ids,
                results=self.results,
                journal=self._journal,
                options=self._options,
                progress=progress,
                clock=self._clock,
            )
            if not self._was_stopped:
                await self._send_loop.run()
        estimated, billed = self._send_loop.estimated_parts, self._send_loop.billed_parts
        if estimated != billed:
            log.warning("Billed as %d parts, estimated as %d: price and texts may differ", billed, estimated)

    def _stop_sending(self) -> None:
        if self._send_loop is not None:
            self._send_loop.stop()

    def _tell_fate(self, position: int, key: str) -> "Fate":
        state = self.results.state(position)
        return (
            str(state.outcome),
            state.reason,
            self._txn_ids.make(key),
            self.results.msg_id(position),
            self.results.parts(position),
        )

    def _tell_about_earlier_tries(self, *, vanished: int) -> None:
        if self.settled:
            log.info("%d of %d rows were settled by earlier tries", self.settled, len(self._audience))
        if vanished:
            log.warning("%d rows that were sent before are not in the audience any more", vanished)
        if self._journal.history and not self._journal.remembers:
            log.info("Nothing is remembered of earlier tries: rows that the gateway knows count as accepted")
