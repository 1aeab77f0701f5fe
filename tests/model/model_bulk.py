"""A bulk task of the model: what it remembers, and one try put together as the operator does."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from model_gateway import ACCOUNT, CONSUMING, Event, Gateway, KilledError, Line
from model_memory import Files, ModelPath, MortalStore, Store

from airflow_provider_osonsms.bulk.files import split_into_files
from airflow_provider_osonsms.bulk.jobs import BulkRun, OnUnconfirmed
from airflow_provider_osonsms.bulk.memory import JobMemory
from airflow_provider_osonsms.bulk.plan import BulkPlan
from airflow_provider_osonsms.bulk.receipts import Receipts
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.exactly_once.task import TaskIdentity
from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError, OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import BulkJob, BulkReceipt

AUDIENCES = ((0, 1, 2), (0, 1), (3,), (0, 3))
"""People of an audience; each of them gets a file of its own."""
UNNAMED = "created, name unknown"
_FOLDER = "/receipts"
_NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
_LINE_BYTES = 13
_ATTEMPTS = 3


@dataclass
class BulkTry:
    """What a try has done.

    Attributes:
        tracked: The names of jobs that its memories held at its beginning.
        doubted: Txn_ids of which they held that a refusal may have used them up.
    """

    line: Line
    on_unconfirmed: OnUnconfirmed
    tracked: set[str]
    doubted: set[str]
    receipts: list[BulkReceipt] | None = None
    error: BaseException | None = None
    is_overlapped: bool = False


@dataclass
class BulkTask:
    """A task that creates bulk jobs, and the gateway that it creates them at."""

    has_store: bool = True
    has_receipts: bool = True
    is_lasting: bool = True
    gateway: Gateway = field(default_factory=Gateway)
    store: Store = field(default_factory=Store)
    files: Files = field(default_factory=Files)
    people: tuple[int, ...] = AUDIENCES[0]
    has_assumed: bool = False
    tries: list[BulkTry] = field(default_factory=list)
    depth: int = 0

    def __post_init__(self) -> None:
        self.store.is_lasting = self.is_lasting

    def run_try(self, script=(), inner=(), *, on_unconfirmed=OnUnconfirmed.FAIL) -> BulkTry:
        """Run the next try."""
        limit = _ATTEMPTS * len(self.people)
        line = Line(
            self.gateway, script, limit=limit, on_event=lambda event: self._meet(event, attempt, inner)
        )
        attempt = BulkTry(line, on_unconfirmed, self._recall(), self._recall_doubts())
        self.tries.append(attempt)
        self.has_assumed |= on_unconfirmed is OnUnconfirmed.ASSUME_CREATED
        self.depth += 1
        try:
            attempt.receipts = self._open_run(attempt).create(self.make_jobs(), check_time=lambda: 3600)
        except (KilledError, OsonSmsError, ConnectionError) as error:
            attempt.error = error
        finally:
            self.depth -= 1
        return attempt

    def make_jobs(self) -> list[BulkJob]:
        """Make a job for each person."""
        msisdns = np.array([992900000000 + person for person in self.people])
        return [
            BulkJob(
                csv=file.content,
                text="Salom",
                sender="KITOB",
                txn_id=self._plan._make_txn_id(file.digest),
                send_at=self._plan.send_at,
            )
            for file in split_into_files(msisdns, max_bytes=_LINE_BYTES)
        ]

    @property
    def _plan(self) -> BulkPlan:
        return BulkPlan(
            task=TaskIdentity(dag_id="dag", run_id="run", task_id="bulk", try_number=len(self.tries)),
            campaign_id=None,
            namespace="",
            text="Salom",
            parts=1,
            sender="KITOB",
            send_at=_NOW + timedelta(days=1),
        )

    def _open_run(self, attempt: BulkTry) -> BulkRun:
        line = attempt.line
        folder = ModelPath(self.files, _FOLDER, line.check)
        has_earlier = len(self.tries) > 1
        memory = JobMemory(
            MortalStore(self.store, line.check) if self.has_store else NullStateStore(),
            store_key=self._plan.store_key,
            history=TxnIdHistory.MAYBE_ACCEPTED if has_earlier else TxnIdHistory.UNUSED,
            receipts=Receipts(folder, self._plan, clock=lambda: _NOW) if self.has_receipts else None,
        )
        client = OsonSmsClient(ACCOUNT, line, sleep=line.sleep)
        return BulkRun(client, memory, on_unconfirmed=attempt.on_unconfirmed)

    def _meet(self, event: Event, attempt: BulkTry, inner) -> None:
        if event is Event.OVERLAP and self.depth == 1:
            attempt.is_overlapped = True
            self.run_try(inner, on_unconfirmed=attempt.on_unconfirmed)

    def _recall(self) -> set[str]:
        known = self.store.tracked if self.has_store else set()
        return {*known, *(self.files.tracked_below(_FOLDER) if self.has_receipts else ())}

    def find_repeated(self) -> set[str]:
        """Return the txn_ids of jobs that were uploaded because the user said so."""
        asked = [attempt for attempt in self.tries if attempt.on_unconfirmed is OnUnconfirmed.RESEND]
        return {made.txn_id for attempt in asked for made in attempt.line.attempts}

    def _recall_doubts(self) -> set[str]:
        said = " ".join(self.store.values.values()) + b" ".join(self.files.contents.values()).decode()
        return {
            *re.findall(r'"(\w{32})": {"state": "refused_for_now"', said),
            *re.findall(r"(\w{32}),refused_for_now", said),
        }


def check_bulk(task: BulkTask, attempt: BulkTry) -> None:
    """Nobody is in two jobs, and what a try says of its jobs is true."""
    repeated = task.find_repeated() if task.gateway.is_blind_to_jobs else set()
    people = Counter(phone for job in task.gateway.jobs for phone in job.phones)
    asked_for = {phone for job in task.gateway.jobs if job.txn_id in repeated for phone in job.phones}
    assert {phone for phone, times in people.items() if times > 1} <= asked_for, "somebody is in two jobs"
    if isinstance(attempt.error, DuplicateTransactionError):
        # Only a try that was taken for dead, and remembers nothing, cannot know what the next one uploads.
        assert attempt.is_overlapped, "our own job was taken for somebody else's"
        remembers = task.has_store or task.has_receipts
        assert not remembers, "our own job was taken for somebody else's"
    if attempt.receipts is None:
        return
    jobs = {job.txn_id: f"job-{job.msg_id}" for job in reversed(task.gateway.jobs)}
    used_up = {made.txn_id for made in attempt.line.attempts if made.fault in CONSUMING} | attempt.doubted
    for receipt in attempt.receipts:
        if receipt.bulk_name == UNNAMED:
            is_true = receipt.txn_id in jobs or task.has_assumed or receipt.txn_id not in used_up
            assert is_true, "it counts as created, and does not exist"
        else:
            names = {f"job-{job.msg_id}" for job in task.gateway.jobs if job.txn_id == receipt.txn_id}
            assert receipt.bulk_name in names
    if repeated:
        return
    names = {receipt.bulk_name for receipt in attempt.receipts}
    lost = {name for msg_id in attempt.tracked if (name := f"job-{msg_id}") not in names}
    assert not lost, f"{lost} were known and are not any more"
