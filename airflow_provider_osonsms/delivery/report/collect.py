"""The rows and figures of a report: one pass over the results tables and the tracker."""

import heapq
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.delivery.criteria import Reach
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker, MessageStatus
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.results import ResultsTable
from airflow_provider_osonsms.tables.rows import ReportRow, ResultRow, UndeliveredRow

MAX_LISTED: Final = 10
_NOT_MEANT: Final = (Outcome.REJECTED, Outcome.CAPPED)
"""Nobody whom to text again."""
_ACCEPTED: Final = (Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED)


_UNKNOWN_ROW: Final = ResultRow(*[None] * len(ResultRow._fields))
"""Of a message that no table has."""


_BY_HOPE: Final = (Reach.NOT_REACHED, Reach.NOT_KNOWN, Reach.ON_ITS_WAY, Reach.REACHED)
_RANKS: Final = {reach: rank for rank, reach in enumerate(_BY_HOPE)}
"""Of several messages to one recipient, the one with the highest rank counts."""


class _JudgedRow(NamedTuple):
    """A row of a campaign.

    Attributes:
        recipient: Key column (empty for phones), key and phone.
        reach: Whether its message has reached the recipient.
        status: The last status; else, in small letters, why there is none.
    """

    recipient: tuple[str, str, str]
    reach: Reach
    status: str


class Listed(NamedTuple):
    """A message that the page shows; its phone is masked."""

    seconds: float
    phone: str
    msg_id: str
    status: str


@dataclass(kw_only=True)
class Figures:
    """The figures on the page.

    Attributes:
        rows: Rows of all tables; 0 without a table.
        outcomes: Rows by outcome.
        rejects: Rows that were not accepted, by reason.
        parts: Billed parts that are known.
        delivered_after: Seconds from acceptance (or the wait's beginning) until each was seen delivered.
        slowest: The slowest deliveries, as a heap.
        failed: A few messages with another final status.
        pending: A few messages without a final status.
    """

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    parts: int = 0
    delivered_after: "array[float]" = field(default_factory=lambda: array("f"))
    slowest: list[Listed] = field(default_factory=list)
    failed: list[Listed] = field(default_factory=list)
    pending: list[Listed] = field(default_factory=list)

    @property
    def undelivered(self) -> list[Listed]:
        """A few messages that are not delivered, the failed ones first."""
        return [*self.failed, *self.pending][:MAX_LISTED]

    @property
    def accepted(self) -> int:
        """Rows that the gateway has accepted."""
        return sum(self.outcomes[outcome] for outcome in _ACCEPTED)


class ReportCollector:
    """Reads the results tables and the tracker once, makes the rows of the report, and counts the figures.

    Args:
        tracker: Has the status of each message.
        tables: Results tables of the campaigns.
        open_path: Returns an object with ``suffix`` and ``open`` for a path.

    Attributes:
        figures: Complete after all rows have been read.
    """

    def __init__(
        self, tracker: DeliveryTracker, *, tables: tuple[ResultsTable, ...], open_path: Callable[[str], Any]
    ) -> None:
        self.figures = Figures()
        self._tracker = tracker
        self._tables = tables
        self._open_path = open_path

    def read_rows(self) -> Iterator[ReportRow]:
        """Yield a row for each message: first the messages of the tables, then those in no table.

        Raises:
            InvalidMessageError: A table cannot be read on this machine.
        """
        is_listed = bytearray(len(self._tracker.msg_ids))
        for table in self._tables:
            for row in table.read(self._open_path):
                self._count(row)
                number = self._tracker.msg_ids.find(row.msg_id) if row.msg_id else None
                if number is not None and not is_listed[number]:
                    is_listed[number] = True
                    yield self._make_row(number, row)
                elif row.is_untracked:
                    yield ReportRow(row.key, row.phone, None, None, None, None, 0)
        for number, was_listed in enumerate(is_listed):
            if not was_listed:
                yield self._make_row(number, _UNKNOWN_ROW)

    def read_undelivered(self, *, include_unknown: bool) -> Iterator[UndeliveredRow]:
        """Yield the rows of the tables whose recipient is known not to be reached; no rejected rows.

        A recipient may be in several tables: as long as one of the messages may have arrived, the recipient
        may be reached. The same key in another key space is another recipient.

        Args:
            include_unknown: Yield the rows, too, of which nobody knows it.

        Raises:
            InvalidMessageError: A table cannot be read on this machine, or the gateway knows too few messages
                of a campaign.
        """
        best: dict[tuple[str, ...], Reach] = {}
        if len(self._tables) > 1:
            for table in self._tables:
                counts = Counter[str]()
                for row in self._judge_rows(table):
                    counts[row.status] += 1
                    if _RANKS[row.reach] > _RANKS[best.get(row.recipient, Reach.NOT_REACHED)]:
                        best[row.recipient] = row.reach
                _refuse_unknown_campaign(counts)
        listed = set()
        for row in chain.from_iterable(map(self._judge_rows, self._tables)):
            reach = best.get(row.recipient, row.reach)
            is_wanted = reach is Reach.NOT_REACHED or (include_unknown and reach is not Reach.REACHED)
            if not is_wanted or row.reach is not reach or row.recipient in listed:
                continue
            if len(self._tables) > 1:
                listed.add(row.recipient)
            key_column, key, phone = row.recipient
            yield UndeliveredRow(key, phone, row.status, str(reach), key_column or None)

    def _judge_rows(self, table: ResultsTable) -> Iterator[_JudgedRow]:
        for row in table.read(self._open_path):
            if row.key is None or row.outcome in _NOT_MEANT:
                continue
            number = self._tracker.msg_ids.find(row.msg_id) if row.msg_id else None
            recipient = (table.key_column or "", row.key, row.phone or "")
            if number is not None:
                seen = self._tracker.read_status(number)
                yield _JudgedRow(recipient, seen.reach, seen.status or "unanswered")
            else:  # nobody can ask for it
                reach = Reach.NOT_KNOWN if row.may_have_been_sent else Reach.NOT_REACHED
                yield _JudgedRow(recipient, reach, row.reason or row.outcome or "")

    def _count(self, row: ResultRow) -> None:
        figures = self.figures
        figures.rows += 1
        outcome = row.outcome or ""
        figures.outcomes[outcome] += 1
        if outcome not in _ACCEPTED:
            figures.rejects[row.reason or outcome] += 1
        figures.parts += row.parts or 0

    def _make_row(self, number: int, row: ResultRow) -> ReportRow:
        seen = self._tracker.read_status(number)
        msg_id = self._tracker.msg_ids[number]
        self._add_example(seen, row, msg_id=msg_id)
        first, last = map(_print_time, (seen.first_seen, seen.last_seen))
        return ReportRow(row.key, row.phone, msg_id, seen.status, first, last, seen.polls)

    def _add_example(self, seen: MessageStatus, row: ResultRow, *, msg_id: str) -> None:
        figures = self.figures
        began = row.accepted_seconds or self._tracker.began  # where the table does not say it
        seconds = 0.0 if seen.last_seen is None else max(seen.last_seen - began, 0.0)
        if seen.reach is Reach.REACHED:
            figures.delivered_after.append(seconds)
            if len(figures.slowest) == MAX_LISTED and seconds <= figures.slowest[0].seconds:
                return
            heapq.heappush(figures.slowest, Listed(seconds, mask_phone(row.phone), msg_id, seen.status or ""))
            if len(figures.slowest) > MAX_LISTED:
                heapq.heappop(figures.slowest)
            return
        is_pending = seen.status is None or seen.reach is Reach.ON_ITS_WAY
        some = figures.pending if is_pending else figures.failed
        if len(some) < MAX_LISTED:
            some.append(Listed(seconds, mask_phone(row.phone), msg_id, seen.status or ""))


def _refuse_unknown_campaign(counts: Counter[str]) -> None:
    """Check, by the statuses of one campaign of several, that it was sent by the account that is asked.

    Raises:
        InvalidMessageError: The gateway knows less than half of its messages.
    """
    unknown = counts[DeliveryStatus.NOT_FOUND]
    if 2 * unknown > counts.total():
        raise InvalidMessageError(
            f"the gateway does not know {unknown} of the {counts.total()} messages of one campaign: was this "
            f"the account that sent them? Wait for each account in a task of its own"
        )


def _print_time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
