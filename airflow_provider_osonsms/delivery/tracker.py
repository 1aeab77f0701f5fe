"""Polls the statuses of many messages in rounds, and keeps what is known between the rounds.

A message costs a few bytes in arrays and no asyncio task: a few workers share the numbers to poll.
"""

import asyncio
import logging
import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import Final, NamedTuple

from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.summary import DeliverySummary
from airflow_provider_osonsms.protocol.errors import FinalRefusalError, OsonSmsError, UnknownMessageError
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.msg_ids import MsgIds

log = logging.getLogger(__name__)

EXAMPLES: Final = 10
MAX_CONSECUTIVE_FAILURES: Final = 100
"""After so many queries in a row without a usable answer a round ends: the gateway is probably down."""
MIN_FIRST_ROUND_SECONDS: Final = 3600.0
_STATUSES: Final = (None, *DeliveryStatus)
_CODES: Final = {status: code for code, status in enumerate(_STATUSES)}

UnconfirmedStatus = tuple[DeliveryStatus, int]
"""A status that needs confirmation, and how many times in a row it was seen."""


class MessageStatus(NamedTuple):
    """What is known of a message.

    Attributes:
        status: The last status; None without an answer.
        first_seen: The time of the first answer, in seconds since the epoch; None without an answer.
        last_seen: The time of the last answer; None without an answer.
        polls: The number of answers.
        is_delivered: Whether the status counts as delivered.
        is_final: Whether the status ends the wait for this message.
    """

    status: str | None
    first_seen: float | None
    last_seen: float | None
    polls: int
    is_delivered: bool
    is_final: bool


class DeliveryTracker:
    """Keeps the status of each message, and polls only the messages whose status may still change.

    Args:
        msg_ids: The msg_ids to poll.
        untracked: How many more messages cannot be polled.
        criteria: The conditions of the wait.
        concurrency: Queries under way at once.
        acquire: Awaited before each query, see `make_limiter`; None for no limit.
        unconfirmed: Statuses that an earlier process has seen in a row, by msg_id.
        began: When the wait began, in seconds since the epoch; None for now.
        clock: Returns seconds since the epoch.

    Attributes:
        msg_ids: As given.
        criteria: As given.
        acquire: As given; it belongs to the running event loop.
        began: As given, or the time of the construction.
    """

    def __init__(
        self,
        msg_ids: MsgIds,
        *,
        untracked: int = 0,
        criteria: DeliveryCriteria | None = None,
        concurrency: int = 16,
        acquire: Callable[[], Awaitable[None]] | None = None,
        unconfirmed: Mapping[str, UnconfirmedStatus] | None = None,
        began: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.msg_ids = msg_ids
        self._untracked = untracked
        self.criteria = criteria or DeliveryCriteria()
        self._concurrency = concurrency
        self.acquire = acquire
        self._clock = clock
        self.began = clock() if began is None else began
        size = len(msg_ids)
        self._pending = array("l", range(size))
        self._next_number = 0
        self._was_each_polled = False
        self._codes = bytearray(size)
        self._repeats = bytearray(size)
        self._is_final = bytearray(size)
        self._polls = array("H", bytes(2 * size))
        self._first_seen = array("f", bytes(4 * size))
        self._last_seen = array("f", bytes(4 * size))
        self._final: Counter[DeliveryStatus] = Counter()
        self._undelivered: dict[str, DeliveryStatus] = {}
        self._failures_in_a_row = 0
        for msg_id, (status, count) in (unconfirmed or {}).items():
            number = msg_ids.find(msg_id)
            if number is not None:
                self._codes[number], self._repeats[number] = _CODES[status], count

    @property
    def unconfirmed(self) -> dict[str, UnconfirmedStatus]:
        """Statuses that need confirmation, with their repeats, by msg_id; also the final ones."""
        return {
            self.msg_ids[number]: (status, count)
            for number, count in enumerate(self._repeats)
            if count and (status := _STATUSES[self._codes[number]])
        }

    @property
    def unanswered(self) -> int:
        """How many messages have had no usable answer in this process; they may be delivered."""
        return self._polls.count(0)

    @property
    def has_unconfirmed(self) -> bool:
        """Whether a pending message has a status that needs confirmation."""
        return any(self._repeats[number] for number in self._pending)

    async def poll(
        self, client: AsyncOsonSmsClient, *, time_limit: float | None = None, only_unconfirmed: bool = False
    ) -> None:
        """Query every pending message once; a message without a usable answer stays pending.

        Args:
            client: Sends the queries.
            time_limit: Seconds after which the round is cut; a message that was not queried stays pending.
                Until every message was queried once, it is at least `MIN_FIRST_ROUND_SECONDS`, because
                nothing is known of the others.
            only_unconfirmed: Query only messages whose last status needs confirmation.

        Raises:
            FinalRefusalError: The account is refused, so every other query would be refused too.
        """
        numbers = self._pending
        if only_unconfirmed:
            numbers = array("l", (number for number in numbers if self._repeats[number]))
        failures: Counter[str] = Counter()
        split = bisect_left(numbers, self._next_number)
        queue = chain(numbers[split:], numbers[:split])
        self._failures_in_a_row = 0
        try:
            if time_limit is not None and not self._was_each_polled:
                time_limit = max(time_limit, MIN_FIRST_ROUND_SECONDS)
            async with asyncio.timeout(time_limit), asyncio.TaskGroup() as group:
                for _ in range(min(self._concurrency, len(numbers))):
                    group.create_task(self._poll_from(client, queue, failures))
        except TimeoutError:
            log.warning("The round was cut at its time limit: the gateway is too slow to query all messages")
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            left = next(queue, None)
            self._next_number = left or 0  # the next round starts where a cut round stopped
            self._was_each_polled |= left is None and not only_unconfirmed
            self._pending = array("l", (number for number in self._pending if not self._is_final[number]))
        if failures:
            text = "%d of %d status queries had no usable answer and are repeated in the next round: %s"
            log.warning(text, failures.total(), len(numbers), dict(failures))

    def decide(self, *, now: datetime, deadline: datetime) -> Decision:
        """Decide what the waiting task does next."""
        return self.criteria.decide(
            tracked=len(self.msg_ids),
            delivered=self._count_delivered(),
            pending=len(self._pending),
            now=now,
            deadline=deadline,
        )

    def summarize(self) -> DeliverySummary:
        """Return the counts of what is known."""
        seen = Counter(map(self._codes.__getitem__, self._pending))
        by_status = self._final + Counter(
            {status: seen[code] for code, status in enumerate(_STATUSES) if status is not None}
        )
        waiting = ((self.msg_ids[number], _STATUSES[self._codes[number]]) for number in self._pending)
        examples = islice(chain(self._undelivered.items(), waiting), EXAMPLES)
        delivered = self._count_delivered()
        return DeliverySummary(
            total=len(self.msg_ids) + self._untracked,
            delivered=delivered,
            failed=self._final.total() - delivered,
            pending=len(self._pending),
            untracked=self._untracked,
            by_status={str(status): by_status[status] for status in sorted(by_status)},
            examples={msg_id: str(status or "unanswered") for msg_id, status in examples},
        )

    def read_status(self, number: int) -> MessageStatus:
        """Return what is known of the message with this number in `msg_ids`."""
        status = _STATUSES[self._codes[number]]
        if status is None or not self._polls[number]:
            return MessageStatus(None, None, None, 0, is_delivered=False, is_final=False)
        return MessageStatus(
            status=str(status),
            first_seen=self.began + self._first_seen[number],
            last_seen=self.began + self._last_seen[number],
            polls=self._polls[number],
            is_delivered=self.criteria.is_delivered(status),
            is_final=bool(self._is_final[number]),
        )

    async def _poll_from(
        self, client: AsyncOsonSmsClient, queue: Iterator[int], failures: Counter[str]
    ) -> None:
        while self._failures_in_a_row < MAX_CONSECUTIVE_FAILURES:
            if (number := next(queue, None)) is None:
                return
            if self.acquire is not None:
                await self.acquire()
            try:
                status = await client.query_status(self.msg_ids[number])
            except UnknownMessageError:
                status = DeliveryStatus.NOT_FOUND
            except FinalRefusalError:
                raise
            except OsonSmsError as error:
                failures[type(error).__name__] += 1
                self._failures_in_a_row += 1
                continue
            self._failures_in_a_row = 0
            self._record(number, status)

    def _record(self, number: int, status: DeliveryStatus) -> None:
        code = _CODES[status]
        repeats = 0
        if status.needs_confirmation:
            is_repeated = self._codes[number] == code
            repeats = min(self._repeats[number] + 1, 0xFF) if is_repeated else 1
        age = self._clock() - self.began
        polls = self._polls[number]
        if not polls:
            self._first_seen[number] = age
        self._last_seen[number] = age
        self._polls[number] = min(polls + 1, 0xFFFF)
        self._codes[number], self._repeats[number] = code, repeats
        if self.criteria.is_final(status, repeats=repeats):
            self._is_final[number] = True
            self._final[status] += 1
            if not self.criteria.is_delivered(status) and len(self._undelivered) < EXAMPLES:
                self._undelivered[self.msg_ids[number]] = status

    def _count_delivered(self) -> int:
        return sum(count for status, count in self._final.items() if self.criteria.is_delivered(status))
