"""The send loop: workers that share one lazy stream of messages, and stop when there is a reason to.

Rows that fail for now are not repeated at once, which would hold a worker: they come again in the next round,
with the same txn_id.

Reference:
    OsonSMS protocol 1.5, §1, §2; docs/design.md "One try of a campaign".
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Final

from airflow_provider_osonsms.campaign.journal import CampaignJournal, JournalFlusher
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError, Stop
from airflow_provider_osonsms.campaign.plan import CampaignPlan, PlannedMessage
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, Shown, read_failure, read_receipt
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.client.rate import make_limiter
from airflow_provider_osonsms.preflight.window import Always, Closed
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import read_proof
from airflow_provider_osonsms.protocol.models import Message

GRACE_SECONDS: Final = 5.0
"""For requests that are under way when the loop is told to stop."""

_FAILURES: Final = frozenset({Shown.NOT_SENT, Shown.NO_ANSWER, Shown.REFUSED_FOR_NOW})
"""What may be over soon, and stops the campaign when it happens again and again."""
_STOPPING: Final = frozenset({Shown.NOTHING, Shown.ACCOUNT_REFUSED})
"""What would happen to every other row too."""


class TooManyFailuresError(OsonSmsError):
    """So many attempts failed in a row that going on would be no use: a later try goes on."""


class SendWindowClosedError(OsonSmsError):
    """The send window has closed before the end."""


class SendLoop:
    """Sends the open rows of a campaign.

    Args:
        client: Sends one message.
        plan: What is sent, and how.
        rows: What is known of the rows, and what becomes of them.
        journal: Takes in what a later try must know.
        progress: Counts every settled row.
        stop: Ends it; is set by the loop itself too, with the reason.
        clock: Gives aware datetimes, for the send window.
        sleep: Waits between the rounds.

    Attributes:
        estimated_parts: Of the messages whose answer tells the billed parts.
        billed_parts: Of the same messages.
    """

    def __init__(
        self,
        client: AsyncOsonSmsClient,
        plan: CampaignPlan,
        *,
        rows: CampaignRows,
        journal: CampaignJournal,
        progress: Progress,
        stop: Stop,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.estimated_parts = self.billed_parts = 0
        self._client = client
        self._plan = plan
        self._rows = rows
        self._progress = progress
        self._stop = stop
        self._clock = clock
        self._sleep = sleep
        self._failures_in_a_row = 0
        self._flusher = JournalFlusher(journal, reserve=plan.options.concurrency)
        self._acquire = make_limiter(plan.options.max_rate)
        self._window = plan.options.window.judge(clock())

    async def run(self) -> None:
        """Send until every row is settled, the rounds are over, or something stops it."""
        async with self._flusher:
            for number in range(self._plan.options.rounds):
                open_rows = self._rows.open_rows
                if number and open_rows:
                    await self._pause(flows.FIRST_PAUSE * 2 ** (number - 1))
                if not open_rows or self._stop.is_set:
                    break
                await self._send_round(open_rows)

    async def _send_round(self, open_rows: int) -> None:
        messages = self._plan.render_messages(self._rows.is_open)
        number = min(self._plan.options.concurrency, open_rows)
        workers = [asyncio.create_task(self._work(messages)) for _ in range(number)]
        over = asyncio.create_task(asyncio.wait(workers))
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((over, stopped), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((over,), timeout=GRACE_SECONDS)
        finally:
            for task in (stopped, *workers):
                task.cancel()
            await asyncio.gather(stopped, *workers, over, return_exceptions=True)
        for worker in workers:
            if not worker.cancelled():
                worker.result()

    async def _work(self, messages: Iterator[PlannedMessage]) -> None:
        try:
            for position, estimated, message in messages:
                if not self._flusher.is_ready.is_set():
                    await self._flusher.is_ready.wait()
                if self._acquire is not None:
                    await self._acquire()
                if not self._may_begin():
                    return
                await self._attempt(position, message, estimated=estimated)
        except BaseException:
            self._stop.set(CampaignStoppedError("a worker failed"))
            raise

    def _may_begin(self) -> bool:
        """Say whether one more row may be begun now; the window is asked again for each."""
        if not isinstance(self._window, Always):
            now = self._clock()
            if now >= self._window.until:
                self._window = self._plan.options.window.judge(now)
            if isinstance(self._window, Closed):
                self._stop.set(SendWindowClosedError("the send window has closed"))
        return not self._stop.is_set

    async def _attempt(self, position: int, message: Message, *, estimated: int) -> None:
        """Make one attempt at a row, and keep what it has shown."""
        rows = self._rows
        history, before = rows.history(position), rows.begin_attempt(position)
        try:
            receipt = await self._client.send(message, history=history, attempts=1)
        except OsonSmsError as error:
            shown = read_failure(error)
            rows.end_attempt(position, shown, before=before, left_behind=read_proof(error).history)
            self._write(position, message)
            if shown in _FAILURES:
                self._count_failure(error)
            elif shown in _STOPPING:
                self._stop.set(error)
            return
        shown = read_receipt(receipt)
        rows.end_attempt(position, shown, before=before)
        if receipt.msg_id is not None:
            parts = receipt.parts or 0
            rows.keep_receipt(position, msg_id=receipt.msg_id, parts=parts)
            self.estimated_parts += estimated if parts else 0
            self.billed_parts += parts
        self._write(position, message)
        self._failures_in_a_row = 0
        self._progress.count()

    def _write(self, position: int, message: Message) -> None:
        code = self._rows.encode(position)
        if code is not None:
            self._flusher.add(message.txn_id, code)

    def _count_failure(self, error: OsonSmsError) -> None:
        self._progress.count_failure()
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._plan.options.max_consecutive_failures:
            self._stop.set(
                TooManyFailuresError(
                    f"{self._failures_in_a_row} attempts failed in a row, the last with: {error}. The task "
                    f"goes on in its next try, with the same txn_ids"
                )
            )

    async def _pause(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._sleep(seconds))
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        stopped.cancel()
