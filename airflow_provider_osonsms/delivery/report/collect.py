"""The rows and figures of a report: one pass over the results tables and the tracker."""

import heapq
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker, MessageStatus
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.results import ResultsTable
from airflow_provider_osonsms.tables.rows import ReportRow, ResultRow, UndeliveredRow

MAX_LISTED: Final = 10
_ACCEPTED: Final = (Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED)


_UNKNOWN_ROW: Final = ResultRow(*[None] * len(ResultRow._fields))
"""Of a message that no table has."""


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

    def read_undelivered(self) -> Iterator[UndeliveredRow]:
        """Yield the rows of the tables whose recipient no message is known to have reached; no rejected rows.

        Raises:
            InvalidMessageError: A table cannot be read on this machine.
        """
        reached: set[str | None] = set()
        if len(self._tables) > 1:  # a row may be in two campaigns, of which one has reached the recipient
            reached.update(row.key for row, seen in self._read_seen() if seen and seen.is_delivered)
        for row, seen in self._read_seen():
            is_reached = row.key in reached or (seen is not None and seen.is_delivered)
            if row.key is not None and row.outcome != Outcome.REJECTED and not is_reached:
                status = (seen.status or "unanswered") if seen else (row.reason or row.outcome)
                yield UndeliveredRow(row.key, row.phone, status)

    def _read_seen(self) -> Iterator[tuple[ResultRow, MessageStatus | None]]:
        for table in self._tables:
            for row in table.read(self._open_path):
                number = self._tracker.msg_ids.find(row.msg_id) if row.msg_id else None
                yield row, None if number is None else self._tracker.read_status(number)

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
        if seen.is_delivered:
            figures.delivered_after.append(seconds)
            if len(figures.slowest) == MAX_LISTED and seconds <= figures.slowest[0].seconds:
                return
            heapq.heappush(figures.slowest, Listed(seconds, mask_phone(row.phone), msg_id, seen.status or ""))
            if len(figures.slowest) > MAX_LISTED:
                heapq.heappop(figures.slowest)
            return
        some = figures.failed if seen.is_final else figures.pending
        if len(some) < MAX_LISTED:
            some.append(Listed(seconds, mask_phone(row.phone), msg_id, seen.status or ""))


def _print_time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
