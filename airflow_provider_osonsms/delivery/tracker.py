"""Polls the statuses of many messages in rounds, and keeps what is known between the rounds.

A message costs a few bytes in arrays and no asyncio task: a few workers share the numbers to poll.
"""

import asyncio
import contextlib
import json
import logging
import time
import zlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, filterfalse, islice
from typing import Final, NamedTuple

from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient, PreparedRequest
from airflow_provider_osonsms.client.rate import RateLimiter
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria, Reach
from airflow_provider_osonsms.delivery.share import Share
from airflow_provider_osonsms.delivery.summary import DeliverySummary
from airflow_provider_osonsms.delivery.workers import Workers
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    GatewayError,
    OsonSmsError,
    ThrottledError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.msg_ids import MsgIds

log = logging.getLogger(__name__)

EXAMPLES: Final = 10
MAX_CONSECUTIVE_FAILURES: Final = 100
"""After so many queries in a row without a usable answer a round ends: the gateway is probably down."""
SECONDS_OF_PATIENCE: Final = 60.0
"""So long the gateway may turn every query away before a round ends."""
SECONDS_AFTER_DEADLINE: Final = 3600.0
"""For the messages without any answer: whether they are delivered must be known before anybody is listed."""
_PACKED_AT_ONCE: Final = 10_000
_NUMBERS_AT_ONCE: Final = 50_000
"""Looked at in one piece: a million would hold up the other triggers for a tenth of a second."""
_QUERIES_AT_ONCE: Final = 64
"""Built in one piece; see `client.asynchronous`."""
_STATUSES: Final = (None, *DeliveryStatus)
_CODES: Final = {status: code for code, status in enumerate(_STATUSES)}


class MessagesChangedError(OsonSmsError):
    """A poke was given other messages than the one before: those that are missing would be forgotten."""


class MessageStatus(NamedTuple):
    """What is known of a message.

    Attributes:
        status: The last status; None without an answer.
        first_seen: The time of the first answer, in seconds since the epoch; None without an answer.
        last_seen: The time of the last answer; None without an answer.
        polls: The number of answers.
        reach: What the status means.
    """

    status: str | None
    first_seen: float | None
    last_seen: float | None
    polls: int
    reach: Reach


class _Query(NamedTuple):
    """A question that was built beforehand; its request may be the error that says why there is none."""

    number: int
    request: PreparedRequest | OsonSmsError


class DeliveryTracker:
    """Keeps the status of each message, and polls only the messages whose status may still change.

    Args:
        msg_ids: The msg_ids to poll.
        untracked: How many more messages cannot be polled.
        criteria: The conditions of the wait.
        concurrency: Queries under way at once.
        limiter: Says when the next query may begin; None for no limit but the one that the gateway shows.
        began: When the wait began, in seconds since the epoch; None for now.
        accepted: When the last of the messages was accepted; None for *began*.
        opened: When this try of the wait began; None for *began*.
        clock: Returns seconds since the epoch.

    Attributes:
        msg_ids: As given.
        criteria: As given.
        limiter: As given; it belongs to one event loop.
        share: With the other waits in the event loop; at first there are none.
        began: As given, or the time of the construction.
        questions: How many times the gateway was asked.
        throttled: How many of these questions it has turned away.
    """

    def __init__(
        self,
        msg_ids: MsgIds,
        *,
        untracked: int = 0,
        criteria: DeliveryCriteria | None = None,
        concurrency: int = 16,
        limiter: RateLimiter | None = None,
        began: float | None = None,
        accepted: float | None = None,
        opened: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.msg_ids = msg_ids
        self._untracked = untracked
        self.criteria = criteria or DeliveryCriteria()
        self._concurrency = concurrency
        self.limiter = limiter or RateLimiter()
        self.share = Share()
        self.questions = self.throttled = 0
        self._clock = clock
        self.began = clock() if began is None else began
        self._accepted = self.began if accepted is None else min(accepted, self.began)  # clocks differ
        self._opened = self.began if opened is None else opened
        size = len(msg_ids)
        self._pending = array("l")
        for piece in _cut(range(size), _NUMBERS_AT_ONCE):
            self._pending.extend(piece)
        self._next_number = 0
        self._is_closed = False
        self._codes = bytearray(size)
        self._repeats = bytearray(size)
        self._is_final = bytearray(size)
        self._polls = array("H", bytes(2 * size))
        self._first_seen = array("f", bytes(4 * size))
        self._last_seen = array("f", bytes(4 * size))
        self._unconfirmed = 0
        self._undelivered: dict[str, DeliveryStatus] = {}
        self._failures_in_a_row = 0

    @property
    def unanswered(self) -> int:
        """How many messages have had no usable answer; they may be delivered."""
        return self._polls.count(0)

    def may_confirm(self, *, deadline: float) -> bool:
        """Whether a message has a status that only has to be seen once more to be final.

        Args:
            deadline: In seconds since the epoch; after it nothing is confirmed.
        """
        now = self._clock()
        is_old = now - self._accepted >= self.criteria.unknown_after
        return is_old and now < deadline and self._unconfirmed > 0

    async def poll(
        self,
        client: AsyncOsonSmsClient,
        *,
        deadline: float | None = None,
        query_timeout: float = 0.0,
        only_unconfirmed: bool = False,
    ) -> None:
        """Query every pending message once; a message without a usable answer stays pending.

        The last round for all of them is the first one that begins after the deadline. After it, only the
        messages without any answer are queried.

        Args:
            client: Sends the queries.
            deadline: When the round is cut, in seconds since the epoch; a message that was not queried stays
                pending. While there are messages without any answer, it is `SECONDS_AFTER_DEADLINE` later,
                because nothing is known of them. None for no limit.
            query_timeout: Seconds that the round may take longer: those of a query.
            only_unconfirmed: Query only messages whose last status needs confirmation.

        Raises:
            FinalRefusalError: The account is refused, so every other query would be refused too.
        """
        self._pending = await _select(
            self._pending, lambda some: filterfalse(self._is_final.__getitem__, some)
        )
        numbers = self._pending
        if only_unconfirmed:
            numbers = await _select(numbers, lambda some: filter(self._repeats.__getitem__, some))
        now = self._clock()
        is_late = deadline is not None and now >= deadline and not only_unconfirmed
        if not is_late and not only_unconfirmed:  # another deadline, or a clock that was set back
            self._is_closed = False
        if is_late and self._is_closed:
            numbers = await _select(numbers, lambda some: filterfalse(self._polls.__getitem__, some))
        time_limit = None if deadline is None else max(self._plan_end(deadline) - now, 0.0) + query_timeout
        failures: Counter[str] = Counter()
        split = bisect_left(numbers, self._next_number)
        rotated = numbers[split:] + numbers[:split] if split else numbers
        queue = self._build_queries(client, _cut(rotated, _QUERIES_AT_ONCE))
        self._failures_in_a_row = 0
        workers = Workers(
            lambda query: self._ask(client, query, failures),
            queue,
            most=min(self._concurrency, len(numbers)),
            share=self.share,
        )
        try:
            async with asyncio.timeout(time_limit):
                await workers.run()
        except TimeoutError:
            log.warning("The round was cut at its time limit: the gateway is too slow to query all messages")
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            unasked = next(queue, None)
            self._next_number = (
                unasked.number if unasked else 0
            )  # the next round starts where a cut one stopped
            self._is_closed |= is_late
        if failures:
            text = "%d of %d status queries had no usable answer and are repeated in the next round: %s"
            log.warning(text, failures.total(), len(numbers), dict(failures))

    def _plan_end(self, deadline: float) -> float:
        """Return until when messages are queried; a try that begins after the deadline has its hour, too."""
        return max(deadline, self._opened) + SECONDS_AFTER_DEADLINE if self.unanswered else deadline

    def decide(self, *, deadline: float, needs_answers: bool) -> Decision:
        """Decide what the waiting task does next.

        Args:
            deadline: In seconds since the epoch.
            needs_answers: Whether the wait goes on after the deadline, and is not ended early, while
                messages have had no answer.
        """
        now = self._clock()
        if needs_answers and self.unanswered and now < self._plan_end(deadline):
            return Decision.WAIT
        return self.criteria.decide(
            tracked=len(self.msg_ids),
            delivered=self._count_delivered(),
            pending=self._count_pending(),
            unknown=self._count(DeliveryStatus.NOT_FOUND),
            is_over=now >= deadline,
        )

    def summarize(self) -> DeliverySummary:
        """Return the counts of what is known."""
        by_status = {str(status): count for status in DeliveryStatus if (count := self._count(status))}
        waiting = ((self.msg_ids[number], _STATUSES[self._codes[number]]) for number in self._read_pending())
        examples = islice(chain(self._undelivered.items(), waiting), EXAMPLES)
        delivered, pending = self._count_delivered(), self._count_pending()
        return DeliverySummary(
            total=len(self.msg_ids) + self._untracked,
            delivered=delivered,
            failed=len(self.msg_ids) - pending - delivered,
            pending=pending,
            untracked=self._untracked,
            by_status=dict(sorted(by_status.items())),
            examples={msg_id: str(status or "unanswered") for msg_id, status in examples},
        )

    def read_status(self, number: int) -> MessageStatus:
        """Return what is known of the message with this number in `msg_ids`."""
        status = _STATUSES[self._codes[number]]
        if status is None:
            return MessageStatus(None, None, None, 0, Reach.NOT_KNOWN)
        return MessageStatus(
            status=str(status),
            first_seen=self.began + self._first_seen[number],
            last_seen=self.began + self._last_seen[number],
            polls=self._polls[number],
            reach=self.criteria.judge_final(status) if self._is_final[number] else Reach.ON_ITS_WAY,
        )

    def dump(self, wait_id: str, *, try_number: int = 0) -> bytes:
        """Return all that is known, for the next process of the wait *wait_id*; a few bytes a message."""
        header = {
            "wait_id": wait_id,
            "try": try_number,
            "messages": self.msg_ids.checksum,
            "criteria": repr(self.criteria),
            "began": self.began,
            "next_number": self._next_number,
            "is_closed": self._is_closed,
        }
        # A round may go on meanwhile in another thread. `_record` writes this column last, so it is read
        # first: what is final in it has its last status in the others. `_restore_columns` does the rest.
        is_final = bytes(self._is_final)
        packer = zlib.compressobj(level=1)  # piece by piece: no second copy of all columns lives beside them
        pieces = [packer.compress(json.dumps(header).encode() + b"\n")]
        columns = (self._codes, self._repeats, is_final, self._polls)
        pieces += [packer.compress(column) for column in columns]
        for ages in (self._first_seen, self._last_seen):
            for start in range(0, len(ages), _PACKED_AT_ONCE):
                some = map(round, ages[start : start + _PACKED_AT_ONCE])  # whole seconds become smaller
                pieces.append(packer.compress(array("f", some)))
        return b"".join((*pieces, packer.flush()))

    def restore(self, dumped: bytes | None, wait_id: str, *, try_number: int = 1) -> bool:
        """Take in what `dump` has returned; return False, and ignore it, if it is of another wait.

        Raises:
            MessagesChangedError: This try has begun with other messages.
        """
        with contextlib.suppress(ValueError, KeyError, TypeError, zlib.error):
            head, _, body = zlib.decompress(dumped or b"").partition(b"\n")
            header = json.loads(head)
            is_this_try = (header["wait_id"], header["try"]) == (wait_id, try_number)
            if is_this_try and header["messages"] != self.msg_ids.checksum:
                raise MessagesChangedError(
                    "the messages have changed since this try began to wait for them: was a task that sends "
                    "cleared? The next try waits for those that are there then"
                )
            said = header["wait_id"], header["messages"], header["criteria"]
            is_ours = said == (wait_id, self.msg_ids.checksum, repr(self.criteria))
            if is_ours and len(body) == 13 * len(self.msg_ids):
                self._restore_columns(body, later=float(header["began"]) - self.began)
                self._next_number, self._is_closed = int(header["next_number"]), header["is_closed"] is True
                return True
        return False

    def _restore_columns(self, body: bytes, *, later: float) -> None:
        size = len(self.msg_ids)
        codes = bytearray(body[:size])
        if any(code >= len(_STATUSES) for code in codes):
            raise ValueError("a status that is none")
        self._codes, self._repeats = codes, bytearray(body[size : 2 * size])
        self._is_final = bytearray(body[2 * size : 3 * size])
        self._polls = array("H", body[3 * size : 5 * size])
        final = {
            _CODES[status]
            for status in DeliveryStatus
            if not status.needs_confirmation and self.criteria.judge_final(status) is not Reach.ON_ITS_WAY
        }
        for number, code in enumerate(codes):  # what was written in the middle of a round
            self._polls[number] = self._polls[number] if code else 0
            self._is_final[number] |= code in final
        first, last = array("f", body[5 * size : 9 * size]), array("f", body[9 * size :])
        self._first_seen, self._last_seen = (
            array("f", (age + later for age in ages)) for ages in (first, last)
        )
        self._unconfirmed = sum(1 for number in self._read_pending() if self._repeats[number])
        for number in filter(self._is_final.__getitem__, range(size)):
            self._add_example(number)

    def _build_queries(
        self, client: AsyncOsonSmsClient, pieces: Iterable[Sequence[int]]
    ) -> Iterator["_Query"]:
        """Build the queries of a piece at once, before the first of them is asked."""
        for piece in pieces:
            yield from [self._build_query(client, number) for number in piece]

    def _build_query(self, client: AsyncOsonSmsClient, number: int) -> "_Query":
        try:
            return _Query(number, client.build_query(self.msg_ids[number]))
        except OsonSmsError as error:
            return _Query(number, error)

    async def _ask(self, client: AsyncOsonSmsClient, query: "_Query", failures: Counter[str]) -> bool:
        """Query a message, and keep the answer; return whether the next one is worth a query."""
        try:
            status = await self._query(client, query)
        except UnknownMessageError:
            status = DeliveryStatus.NOT_FOUND
        except FinalRefusalError:
            raise
        except OsonSmsError as error:
            failures[type(error).__name__] += 1
            if isinstance(error, ThrottledError):
                return False  # the others of this round would be turned away, too
            if not isinstance(error, GatewayError):  # it is up, and refuses this question
                self._failures_in_a_row += 1
            return self._failures_in_a_row < MAX_CONSECUTIVE_FAILURES
        self._failures_in_a_row = 0
        self.limiter.count_answer()
        self._record(query.number, status)
        return True

    async def _query(self, client: AsyncOsonSmsClient, query: "_Query") -> DeliveryStatus:
        """Query a status in its turn, and again in later turns while the gateway asks to slow down."""
        request = query.request
        if isinstance(request, OsonSmsError):
            raise request
        while True:
            number = await self.limiter.take_turn()
            self.questions += 1
            try:
                return await client.ask(request)
            except ThrottledError as error:
                self.throttled += 1
                self.limiter.slow_down(number, retry_after=error.retry_after, status=error.status)
                if self.limiter.seconds_throttled >= SECONDS_OF_PATIENCE:
                    raise
                request = client.build_query(self.msg_ids[query.number])  # with a nonce of its own

    def _record(self, number: int, status: DeliveryStatus) -> None:
        code = _CODES[status]
        self._unconfirmed -= self._repeats[number] > 0
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
        reach = self.criteria.judge(status, repeats=repeats, age=self.began + age - self._accepted)
        if reach is Reach.ON_ITS_WAY:
            self._unconfirmed += repeats > 0
        else:
            self._is_final[number] = True
            if reach is not Reach.REACHED:
                self._add_example(number)

    def _add_example(self, number: int) -> None:
        if len(self._undelivered) == EXAMPLES:
            return
        status = _STATUSES[self._codes[number]]
        if status is not None and not self.criteria.is_delivered(status):
            self._undelivered[self.msg_ids[number]] = status

    def _read_pending(self) -> Iterator[int]:
        """Yield the numbers of the messages whose status is not final, in their order."""
        number = self._is_final.find(False)
        while number >= 0:
            yield number
            number = self._is_final.find(False, number + 1)

    def _count_pending(self) -> int:
        return self._is_final.count(False)

    def _count(self, status: DeliveryStatus) -> int:
        """Count the messages with this last status."""
        return self._codes.count(_CODES[status])

    def _count_delivered(self) -> int:
        return sum(self._count(status) for status in DeliveryStatus if self.criteria.is_delivered(status))


def _cut(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


async def _select(numbers: "array[int]", choose: Callable[[Sequence[int]], Iterable[int]]) -> "array[int]":
    """Return those of *numbers* that *choose* leaves of each piece; others have their turn meanwhile."""
    selected = array("l")
    for piece in _cut(numbers, _NUMBERS_AT_ONCE):
        selected.extend(choose(piece))
        await asyncio.sleep(0)
    return selected
