"""A wait of the model: what is true of the messages, and the modes put together as sensor and trigger do it.

Each wait writes down what its process was answered, and what that means: the core must know the same.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple

from model_memory import Files, ModelPath, Store

from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria, Reach
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.memory import FileMemory, StoreMemory, WaitMemory
from airflow_provider_osonsms.delivery.polling import PollSettings
from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.delivery.report.verdict import Ending
from airflow_provider_osonsms.delivery.report.write import try_to_write_report
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.protocol import errors
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.files import read_table, write_table
from airflow_provider_osonsms.tables.results import ResultsTable
from airflow_provider_osonsms.tables.rows import REFUSED_FOR_NOW, ResultRow, UndeliveredRow

START = 1_800_000_000.0
REFUSED = "an unlisted code"
FAILURES = (DeliveryStatus.UNDELIVERABLE, DeliveryStatus.EXPIRED)
DOUBTS = (DeliveryStatus.UNKNOWN, DeliveryStatus.NOT_FOUND)


class Mode(Enum):
    """Which process asks."""

    POKE = "one for the whole try"
    RESCHEDULE = "one for each round"
    FORGETFUL = "one for each round, and nothing is kept between them"
    DEFER = "the triggerer, which may be restarted"


TRACKED = (Outcome.ACCEPTED, None)
UNSENT = (Outcome.REFUSED, "code_110")
REJECTED = (Outcome.REJECTED, "invalid")
UNTOLD = ((Outcome.ACCEPTED_UNTRACKED, None), (Outcome.REFUSED, REFUSED_FOR_NOW), (Outcome.UNCERTAIN, None))
"""What a campaign says of a row: outcome and reason."""


class World:
    """The ledger, and a gateway that knows no message for the first *lag* seconds.

    Args:
        campaigns: Each has a key column, the seconds since it sent (None where its table lacks that), and
            rows: key, phone, what was sent, and the status of the message from each second on.

    Attributes:
        people: What was sent to each person, with the msg_id where there is one.
        fates: By msg_id.
        tables: Path, key column and rows of each campaign.
        accepted: When the last message was accepted; None where a table does not say it.
        downs: From when until when the gateway is down.
    """

    def __init__(self, campaigns, *, lag=0.0):
        self.lag, self.downs = lag, []
        self.people, self.fates, self.tables, leads = {}, {}, [], []
        for place, (key_column, lead, rows) in enumerate(campaigns, start=1):
            when = None if lead is None else datetime.fromtimestamp(START - lead, UTC).isoformat()
            written = []
            for number, (key, phone, sent, fate) in enumerate(rows):
                msg_id = f"{place}{number:04}" if sent is TRACKED else None
                row = ResultRow(number, key, phone, *sent, f"txn-{number}", msg_id, 1, when)
                written.append(row._replace(key=None) if sent is REJECTED else row)
                if msg_id:
                    self.fates[msg_id] = fate
                    leads.append(lead)
                if sent is not REJECTED:
                    self.people.setdefault((key_column, key, phone), []).append((sent, msg_id))
            self.tables.append((f"results/{place}.csv", key_column, written))
        self.accepted = START - min(leads) if leads and None not in leads else None

    def answer(self, msg_id, seconds):
        """Return the status that the gateway answers, or raise its error."""
        if any(begin <= seconds < end for begin, end in self.downs):
            raise errors.RequestNotSentError("down")
        status = [status for since, status in self.fates[msg_id] if since <= seconds][-1]
        if seconds < self.lag:
            status = DeliveryStatus.NOT_FOUND
        if status is REFUSED:
            raise errors.TemporaryRefusalError("no", code=110)
        return status

    def write_tables(self, files):
        """Write the results tables of the campaigns, and return them."""
        tables = []
        for path, key_column, rows in self.tables:
            said = write_table(rows, ModelPath(files, path), kind=ResultRow)
            tables.append(
                ResultsTable(path=path, rows=said.rows, checksum=said.checksum, key_column=key_column)
            )
        return tuple(tables)


class Loop(asyncio.SelectorEventLoop):
    """Never waits: *seconds* go on instead; *wall* is when they began, for the clock on the wall."""

    seconds, wall = 0.0, START

    def __init__(self):
        super().__init__()
        self._selector.select = self._skip

    def time(self):
        """Return a time that nobody sets."""
        return self.seconds

    def read_clock(self):
        """Return seconds since the epoch."""
        return self.wall + self.seconds

    def _skip(self, timeout):
        self.seconds += timeout or 0.0
        return []


class Seen(NamedTuple):
    """The last answer for a message, how often in a row, and what it means."""

    status: DeliveryStatus
    repeats: int
    reach: Reach


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What does not change during a wait; *is_lasting* is a state store: Airflow 3.3 and above have one."""

    timeout: float = 900.0
    polling: PollSettings = field(default_factory=PollSettings)
    criteria: DeliveryCriteria = field(default_factory=DeliveryCriteria)
    latency: float = 0.0
    is_lasting: bool = True


class Wait:
    """A task that waits in one *mode*; it is the client of its trackers, too.

    Attributes:
        known: What its process was answered, or has restored.
        questions: Per message, since the deadline was set.
        late: Those after the deadline, of the messages with an answer.
        losses: How often it may have forgotten something since then.
        tries: Those since then.
        lost: How many of the next answers are lost, per message.
        kill_after: The process dies at the question after so many; None for no death.
        lists: The undelivered rows (None where none were written) and the problem, without and with the
            unknown.
    """

    def __init__(self, mode, world, settings):
        self.mode, self.world, self.settings = mode, world, settings
        self.files, self.store, self.loop = Files(), Store(), Loop()
        self.tables = world.write_tables(self.files)
        self.lost, self.kill_after, self.is_killed_hard = Counter(), None, False
        self._number, self._began, self._saved = 0, None, {}
        self.start_try()

    @property
    def deadline(self):
        """As a time of the clock on the wall."""
        return self._began + self.settings.timeout

    @property
    def end(self):
        """Until when it asks for messages without an answer: each try has an hour for them."""
        return max(self.deadline, self._opened) + 3600

    @property
    def memory(self):
        """Where this mode keeps what it knows."""
        if self.mode is Mode.FORGETFUL:
            return WaitMemory()
        is_stored = self.settings.is_lasting and self.mode is not Mode.DEFER
        return (
            StoreMemory(self.store)
            if is_stored
            else FileMemory(f"memory/{self.wait_id}", open_path=self._open)
        )

    def start_try(self, *, is_clear=False):
        """Begin the next try; after a *Clear* it is another wait."""
        self._number += is_clear
        self.wait_id = f"wait {self._number}"
        self._opened = now = self.loop.read_clock()
        if self._began is None or is_clear or not self.settings.is_lasting:
            self._began = now
            self.questions, self.late, self.losses, self.tries = Counter(), Counter(), 0, 0
        self._began = min(self._began, now)
        self.tries += 1
        self.is_running, self.decision, self.lists = True, None, {}
        self._start_process()

    def kill(self):
        """Kill the process: a triggerer starts the trigger again, a worker's task is retried."""
        self.losses += 1
        if self.mode is Mode.DEFER:
            self._start_process()
        else:
            self.start_try()

    def run_until(self, seconds):
        """Poll round after round until *seconds* have passed."""
        while self.is_running and self.next_at <= seconds:
            self.loop.seconds = max(self.loop.seconds, self.next_at)
            self._poke()
        self.loop.seconds = max(self.loop.seconds, seconds)

    def build_query(self, msg_id):
        """Let the msg_id stand for the question."""
        return msg_id

    async def ask(self, msg_id):
        """Answer; nobody asks for a message whose final status is known."""
        assert self.is_pending(msg_id)
        assert self._asked or not self._skipped or msg_id in self._skipped
        self._asked.add(msg_id)
        self.questions[msg_id] += 1
        self.late[msg_id] += msg_id in self.known and self.loop.read_clock() >= self.deadline
        if self.kill_after is not None:
            self.kill_after -= 1
            if self.kill_after < 0:
                self._round.cancel()
        await asyncio.sleep(self.settings.latency)
        try:
            if self.lost[msg_id]:
                self.lost[msg_id] -= 1
                raise errors.OutcomeUnknownError("lost")
            status = self.world.answer(msg_id, self.loop.seconds)
        except errors.TransportError:
            self._is_whole = False
            raise
        self._record(msg_id, status)
        if status is DeliveryStatus.NOT_FOUND:
            raise errors.UnknownMessageError("?", code=107)
        return status

    def is_pending(self, msg_id):
        """Whether the status of a message may change, as far as the process knows."""
        return msg_id not in self.known or self.known[msg_id].reach is Reach.ON_ITS_WAY

    def _record(self, msg_id, status):
        criteria, seen = self.settings.criteria, self.known.get(msg_id)
        repeats = seen.repeats + 1 if seen is not None and seen.status is status else 1
        age = self.loop.read_clock() - min(self._began, self.world.accepted or self._began)
        reach = Reach.ON_ITS_WAY
        if status in DOUBTS and repeats >= criteria.unknown_limit and age >= criteria.unknown_after:
            reach = Reach.NOT_KNOWN
        elif status in FAILURES:
            reach = Reach.NOT_REACHED
        elif status is DeliveryStatus.DELIVERED or (
            status is DeliveryStatus.ACCEPTED and criteria.accepted_is_delivered
        ):
            reach = Reach.REACHED
        self.known[msg_id] = Seen(status, repeats, reach)

    def _open(self, path):
        return ModelPath(self.files, path)

    def _start_process(self):
        self.next_at = self.loop.seconds + 6.0 * (self.mode is Mode.DEFER)
        messages = TrackedMessages(msg_ids=(), sources=self.tables).load(self._open)
        self.tracker = DeliveryTracker(
            messages.msg_ids,
            untracked=messages.untracked,
            criteria=self.settings.criteria,
            concurrency=self.settings.polling.concurrency,
            began=self._began,
            opened=self._opened,
            accepted=messages.accepted,
            clock=self.loop.read_clock,
        )
        dumped = self.memory.load()
        wait_id, *saved = self._saved.get(dumped, ("",))
        is_ours = wait_id == self.wait_id
        assert self.tracker.restore(dumped, self.wait_id) == is_ours
        known, self._skipped, self._is_closed = saved if is_ours else ({}, set(), False)
        self.known = dict(known)

    def _poke(self):
        if self.mode in (Mode.RESCHEDULE, Mode.FORGETFUL):
            self._start_process()
        try:
            self._poll()
            self._confirm()
        except asyncio.CancelledError:
            self.kill_after = None
            self.kill()
            return
        deadline = self.deadline
        self.decision = self.tracker.decide(deadline=deadline, needs_answers=True)
        if self.decision is Decision.WAIT:
            now, plan_pause = self.loop.read_clock(), self.settings.polling.plan_pause_until
            self.next_at = self.loop.seconds + plan_pause(deadline, began=self._began, now=now)
            return
        self.is_running = False
        self._write_list(include_unknown=True)
        self._write_list(include_unknown=False)
        if self.lists[False][1] is None:
            self.memory.clear()

    def _poll(self, *, only_unconfirmed=False):
        is_late = self.loop.read_clock() >= self.deadline
        is_full = not only_unconfirmed and not (is_late and self._is_closed)
        self._is_closed = is_late
        pending, self._asked = set(filter(self.is_pending, self.world.fates)), set()
        self._skipped = self._skipped if is_full else set()
        self._is_whole = is_full and not self.settings.latency
        choice = {"query_timeout": 30.0, "only_unconfirmed": only_unconfirmed}
        self._round = self.loop.create_task(self.tracker.poll(self, deadline=self.deadline, **choice))
        try:
            self.loop.run_until_complete(self._round)
        finally:
            self._skipped = pending - self._asked if is_full else set()
            if not (self._round.cancelled() and self.is_killed_hard):
                dumped = self.tracker.dump(self.wait_id)
                self._saved[dumped] = (self.wait_id, dict(self.known), self._skipped, is_late)
                self.memory.save(dumped)
        assert self._asked == pending or not self._is_whole

    def _confirm(self):
        polling = self.settings.polling
        for _ in range(self.settings.criteria.unknown_limit - 1 if self.mode is Mode.FORGETFUL else 0):
            if self.tracker.may_confirm(deadline=self.deadline):
                self.loop.seconds += min(polling.poll_interval, polling.max_poll_interval)
                self._poll(only_unconfirmed=True)

    def _write_list(self, *, include_unknown):
        path = f"lists/{self.wait_id} {include_unknown}.csv"
        plan = ReportPlan(
            path=None, undelivered_path=path, include_unknown=include_unknown, tables=self.tables
        )
        ending = Ending(self.decision, self.deadline)
        written = try_to_write_report(
            plan, self.tracker, open_path=self._open, price_per_part=None, ending=ending
        )
        is_written = self.decision.is_verdict and written.problem is None
        rows = list(read_table(self._open(path), kind=UndeliveredRow)) if is_written else None
        self.lists[include_unknown] = (rows, written.problem)
