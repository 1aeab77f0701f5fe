"""The send loop: workers that share one lazy stream of messages, and stop when there is a reason to.

Rows that fail for now are not repeated at once, which would hold a worker: they come again in the next round,
under the same key.

Reference:
    OsonSMS protocol 1.5, §1, §2; design §2.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from airflow_provider_osonsms.campaign.journal import CampaignJournal, JournalFlusher
from airflow_provider_osonsms.campaign.options import SendOptions
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.messages.source import MessageSource
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    FinalRefusalError,
    InvalidMessageError,
    OsonSmsError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience

GRACE_SECONDS: Final = 5.0
"""For requests that are under way when the loop is told to stop."""
_ROWS_PER_CHUNK: Final = 1024

Rows = Iterator[tuple[int, int, Message]]
"""Position in the input, estimated parts, and the message."""


class TooManyFailuresError(OsonSmsError):
    """So many attempts failed in a row that going on would be no use: a later try goes on."""


class SendLoop:
    """Sends the open rows of an audience.

    Args:
        client: Sends one message.
        audience: Who is texted.
        text: Where their texts come from.
        txn_ids: Their keys.
        results: What is known of the rows, and what becomes of them.
        notebook: Is told what a later try must know.
        manner: How.
        progress: Is told of every settled row.
        clock: Gives aware datetimes, for `SendOptions.closes_at`.
        sleep: Waits between the rounds.

    Attributes:
        problem: Why it stopped before its end; None when it did not, or was told to.
        is_closed: Whether `SendOptions.closes_at` stopped it.
        estimated_parts: Of the messages whose answer tells the billed parts.
        billed_parts: Of the same messages.
    """

    def __init__(
        self,
        client: AsyncOsonSmsClient,
        audience: "Audience",
        *,
        text: MessageSource,
        txn_ids: TxnIdSeries,
        results: CampaignRows,
        journal: CampaignJournal,
        options: SendOptions,
        progress: Progress,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.problem: OsonSmsError | None = None
        self.is_closed = False
        self.estimated_parts = self.billed_parts = 0
        self._client = client
        self._audience = audience
        self._text = text
        self._txn_ids = txn_ids
        self._results = results
        self._journal = journal
        self._options = options
        self._progress = progress
        self._clock = clock
        self._sleep = sleep
        self._stopped = asyncio.Event()
        self._failures_in_a_row = 0
        self._writer = JournalFlusher(journal, reserve=options.concurrency)
        self._acquire = options.make_limiter()

    def stop(self) -> None:
        """Begin no further row; on the loop's thread."""
        self._stopped.set()

    async def run(self) -> None:
        """Send until every row is settled, the rounds are over, or something stops it."""
        async with self._writer:
            for number in range(self._options.rounds):
                open_rows = self._results.open_rows
                if number and open_rows:
                    await self._pause(flows.FIRST_PAUSE * 2 ** (number - 1))
                if not open_rows or self._stopped.is_set():
                    break
                await self._send_round(open_rows)

    async def _send_round(self, open_rows: int) -> None:
        messages = self._write_messages()
        number = min(self._options.concurrency, open_rows)
        workers = [asyncio.create_task(self._work(messages)) for _ in range(number)]
        over = asyncio.create_task(asyncio.wait(workers))
        stopped = asyncio.create_task(self._stopped.wait())
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

    def _write_messages(self) -> Rows:
        """Write the messages of the open rows, as workers ask for them."""
        for whole in self._audience.read_chunks(_ROWS_PER_CHUNK):
            rows = [row for row, position in enumerate(whole.positions) if self._results.is_open(position)]
            if not rows:
                continue
            chunk = self._text.write(whole if len(rows) == len(whole.positions) else whole.take(rows))
            measured = chunk.measured
            for position, phone, key, text, parts in zip(
                chunk.positions,
                chunk.phones,
                chunk.keys,
                measured.texts,
                measured.parts.tolist(),
                strict=True,
            ):
                yield (
                    position,
                    parts,
                    Message(
                        phone=phone,
                        text=text,
                        sender=self._options.sender,
                        txn_id=self._txn_ids.make(key),
                        channel=self._options.channel,
                        is_confidential=self._options.is_confidential,
                    ),
                )

    async def _work(self, messages: Rows) -> None:
        try:
            for position, estimated, message in messages:
                if not self._writer.has_room.is_set():
                    await self._writer.has_room.wait()
                if self._acquire is not None:
                    await self._acquire()
                if self._is_over():
                    return
                await self._send(position, message, estimated=estimated)
        except BaseException:
            self.stop()
            raise

    def _is_over(self) -> bool:
        closes_at = self._options.closes_at
        if closes_at is not None and self._clock() >= closes_at:
            self.is_closed = True
            self.stop()
        return self._stopped.is_set()

    async def _send(self, position: int, message: Message, *, estimated: int) -> None:
        """Make one attempt at a row, and keep what it has shown."""
        results = self._results
        before = results.state(position)
        results.note(position, RowState.NO_ANSWER)  # true from the first byte on, also if this is cancelled
        try:
            receipt = await self._client.send(message, history=results.history(position), attempts=1)
        except RequestNotSentError as error:
            results.note(position, RowState.NOT_REACHED if before is RowState.NOT_ATTEMPTED else before)
            self._count_failure(error)
        except OutcomeUnknownError as error:
            results.note(position, RowState.NO_ANSWER, history=TxnIdHistory.MAYBE_ACCEPTED)
            self._count_failure(error)
        except TemporaryRefusalError as error:
            self._settle(position, message, RowState.REFUSED_FOR_NOW, history=TxnIdHistory.MAYBE_CONSUMED)
            self._count_failure(error)
        except (BalanceExhaustedError, DuplicateTransactionError) as error:
            results.note(position, before)
            self._end(error)
        except FinalRefusalError as error:
            results.note(position, RowState.ACCOUNT_REFUSED)
            self._end(error)
        except InvalidMessageError:
            results.note(position, RowState.UNSENDABLE)
        else:
            self._failures_in_a_row = 0
            if receipt.outcome is Outcome.ACCEPTED and receipt.msg_id is not None:
                parts = receipt.parts or 0
                self.estimated_parts += estimated if parts else 0
                self.billed_parts += parts
                results.note_accepted(position, msg_id=receipt.msg_id, parts=parts)
                self._journal.add_accepted(message.txn_id, msg_id=receipt.msg_id, parts=parts)
                self._writer.look()
            elif receipt.outcome is Outcome.UNCERTAIN:
                self._settle(position, message, RowState.UNDECIDED)
            else:
                self._settle(position, message, RowState.ANSWER_LOST)
            self._progress.count()

    def _settle(
        self, position: int, message: Message, state: RowState, *, history: TxnIdHistory = TxnIdHistory.UNUSED
    ) -> None:
        self._results.note(position, state, history=history)
        self._journal.add(message.txn_id, state)
        self._writer.look()

    def _count_failure(self, error: OsonSmsError) -> None:
        self._progress.count_failure()
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._options.max_consecutive_failures:
            self._end(
                TooManyFailuresError(
                    f"{self._failures_in_a_row} attempts failed in a row, the last with: {error}. The task "
                    f"goes on in its next try, under the same keys"
                )
            )

    def _end(self, problem: OsonSmsError) -> None:
        self.problem = self.problem or problem
        self.stop()

    async def _pause(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._sleep(seconds))
        stopped = asyncio.create_task(self._stopped.wait())
        await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        stopped.cancel()
