"""One try of a campaign, from what earlier tries have stored to what later ones must know."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any

from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError, Stop, run_in_thread
from airflow_provider_osonsms.campaign.plan import CampaignPlan
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.campaign.results import CampaignResults, name_vanished
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.campaign.send_loop import SendLoop, SendWindowClosedError
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient, open_async_client
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Account, Outcome
from airflow_provider_osonsms.tables.files import TableIdentity
from airflow_provider_osonsms.tables.rows import PersonRow, ResultRow

log = logging.getLogger(__name__)


class UnsettledRowsError(OsonSmsError):
    """Some rows wait for another attempt: a later try makes it, with the same txn_ids."""


class TooManyFailedError(InvalidMessageError):
    """More rows than allowed ended without being accepted, for good."""


class CampaignRun:
    """The rows of a campaign in one try of its task.

    Args:
        plan: What is sent, and how.
        journal: What earlier tries have written.
        try_number: The running try of the task.
        clock: Gives aware datetimes.
        results_path: A checked path of the results table; None for none.
        parts: The part files beside it; None where there is no table.
        may_replace: Whether the table of another campaign at *results_path* is replaced.
        had_enough: Positions of rows whose phones were texted often enough by others; they are not sent.
        open_client: Opens what sends the messages.
        timer: Seconds that only grow, for the rate.
        sleep: Waits between the rounds, and for the next turn.

    Raises:
        OtherCampaignError: There is one, and it is not.

    Attributes:
        rows: What is known of the rows.
        settled: How many of them earlier tries have settled.
        is_resumed: Whether the journal knows of an earlier try that has sent.
        remembers: Whether there is a journal.
    """

    def __init__(
        self,
        plan: CampaignPlan,
        *,
        journal: CampaignJournal,
        try_number: int,
        clock: Callable[[], datetime],
        results_path: Any = None,
        parts: ResultParts | None = None,
        may_replace: bool = False,
        had_enough: Iterable[int] = (),
        open_client: Callable[..., AbstractAsyncContextManager[AsyncOsonSmsClient]] = open_async_client,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        # The table may know that no try has sent, whatever the number of the try lets us fear.
        written = journal.history if journal.is_resumed else TxnIdHistory.UNUSED
        self.rows = CampaignRows(plan.audience.rows, history=written, try_number=try_number)
        self._plan = plan
        self._audience = plan.audience
        self._journal = journal
        self._clock = clock
        self._open_client = open_client
        self._parts = parts
        self._timer = timer
        self._sleep = sleep
        self._stop = Stop()
        for position, _, _ in self._audience.read_row_keys():
            self.rows.expect(position)
        self._results = CampaignResults(
            plan, self.rows, path=results_path, parts=parts, may_replace=may_replace
        )
        vanished = journal.load_rows(self.rows, plan.read_txn_ids())
        has_sent = self._results.load()
        self._results.add_vanished(map(name_vanished, vanished))
        if has_sent is not None:
            # With a cap, the txn_ids are never ours alone: a row that the table does not name is not ours.
            has_accepted = plan.cap is None and (self.rows.has_accepted or bool(self._results.vanished))
            journal.learn_of_table(may_have_sent=has_sent, has_accepted=has_accepted)
        self._results.is_doubted = journal.tried is not TxnIdHistory.UNUSED and plan.cap is None
        self.rows.raise_history(journal.tried)
        self._states_before = self.rows.dump_states()
        self._newly_capped = [position for position in had_enough if self.rows.cap(position)]
        self.rows.raise_history(journal.history)
        self.settled = len(self._audience) - self.rows.open_rows
        self.is_resumed = journal.is_resumed
        self.remembers = journal.remembers
        self._loop: SendLoop | None = None
        # A task that has waited for its window in the middle goes on in the same try.
        was_untried = journal.tried is TxnIdHistory.UNUSED and not journal.is_resumed
        self._is_first = try_number == 1 and was_untried
        self._log_earlier_tries()

    @property
    def throttled(self) -> int:
        """How many requests of this try the gateway has turned away."""
        return 0 if self._loop is None else self._loop.limiter.throttled

    @property
    def is_closed(self) -> bool:
        """Whether the send window has closed before the end."""
        return isinstance(self._stop.cause, SendWindowClosedError) and self.rows.open_rows > 0

    @property
    def capped(self) -> int:
        """How many rows were not sent because their phones have had enough."""
        return sum(count for state, count in self.rows.count().items() if state.is_capped)

    @property
    def is_all_capped(self) -> bool:
        """Whether everybody is, and this campaign has texted nobody."""
        return 0 < self.capped == len(self._audience) and not self.may_have_sent

    @property
    def may_have_sent(self) -> bool:
        """Whether a message of this campaign may have been accepted, in this try or in one that is known."""
        return bool(self._results.vanished) or self.rows.may_have_sent

    def stop(self) -> None:
        """Begin no further row, finish what is under way; may be called from a signal handler."""
        self._stop.set(CampaignStoppedError("the task was stopped"))

    def send(self, account: Account) -> None:
        """Send the open rows; what has become of them is in the rows and the journal afterwards.

        Raises:
            BaseException: What came up in this thread meanwhile, such as a timeout of the task.
        """
        self._log_start()
        if not (self.rows.open_rows or self._newly_capped):
            return
        progress = Progress(len(self._audience), done=self.settled)
        try:
            self._write_beforehand()
            if self.rows.open_rows:
                run_in_thread(lambda: self._send(account, progress), self._stop)
        finally:
            if self.rows.has_taken and self._journal.has_rival():
                self.rows.doubt_taken()
            self._journal.finish(may_have_sent=self.may_have_sent)

    def _write_beforehand(self) -> None:
        """Write who had enough, and to whom messages may be on their way from now on.

        A row that had enough must stay so in later tries, which cannot tell it from one that was sent.
        """
        if self._newly_capped:
            had_enough = set(self._newly_capped)
            for position, txn_id in self._plan.read_txn_ids():
                code = self.rows.encode(position) if position in had_enough else None
                if code is not None:
                    self._journal.add(txn_id, code)
            self._journal.write_all()
        if self._parts is not None and self._plan.category is not None:
            self._parts.write_people(
                PersonRow(self._plan.make_txn_id(phone, row_key), phone, self._plan.category)
                for _, phone, row_key in self._audience.read_row_keys()
            )

    def log_end(self, *, price_per_part: Decimal | None, table: Any = None) -> None:
        """Log what has become of the campaign by now.

        Args:
            price_per_part: In somoni; None if unknown.
            table: The path of the results table that was written; None for none.
        """
        self._log_capped()
        summary = self.summarize(price_per_part=price_per_part)
        outcomes = self.count_outcomes()
        outcomes[Outcome.ACCEPTED] += outcomes.pop(Outcome.ACCEPTED_UNTRACKED)
        always = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.UNCERTAIN)
        counts = [f"{count} {name}" for name, count in outcomes.items() if count or name in always]
        cost = "cost unknown" if summary["cost"] is None else f"{summary['cost']:.2f} somoni"
        log.info(
            "Campaign '%s': %s; %d parts, %s, %d s from the first acceptance to the last; table: %s",
            self._plan.campaign_id,
            ", ".join(counts),
            summary["parts"],
            cost,
            summary["seconds"],
            "none" if table is None else table,
        )

    def write_results(self) -> TableIdentity | None:
        """Write a row for every row of the input to the results path, if there is one.

        Raises:
            ResultsOverwrittenError, ResultsNotWrittenError: See `CampaignResults.write`.
        """
        return self._results.write()

    def read_settled(self) -> Iterator[ResultRow]:
        """Read what became of the rows that no try attempts again."""
        return self._results.read_settled()

    def count_open(self) -> tuple[int, int]:
        """Return how many rows wait for an attempt, and how many parts their texts have, as estimated."""
        parts = [parts for _, parts, _ in self._plan.render_messages(self.rows.is_open)]
        return len(parts), sum(parts)

    def count_outcomes(self) -> dict[str, int]:
        """Count all rows of the input by outcome; every outcome is there."""
        counts = dict.fromkeys(map(str, Outcome), 0)
        for state, count in self.rows.count().items():
            counts[state.outcome] += count
        return counts

    @property
    def failed_writes(self) -> int:
        """How often a part of the journal could not be written."""
        return self._journal.failed_writes

    def count_changes(self) -> dict[Outcome, int]:
        """Count by outcome what this try has found out; the rejected rows are found out by the first one."""
        counts = self.rows.count_changes(self._states_before)
        if self._is_first:
            counts[Outcome.REJECTED] += len(self._audience.rejects)
        return dict(counts)

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
            "ignored_exclusions": self._audience.ignored_exclusions,
            "parts": parts,
            "cost": None if price_per_part is None else float(price_per_part * parts),
            "seconds": self.rows.seconds,
        }

    def list_messages(self) -> list[dict[str, Any]]:
        """Return txn_id, msg_id, parts and outcome of every row that the gateway has taken."""
        return [
            {
                "txn_id": self._plan.make_txn_id(phone, row_key),
                "msg_id": self.rows.msg_id(position),
                "parts": self.rows.parts(position),
                "outcome": str(self.rows.state(position).outcome),
            }
            for position, phone, row_key in self._audience.read_row_keys()
            if self.rows.state(position).is_taken
        ]

    def finish(self, *, max_failed_ratio: float | None) -> None:
        """Return when the campaign is at its end.

        Raises:
            UnsettledRowsError, CampaignStoppedError, OsonSmsError: Rows are left for a later try.
            TooManyFailedError: It is at its end, with too many failures.
        """
        self._log_lost_answers()
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
        wanted = len(self._audience) - self.capped
        if failed == wanted:
            raise TooManyFailedError(
                f"None of {failed} rows is known to be accepted ({words}): see results_path"
            )
        if max_failed_ratio is not None and failed > max_failed_ratio * wanted:
            raise TooManyFailedError(
                f"{failed} of {wanted} rows are not known to be accepted ({words}) and "
                f"max_failed_ratio is {max_failed_ratio:.1%}: see results_path"
            )
        text = "%d rows are not known to be accepted (%s): a person has to look at them in the cabinet"
        log.warning(text, failed, words)

    def _count_words(self, is_counted: Callable[[RowState], bool]) -> str:
        counts = self.rows.count().items()
        return ", ".join(f"{count} {state.reason}" for state, count in counts if is_counted(state))

    async def _send(self, account: Account, progress: Progress) -> None:
        async with self._open_client(account, max_connections=self._plan.options.concurrency) as client:
            loop = self._loop = SendLoop(
                client,
                self._plan,
                rows=self.rows,
                journal=self._journal,
                progress=progress,
                stop=self._stop,
                clock=self._clock,
                timer=self._timer,
                sleep=self._sleep,
            )
            await loop.run()
        answers = loop.answers
        if answers.estimated_parts != answers.billed_parts:
            text = "Billed as %d parts, estimated as %d: price and texts may differ"
            log.warning(text, answers.billed_parts, answers.estimated_parts)

    def _log_start(self) -> None:
        options = self._plan.options
        rate = "" if options.max_rate is None else f", at most {options.max_rate:g} a second"
        log.info(
            "Campaign '%s': %d recipients, %d of them to be sent; sender %s, %s, %s, %d requests at once%s",
            self._plan.campaign_id,
            len(self._audience),
            self.rows.open_rows,
            options.sender,
            options.channel or "SMS",
            options.window,
            options.concurrency,
            rate,
        )

    def _log_earlier_tries(self) -> None:
        if self.settled:
            log.info("%d of %d rows were settled by earlier tries", self.settled, len(self._audience))
        if vanished := self._results.vanished:
            text = "%d messages of this campaign went to rows that are not in the audience any more"
            log.warning(text, len(vanished))
        if self._journal.history and not self.is_resumed:
            log.info(
                "Nothing is remembered of earlier tries: rows that the gateway knows count as accepted, "
                "without a msg_id"
            )

    def _log_capped(self) -> None:
        if self.capped:
            text = "%d rows are capped: a message of category '%s' has reached them, so they were not texted"
            log.info(text, self.capped, self._plan.category)
        doubtful = sum(count for state, count in self.rows.count().items() if state.may_be_capped)
        if doubtful:
            log.warning(
                "%d rows are accepted or capped, nobody can tell: an answer, or what an earlier try has "
                "stored, is lost. Each has one message of category '%s' in %s; do not text them again%s",
                doubtful,
                self._plan.category,
                self._plan.cap.period if self._plan.cap is not None else "the time of at_most",
                "" if self.remembers else ". Set results_path: then a later try can tell",
            )

    def _log_lost_answers(self) -> None:
        if lost := self.count_outcomes()[Outcome.ACCEPTED_UNTRACKED]:
            log.warning(
                "%d messages were accepted, and their msg_ids, parts and times are unknown: their answers "
                "were lost, or what an earlier try has stored of them is gone",
                lost,
            )
