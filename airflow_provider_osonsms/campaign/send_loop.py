"""The send loop: workers that share one lazy stream of messages, and stop when there is a reason to.

Rows that fail for now are not repeated at once, which would hold a worker: they come again in the next round,
with the same txn_id. A row for which the gateway asks to slow down is no failure: it takes the next turn.

Under a cap, other tasks make the same txn_ids, so a 108 is normal, and what it means depends on whether this
campaign has attempted the row before. So the rows of a capped campaign go in groups, and before a group
begins the journal names its rows: however the process dies, a later try is in doubt about these rows only.

Reference:
    OsonSMS protocol 1.5, §1, §2; docs/design.md "One try of a campaign".
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from airflow_provider_osonsms.campaign.answers import THROTTLED, Answer, Answers, ReadyMessage
from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.loop_thread import Stop
from airflow_provider_osonsms.campaign.plan import CampaignPlan, PlannedMessage
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, Shown
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.client.rate import RateLimiter
from airflow_provider_osonsms.exactly_once.task import NAMESPACE_ADVICE
from airflow_provider_osonsms.preflight.window import Always, Closed
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError, OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Response

_BUILT_AT_ONCE: Final = 64
"""Requests that are built in one piece; see `client.asynchronous`."""
GRACE_SECONDS: Final = 5.0
"""For requests that are under way when the loop is told to stop."""
_FIRST_GROUP: Final = 20
_MAX_GROUP: Final = 1000
"""Rows of a capped campaign that are in doubt if it is killed: few at first, then twice as many each time.
The names of more would not fit into a value of the store."""
_HANDFUL: Final = 5
"""Rows that go alone at first: if the txn_ids of all are taken, another installation makes the same ones."""


class SendWindowClosedError(OsonSmsError):
    """The send window has closed before the end."""


class TxnIdsTakenError(DuplicateTransactionError):
    """The first txn_ids of a campaign are all taken, and nothing explains it: nothing was sent."""


class RivalTryError(OsonSmsError):
    """Another try of the task is at work, so the txn_ids that are taken may be ours: a later try goes on."""


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
        timer: Seconds that only grow, for the rate.
        sleep: Waits between the rounds, and for the next turn.

    Attributes:
        answers: What the answers have shown.
        limiter: Says when the next row may be begun.
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
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._plan = plan
        self._rows = rows
        self._journal = journal
        self._stop = stop
        self._clock = clock
        self._sleep = sleep
        self._is_fanned_out = False
        self.limiter = RateLimiter(
            plan.options.max_rate, is_over=lambda: stop.is_set, clock=timer, sleep=sleep
        )
        self.answers = Answers(
            plan, rows, journal=journal, progress=progress, limiter=self.limiter, stop=stop, clock=clock
        )
        self._flusher = self.answers.flusher
        self._judged_at = clock()
        self._window = plan.options.window.judge(self._judged_at)

    async def run(self) -> None:
        """Send until every row is settled, the rounds are over, or something stops it."""
        async with self._flusher:
            if self._journal.history is TxnIdHistory.UNUSED and self._plan.cap is None:
                await self._send_handful()
            for number in range(self._plan.options.rounds):
                open_rows = self._rows.open_rows
                if number and open_rows:
                    await self._pause(flows.back_off(number))
                if not open_rows or self._stop.is_set:
                    break
                messages = self._plan.render_messages(self._rows.is_open)
                if self._plan.cap is not None:
                    await self._send_groups(messages)
                    continue
                if not self._is_fanned_out:
                    await asyncio.to_thread(self._journal.mark_started)
                    self._is_fanned_out = True
                await self._send_all(messages, open_rows)

    async def _send_groups(self, messages: Iterator[PlannedMessage]) -> None:
        """Send the rows of a capped campaign group by group, each after the journal has named its rows."""
        size = _FIRST_GROUP
        while not self._stop.is_set and (group := list(islice(messages, size))):
            size = min(2 * size, _MAX_GROUP)
            txn_ids = [message.txn_id for _, _, message in group]
            await self._flusher.mark_next(txn_ids)
            try:
                await self._send_all(iter(group), len(group))
            finally:
                if self._stop.is_set:  # attempts that were cut off have left nothing in the journal
                    for position, _, message in group:
                        self.answers.write(position, message)

    async def _send_handful(self) -> None:
        """Send the first new rows one by one, until one is not taken; stop when all of them are.

        Two installations that share an account and the names of their DAGs make the same txn_ids. Whoever
        comes second would text nobody: that has to show before anything is sent, while another
        namespace is harmless.
        """
        taken: list[tuple[int, Message]] = []
        handful = list(islice(self._plan.render_messages(self._rows.is_unused), _HANDFUL))
        if not handful:
            return
        txn_ids = [message.txn_id for _, _, message in handful]
        await asyncio.to_thread(self._journal.mark_handful, txn_ids)
        for ready in map(self._build, handful):
            shown = await self._send_in_turn(ready, settle=self.answers.settle_first)
            if shown is None:
                break
            if shown is not Shown.TAKEN:
                for taken_position, taken_message in taken:
                    self.answers.write(taken_position, taken_message)
                return
            taken.append((ready.position, ready.message))
        has_rival = bool(taken) and await asyncio.to_thread(self._journal.has_rival)
        if has_rival:
            self._leave_to_rival(taken)
            return
        # All are taken, or the sending was stopped before that was clear: then the next try begins with them.
        for position, _ in taken:
            self._rows.take_back_attempt(position)
        if taken and not self._stop.is_set:
            self._refuse_taken(len(taken))

    def _leave_to_rival(self, taken: list[tuple[int, Message]]) -> None:
        """Stop, because another try may have sent the rows that are taken."""
        for position, message in taken:
            self._rows.doubt_attempt(position)
            self.answers.write(position, message)
        self._stop.set(
            RivalTryError(
                "Another try of this task has begun to send, and this one stops: one of the two was taken "
                "for dead. The task's next try goes on with the same txn_ids and cannot text anybody twice"
            )
        )

    def _refuse_taken(self, number: int) -> None:
        sent = "Nothing was sent"
        if self._rows.may_have_sent:
            sent = "This try has sent nothing, and an earlier one has left some rows uncertain"
        self._stop.set(
            TxnIdsTakenError(
                f"108: the gateway already knows the txn_ids of the first {number} new rows, although "
                f"this task has not used them before. {sent}. Look in the cabinet first. If it "
                f"shows these messages, mark this task as success, and text those who are missing in a task "
                f"of their own. If it shows other messages, {NAMESPACE_ADVICE}"
            )
        )

    async def _send_all(self, messages: Iterator[PlannedMessage], rows: int) -> None:
        number = min(self._plan.options.concurrency, rows)
        queue = self._build_all(messages)
        workers = [asyncio.create_task(self._work(queue)) for _ in range(number)]
        over = asyncio.create_task(asyncio.wait(workers))
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((over, stopped), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((over,), timeout=GRACE_SECONDS)
        finally:
            for task in (stopped, *workers):
                task.cancel()
            await asyncio.gather(stopped, *workers, over, return_exceptions=True)
            self.answers.settle_waiting()
        for worker in workers:
            if not worker.cancelled():
                worker.result()

    def _build_all(self, messages: Iterator[PlannedMessage]) -> Iterator[ReadyMessage]:
        """Build the requests of some messages at once, before the first of them is sent."""
        while some := list(islice(messages, _BUILT_AT_ONCE)):
            yield from [self._build(planned) for planned in some]

    def _build(self, planned: PlannedMessage) -> ReadyMessage:
        position, estimated, message = planned
        try:
            return ReadyMessage(position, estimated, message, self._client.build_send(message))
        except OsonSmsError as error:
            return ReadyMessage(position, estimated, message, error)

    async def _work(self, queue: Iterator[ReadyMessage]) -> None:
        with self._stop.guard():
            for ready in queue:
                if not self._flusher.is_ready.is_set():
                    await self._flusher.is_ready.wait()
                if await self._send_in_turn(ready, settle=self.answers.settle) is None:
                    return

    async def _send_in_turn(self, ready: ReadyMessage, *, settle: Callable[[Answer], Shown]) -> Shown | None:
        """Attempt a row in its turn, and again in later turns while the gateway asks to slow down.

        Args:
            ready: The row.
            settle: Keeps what an attempt has shown, and returns it.

        Returns:
            What the last attempt has shown; None when no row may be begun any more.
        """
        while True:
            number = await self.limiter.take_turn()
            if not self._may_begin():
                return None
            before = self._rows.begin_attempt(ready.position)
            result: Response | OsonSmsError
            try:
                if isinstance(ready.request, OsonSmsError):
                    result = ready.request
                else:
                    result = await self._client.exchange(ready.request)
            except OsonSmsError as error:
                result = error
            shown = settle(Answer(ready, before, number, result))
            if shown not in THROTTLED:
                return shown

    def _may_begin(self) -> bool:
        """Say whether one more row may be begun now; the window is asked again for each."""
        if not isinstance(self._window, Always):
            now = self._clock()
            if not self._judged_at <= now < self._window.until:  # over, or the clock was set back
                self._window, self._judged_at = self._plan.options.window.judge(now), now
            if isinstance(self._window, Closed):
                self._stop.set(SendWindowClosedError("the send window has closed"))
        return not self._stop.is_set

    async def _pause(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._sleep(seconds))
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        stopped.cancel()
