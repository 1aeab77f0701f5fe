"""A campaign of the model: its tasks, what they remember, and one try put together as the operator does."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from model_gateway import ACCOUNT, AsyncLine, Event, Gateway, KilledError, Line
from model_memory import Files, ModelPath, MortalStore, Store
from model_people import PHONES, People, Person, Texts

from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.plan import CampaignPlan, SendOptions
from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.campaign.store_chunks import StoreChunks
from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.exactly_once.cap import Cap
from airflow_provider_osonsms.exactly_once.task import TaskIdentity
from airflow_provider_osonsms.preflight.window import ALWAYS_OPEN, Closed, DailyWindow
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.tables.results import read_results
from airflow_provider_osonsms.tables.rows import ResultRow

NAMESPACES = ("", "staging")
NOON = datetime(2026, 11, 24, 7, tzinfo=UTC)
_WINDOW = DailyWindow(opens=time(9), closes=time(20), zone=TAJIK_TIME)
_ATTEMPTED = r"(?:accepted,|[a-z_]+,(?:no_answer\w*|refused_for_now|undecided|key_taken|answer_lost))"


@dataclass
class Task:
    """A task of a run: what Airflow keeps of it from try to try."""

    run_id: str
    store: Store | None
    path: str | None
    try_number: int = 0
    is_deferred: bool = False
    was_interrupted: bool = False


@dataclass(frozen=True)
class Settings:
    """What stays the same in all tries; *memories* names the store, the table, both or none."""

    memories: str = "store and table"
    has_own_campaign_id: bool = False
    has_window: bool = False
    shares_table: bool = True
    concurrency: int = 1
    rounds: int = 2
    max_consecutive_failures: int = 50
    cap: Cap | None = None
    dag_id: str = "dag"


@dataclass
class Memory:
    """What the memories of a task say when a try begins."""

    tracked: set[str]
    accepted: set[str]
    doubted: set[str]
    maybe_accepted: set[str]


@dataclass
class Try:
    """What a try has done.

    Attributes:
        end: How it ended; None for a success.
        table: The rows that it has written, or would have; None if it has not come so far, or if it was
            overlapped and writes none: nobody reads what it returns.
        open_rows: How many rows it has left open.
    """

    task: Task
    number: int
    namespace: str
    people: tuple[Person, ...]
    memory: Memory
    line: Line
    has_earlier: bool
    end: BaseException | None = None
    table: list[ResultRow] | None = None
    open_rows: int | None = None
    is_overlapped: bool = False


@dataclass
class Campaign:
    """All tasks of a campaign, and the gateway that they text through."""

    settings: Settings
    people: tuple[Person, ...]
    gateway: Gateway = field(default_factory=Gateway)
    files: Files = field(default_factory=Files)
    tasks: list[Task] = field(default_factory=list)
    now: datetime = NOON
    seconds: float = 0.0
    namespace: str = ""
    text: str = "Salom"
    depth: int = 0
    tries: list[Try] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(2 if self.settings.has_own_campaign_id else 1):
            path = f"/results/{0 if self.settings.shares_table else number}.csv"
            store = Store() if "store" in self.settings.memories else None
            self.tasks.append(
                Task(f"run{number}", store, path if "table" in self.settings.memories else None)
            )
        self._txn_ids = {
            namespace: {phone: self.make_txn_id(phone, namespace) for phone in PHONES}
            for namespace in NAMESPACES
        }

    def make_txn_id(self, phone: str, namespace: str) -> str:
        """Make the txn_id of a row."""
        return self._make_series(self.tasks[0], namespace).make(phone)

    def _make_series(self, task: Task, namespace: str):
        if self.settings.cap is not None:
            return self.settings.cap.make_txn_ids(namespace)
        campaign_id = "spring" if self.settings.has_own_campaign_id else None
        identity = TaskIdentity(dag_id="dag", run_id=task.run_id, task_id="task", try_number=task.try_number)
        return identity.make_campaign_txn_ids(campaign_id=campaign_id, channel=None, namespace=namespace)

    def txn_ids(self, namespace: str) -> dict[str, str]:
        """Return the txn_id of each phone."""
        return self._txn_ids[namespace]

    def recall(self, task: Task) -> Memory:
        """Read what the memories of *task* say, by their text alone."""
        texts = [] if task.store is None else list(task.store.values.values())
        tracked = set() if task.store is None else set(task.store.tracked)
        tables = []
        if task.path is not None:
            tracked |= self.files.tracked_below(task.path)
            for path, content in self.files.contents.items():
                if path.startswith(task.path):
                    (tables if path == task.path else texts).append(content.decode())
        said, table = "\n".join(texts), "\n".join(tables)
        memory = Memory(tracked, set(), set(), set())
        for namespace in NAMESPACES:
            for txn_id in self._txn_ids[namespace].values():
                key = txn_id[:16]
                code = re.findall(rf'{key}\w*"?[,:] ?"?([\w]+)', said)
                row = re.findall(rf",({_ATTEMPTED}),{key}", table)
                if {*code, *row} - {"refused", "pending,refused_for_now"}:
                    memory.maybe_accepted.add(txn_id)
                if {"refused", "unanswered_after_refusal", "undecided"} & set(code) or re.search(
                    "after|refused|undecided", " ".join(row)
                ):
                    memory.doubted.add(txn_id)
                if any(word == "lost" or word[:2] == "70" for word in code) or re.search(
                    r"^accepted,|answer_lost", "\n".join(row), re.MULTILINE
                ):
                    memory.accepted.add(txn_id)
        return memory

    def jump(self, hours: int) -> None:
        """Let time pass."""
        self.now += timedelta(hours=hours)

    def restore(self, task: Task) -> bool:
        """Let everything work again, and the namespace be the one under which people were, or may be, texted.

        Returns:
            Whether there is one: after a memory was wiped there may be two, and nothing is sent any more.
        """
        self.now, self.files.failures, self.files.is_sticky = NOON, 0, False
        if task.store is not None:
            task.store.failures = 0
        known = self.recall(task).maybe_accepted
        sent = [
            namespace
            for namespace in NAMESPACES
            if known & set(self.txn_ids(namespace).values()) or self._is_begun(task, namespace)
        ]
        self.namespace = sent[0] if sent else self.namespace
        return len(sent) <= 1

    def _is_begun(self, task: Task, namespace: str) -> bool:
        """Say whether the store knows of a try that was killed before it could write whom it has texted."""
        name = re.compile(rf"osonsms_campaign_{self._make_series(task, namespace).make('')}_\d+")
        values = {} if task.store is None else task.store.values
        return any(json.loads(value)["sent"] for key, value in values.items() if name.fullmatch(key))

    def is_closed(self) -> bool:
        """Say whether the send window is closed now."""
        return isinstance(self._window.judge(self.now), Closed)

    @property
    def _window(self):
        return _WINDOW if self.settings.has_window else ALWAYS_OPEN

    def run_try(self, task: Task, script=(), inner=()) -> Try | None:
        """Run a try of *task*, or go on with one that waits; None while the send window is closed."""
        if not task.is_deferred:
            task.try_number += 1
            task.was_interrupted = False
        task.is_deferred = self.is_closed()
        if task.is_deferred:
            return None
        attempt = self._begin(task, script, inner)
        self.tries.append(attempt)
        self.depth += 1
        try:
            self._send(attempt)
        except (KilledError, OsonSmsError, ConnectionError) as error:
            attempt.end = error
        finally:
            self.depth -= 1
        return attempt

    def _begin(self, task: Task, script, inner) -> Try:
        limit = self.settings.rounds * len(self.people) + len(script) + 5
        attempt = Try(
            task=task,
            number=task.try_number,
            namespace=self.namespace,
            people=self.people,
            memory=self.recall(task),
            line=Line(
                self.gateway,
                script,
                limit=limit,
                on_event=lambda event: self._meet(event, attempt, inner),
                on_request=self.check_window,
            ),
            has_earlier=bool(self.tries),
        )
        return attempt

    def _meet(self, event: Event, attempt: Try, inner) -> None:
        if event is Event.HOUR:
            self.now += timedelta(hours=1)
        elif event is Event.STOP:
            self._run.stop()
        elif event is Event.FLUSH:
            self._run._loop.answers.settle_waiting()
            self._journal.flush(self._journal.drain())
            self.check_written(attempt)
        elif event is Event.BREAK:
            self.fail(attempt.task, store=1, files=3)
        elif self.depth == 1 and not self.is_closed():
            attempt.is_overlapped = True
            kept = self._run, self._journal, self.now
            self.run_try(attempt.task, inner)
            self._run, self._journal, self.now = kept

    def check_window(self) -> None:
        """No request is begun while the send window is closed."""
        assert self.settings.concurrency > 1 or not self.is_closed(), "somebody is texted at night"

    def fail(self, task: Task, *, store: int, files: int) -> None:
        """Let the next writings fail."""
        self.files.failures = files
        if task.store is not None:
            task.store.failures = store

    def check_written(self, attempt: Try) -> None:
        """What a living try has been answered is in each of its memories, unless that is failing now."""
        confirmed = attempt.line.list_confirmed()
        if attempt.task.store is not None and not attempt.task.store.is_failing:
            assert confirmed <= attempt.task.store.tracked, "the store was not given all results"
        if attempt.task.path is not None and not self.files.is_failing:
            tracked = self.files.tracked_below(attempt.task.path)
            assert confirmed <= tracked, "the part files were not given all results"

    def _send(self, attempt: Try) -> None:
        run = self._open_run(attempt)
        try:
            run.send(ACCOUNT)
        finally:
            attempt.line.check()
            run.write_results()
            if attempt.task.path is not None or not attempt.is_overlapped:
                attempt.table = self._read_table(run, attempt.task)
            attempt.open_rows = run.rows.open_rows
        if not attempt.is_overlapped:
            attempt.task.is_deferred = attempt.task.was_interrupted = run.is_closed
        if not run.is_closed:
            run.finish(max_failed_ratio=None)

    def _read_table(self, run: CampaignRun, task: Task) -> list[ResultRow]:
        if task.path is None:
            return list(run._results.read_rows())
        return list(read_results(ModelPath(self.files, task.path)))

    def _open_run(self, attempt: Try) -> CampaignRun:
        task, line = attempt.task, attempt.line

        @asynccontextmanager
        async def open_client(account, *, max_connections):
            yield AsyncOsonSmsClient(account, AsyncLine(line))

        txn_ids = self._make_series(task, attempt.namespace)
        path = None if task.path is None else ModelPath(self.files, task.path, line.check)
        backends = []
        if task.store is not None:
            chunks = StoreChunks(
                MortalStore(task.store, line.check),
                store_key=f"osonsms_campaign_{txn_ids.make('')}",
                try_number=task.try_number,
            )
            chunks.refuse_other_keys()
            backends.append(chunks)
        parts = None if path is None else ResultParts(path, campaign=txn_ids.make(""))
        if parts is not None:
            backends.append(parts)
        cap = self.settings.cap
        is_shared = cap is None and (self.settings.has_own_campaign_id or task.was_interrupted)
        may_have_sent = task.try_number > 1 or (cap is not None and task.was_interrupted)
        if cap is not None and "store" in self.settings.memories:
            may_have_sent = False  # the store knows all, as long as it is not wiped
        self._journal = CampaignJournal(
            backends,
            history=TxnIdHistory(is_shared),
            try_history=TxnIdHistory(may_have_sent),
        )
        self._run = CampaignRun(
            self._make_plan(txn_ids),
            journal=self._journal,
            try_number=task.try_number,
            clock=lambda: self.now,
            results_path=path,
            parts=parts,
            open_client=open_client,
            timer=lambda: self.seconds,
            sleep=self._sleep,
        )
        return self._run

    async def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)

    def _make_plan(self, txn_ids) -> CampaignPlan:
        return CampaignPlan(
            campaign_id=self.settings.dag_id,
            cap=self.settings.cap,
            audience=People(self.people),
            source=Texts(self.text),
            txn_ids=txn_ids,
            options=SendOptions(
                sender="KITOB",
                concurrency=self.settings.concurrency,
                rounds=self.settings.rounds,
                max_consecutive_failures=self.settings.max_consecutive_failures,
                window=self._window,
            ),
        )
