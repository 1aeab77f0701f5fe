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
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import Final, NamedTuple

from airflow_provider_osonsms.campaign.acceptance import Acceptance
from airflow_provider_osonsms.campaign.journal import CampaignJournal, JournalFlusher
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError, Stop
from airflow_provider_osonsms.campaign.plan import CampaignPlan, PlannedMessage
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState, Shown, read_failure, read_receipt
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient, PreparedRequest
from airflow_provider_osonsms.client.rate import RateLimiter
from airflow_provider_osonsms.exactly_once.task import NAMESPACE_ADVICE
from airflow_provider_osonsms.preflight.window import Always, Closed
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.errors import (
    DuplicateTransactionError,
    OsonSmsError,
    ThrottledError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import Message, Response

_BUILT_AT_ONCE: Final = 64
"""Requests that are built in one piece; see `client.asynchronous`."""
_READ_AT_ONCE: Final = 64
"""Answers that are read in one piece, for the same reason; earlier when the journal is flushed."""
_RECEIPT_FIELD: Final = b'"msg_id"'
"""No answer without it accepts a message."""
GRACE_SECONDS: Final = 5.0
"""For requests that are under way when the loop is told to stop."""

_FAILURES: Final = frozenset({Shown.NOT_SENT, Shown.NO_ANSWER, Shown.REFUSED_FOR_NOW})
"""What may be over soon, and stops the campaign when it happens again and again."""
_THROTTLED: Final = frozenset({Shown.TURNED_AWAY, Shown.UNAVAILABLE})
"""What is no failure: the gateway asks to slow down."""
_STOPPING: Final = frozenset({Shown.NO_MONEY, Shown.ACCOUNT_REFUSED})
"""What would happen to every other row too."""
_FIRST_GROUP: Final = 20
_MAX_GROUP: Final = 1000
"""Rows of a capped campaign that are in doubt if it is killed: few at first, then twice as many each time.
The names of more would not fit into a value of the store."""
_HANDFUL: Final = 5
"""Rows that go alone at first: if the txn_ids of all are taken, another installation makes the same ones."""
SECONDS_OF_PATIENCE: Final = 600.0
"""So long the gateway may turn every row away before the task leaves the rest to its next try."""


class TooManyFailuresError(OsonSmsError):
    """So many attempts failed in a row that going on would be no use: a later try goes on."""


class ThrottledTooLongError(OsonSmsError):
    """The gateway has accepted nothing for minutes and asks to slow down: a later try goes on."""


class SendWindowClosedError(OsonSmsError):
    """The send window has closed before the end."""


class TxnIdsTakenError(DuplicateTransactionError):
    """The first txn_ids of a campaign are all taken, and nothing explains it: nothing was sent."""


class _Ready(NamedTuple):
    """A message whose request was built beforehand, or the error that says why there is none."""

    position: int
    estimated: int
    message: Message
    request: PreparedRequest | OsonSmsError


class _Answer(NamedTuple):
    """How one attempt at a message has ended, as nobody has read it yet.

    Attributes:
        ready: What was attempted.
        before: The state of its row before.
        number: The one under which it began; see `client.rate`.
        result: The answer, or why there is none.
    """

    ready: _Ready
    before: RowState
    number: int
    result: Response | OsonSmsError


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
        limiter: Says when the next row may be begun.
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
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.estimated_parts = self.billed_parts = 0
        self._client = client
        self._plan = plan
        self._rows = rows
        self._journal = journal
        self._progress = progress
        self._stop = stop
        self._clock = clock
        self._sleep = sleep
        self._failures_in_a_row = 0
        self._is_fanned_out = False
        self._answers: deque[_Answer] = deque()
        self._flusher = JournalFlusher(
            journal, reserve=plan.options.concurrency + _READ_AT_ONCE, before_flush=self.settle_answers
        )
        self.limiter = RateLimiter(
            plan.options.max_rate, is_over=lambda: stop.is_set, clock=timer, sleep=sleep
        )
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

    def settle_answers(self) -> None:
        """Read the answers that wait for others, and keep what they have shown.

        A defect that shows at one of them is raised after all of them are read.
        """
        errors: list[Exception] = []
        with self._stop_if_it_fails():
            while self._answers:
                try:
                    self._settle(self._answers.popleft())
                except Exception as error:  # noqa: BLE001 - the first one is raised below
                    errors.append(error)
            if errors:
                raise errors[0]

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
                        self._write(position, message)

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
            shown = await self._send_in_turn(ready, settle=self._settle)
            if shown is None:
                break
            if shown is not Shown.TAKEN:
                for taken_position, taken_message in taken:
                    self._write(taken_position, taken_message)
                return
            taken.append((ready.position, ready.message))
        # All are taken, or the sending was stopped before that was clear: then the next try begins with them.
        for position, _ in taken:
            self._rows.take_back_attempt(position)
        if taken and not self._stop.is_set:
            self._refuse_taken(len(taken))

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
            self.settle_answers()
        for worker in workers:
            if not worker.cancelled():
                worker.result()

    def _build_all(self, messages: Iterator[PlannedMessage]) -> Iterator["_Ready"]:
        """Build the requests of some messages at once, before the first of them is sent."""
        while some := list(islice(messages, _BUILT_AT_ONCE)):
            yield from [self._build(planned) for planned in some]

    def _build(self, planned: PlannedMessage) -> "_Ready":
        position, estimated, message = planned
        try:
            return _Ready(position, estimated, message, self._client.build_send(message))
        except OsonSmsError as error:
            return _Ready(position, estimated, message, error)

    async def _work(self, queue: Iterator["_Ready"]) -> None:
        with self._stop_if_it_fails():
            for ready in queue:
                if not self._flusher.is_ready.is_set():
                    await self._flusher.is_ready.wait()
                if await self._send_in_turn(ready, settle=self._settle_soon) is None:
                    return

    @contextmanager
    def _stop_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._stop.set(CampaignStoppedError("a worker failed"))
            raise

    async def _send_in_turn(self, ready: "_Ready", *, settle: Callable[[_Answer], Shown]) -> Shown | None:
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
            shown = settle(_Answer(ready, before, number, result))
            if shown not in _THROTTLED:
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

    def _settle_soon(self, answer: _Answer) -> Shown:
        """Settle an answer together with the next ones if it accepts its message, else now.

        Nothing else has to be done about an acceptance. Answers are settled in the order in which they came.
        """
        if not _is_acceptance(answer.result) or self.limiter.rate < math.inf:
            try:
                self.settle_answers()
            finally:
                shown = self._settle(answer)
            return shown
        self._answers.append(answer)
        if len(self._answers) >= _READ_AT_ONCE:
            self.settle_answers()
        return Shown.ACCEPTED

    def _settle(self, answer: _Answer) -> Shown:
        """Read the answer to an attempt, and keep and return what it has shown."""
        (position, estimated, message, _), before, _, result = answer
        if isinstance(result, OsonSmsError):
            return self._settle_failure(answer, result)
        rows = self._rows
        history = rows.history(position)
        try:
            receipt = flows.read_send(result, message, history=history)
        except OsonSmsError as error:
            return self._settle_failure(answer, error)
        shown = read_receipt(receipt, history)
        if receipt.msg_id is None:
            rows.end_attempt(position, shown, before=before)
        else:
            parts = receipt.parts or 0
            accepted_at = receipt.accepted_at or self._clock()
            rows.keep_acceptance(
                position,
                Acceptance(
                    msg_id=receipt.msg_id,
                    parts=parts,
                    accepted_at=int(accepted_at.timestamp()),
                    try_number=rows.try_number,
                ),
            )
            self.estimated_parts += estimated if parts else 0
            self.billed_parts += parts
        self._write(position, message)
        self._failures_in_a_row = 0
        self.limiter.count_answer()
        self._progress.count()
        return shown

    def _settle_failure(self, answer: _Answer, error: OsonSmsError) -> Shown:
        position, message = answer.ready.position, answer.ready.message
        shown = read_failure(error)
        self._rows.end_attempt(position, shown, before=answer.before, left_behind=read_proof(error).history)
        if shown is not Shown.TAKEN or self._is_fanned_out:
            self._write(position, message)
        if shown is Shown.TAKEN:
            self._progress.count()
        elif isinstance(error, ThrottledError):
            self._slow_down(error, answer.number)
        elif shown in _FAILURES:
            self._count_failure(error)
        elif shown in _STOPPING:
            self._stop.set(error)
        return shown

    def _write(self, position: int, message: Message) -> None:
        code = self._rows.encode(position)
        if code is not None:
            self._flusher.add(message.txn_id, code)

    def _slow_down(self, error: ThrottledError, number: int) -> None:
        self.limiter.slow_down(number, retry_after=error.retry_after, status=error.status)
        seconds = self.limiter.seconds_throttled
        if seconds >= SECONDS_OF_PATIENCE:
            self._stop.set(
                ThrottledTooLongError(
                    f"The gateway has accepted nothing for {seconds / 60:.0f} minutes; its last answer: "
                    f"{error}. The task goes on in its next try, with the same txn_ids"
                )
            )

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


def _is_acceptance(result: Response | OsonSmsError) -> bool:
    """Whether *result* accepts its message, at a glance; a status alone does not tell: proxies change it."""
    return (
        isinstance(result, Response) and result.status == HTTPStatus.CREATED and _RECEIPT_FIELD in result.body
    )
