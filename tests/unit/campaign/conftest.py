"""A campaign without a network: a client that answers from a script, and what a try leaves behind."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.campaign import journal as journals
from airflow_provider_osonsms.campaign.acceptance import Acceptance
from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.loop_thread import Stop
from airflow_provider_osonsms.campaign.plan import CampaignPlan, SendOptions
from airflow_provider_osonsms.campaign.progress import Progress
from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.campaign.rows import CampaignRows
from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.campaign.send_loop import SendLoop
from airflow_provider_osonsms.campaign.store_chunks import StoreChunks
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.messages.source import read_message_source
from airflow_provider_osonsms.protocol.errors import (
    OutcomeUnknownError,
    RequestNotSentError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Account, Response
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME, TIMESTAMP_FORMAT

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENING = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
FIRST_PHONE = 992_900_000_000


class ProcessDied(BaseException):
    """The process has died: it writes nothing afterwards."""


class ScriptedClient:
    """Answers each attempt at a row with the next word of its script, and "ok" after the last.

    * ok: accepted; ok0, ok3: with so many billed parts
    * lost: accepted, and the answer is lost; silent, junk: not accepted, and nobody can know
    * unsent: no connection
    * 429, 503: slower, please; "503!" is said after it was accepted
    * a code: refused; "109!" uses the txn_id up all the same
    * crash: an error that is none of ours; kill, kill!: the process dies before or after it was accepted

    A txn_id that is taken is answered with 108.

    Args:
        script: Words by row; a text stands for every row.
        on_send: Awaited with the number of the attempt, from 0, before it is answered.
    """

    def __init__(self, script=(), *, on_send=None):
        self.script = script if isinstance(script, str) else {row: text.split() for row, text in script}
        self.on_send = on_send
        self.accepted_at = NOON
        self.retry_after = 0.0
        self.attempts = []
        self.texted = []
        self.taken = set()
        self.under_way = self.max_under_way = 0

    def build_send(self, message):
        """Let the message stand for its request."""
        return message

    async def exchange(self, message):
        """Answer one attempt."""
        number, row = len(self.attempts), int(message.phone) - FIRST_PHONE
        self.attempts.append(row)
        self.under_way += 1
        self.max_under_way = max(self.max_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            if self.on_send is not None:
                await self.on_send(number)
            return self._answer(message, row)
        finally:
            self.under_way -= 1

    def _next_word(self, row):
        if isinstance(self.script, str):
            return self.script
        words = self.script.get(row)
        return words.pop(0) if words else "ok"

    def _answer(self, message, row):
        word = self._next_word(row)
        if word == "crash":
            raise RuntimeError("a worker's own fault")
        if word.startswith("kill"):
            if word.endswith("!"):
                self._accept(message, row)
            raise ProcessDied
        if word == "unsent":
            raise RequestNotSentError("no connection")
        if word == "429":
            return Response(status=429, body=b"slower", retry_after=self.retry_after)
        if word in {"100", "105", "106", "107", "114", "119"}:
            return _refuse(int(word))
        if message.txn_id in self.taken or word == "108":
            return _refuse(108)
        if word.startswith("ok"):
            self._accept(message, row)
            answer = {"status": "ok", "msg_id": 7000 + row, "smsc_msg_parts": int(word[2:] or 1)}
            if self.accepted_at is not None:
                answer["timestamp"] = self.accepted_at.astimezone(TAJIK_TIME).strftime(TIMESTAMP_FORMAT)
            return Response(status=201, body=json.dumps(answer).encode())
        return self._fail(word, message, row)

    def _fail(self, word, message, row):
        if word in {"lost", "silent"}:
            if word == "lost":
                self._accept(message, row)
            raise OutcomeUnknownError("no answer")
        if word.startswith("503"):
            if word.endswith("!"):
                self._accept(message, row)
            return Response(status=503, body=b"slower", retry_after=self.retry_after)
        if word == "junk":
            return Response(status=200, body=b"<html>")
        if word.endswith("!"):
            self.taken.add(message.txn_id)
        return _refuse(int(word.removesuffix("!")))

    def _accept(self, message, row):
        self.taken.add(message.txn_id)
        self.texted.append(row)


def _refuse(code):
    return Response(status=422, body=json.dumps({"error": {"code": code, "msg": "no"}}).encode())


def make_plan_of(rows, *, rejected=(), message="Salom, {name}", column=None, names=None, **options):
    """Plan a campaign to *rows* people, of whom those at *rejected* have no phone."""
    people = [
        {
            "phone": "12" if row in rejected else str(FIRST_PHONE + row),
            "name": f"Dilshod {row}" if names is None else names[row],
        }
        for row in range(rows)
    ]
    source = read_message_source(message, column, is_latin=False, max_parts=None)
    return CampaignPlan(
        campaign_id="dag/run/task",
        audience=prepare_audience(people, columns=["name"]),
        source=source,
        txn_ids=TxnIdSeries("dag", "run", "task", ""),
        options=SendOptions(sender="KITOB", **options),
    )


def open_journal_of(store, *, try_number=1, history=TxnIdHistory.UNUSED, path=None, parts=None):
    """Open the journal of a campaign as a try does: in the store, beside the results table, or in both."""
    backends = []
    if not isinstance(store, NullStateStore):
        backends.append(StoreChunks(store, store_key="c", try_number=try_number))
    if path is not None:
        backends.append(parts or ResultParts(path, campaign="c"))
    return CampaignJournal(backends, history=history)


def read_codes(store):
    """Return the codes of all chunks in *store*, by the first characters of a txn_id."""
    chunks = [value for key, value in store.values.items() if key.startswith("c_") and key.count("_") == 2]
    return {prefix: code for chunk in chunks for prefix, code in chunk.items()}


class Bench:
    """One send loop with everything that it is given, and what became of it.

    Attributes:
        pauses: Seconds that the loop has waited, between its rounds and for a turn.
        seconds: Those that have gone by; only waiting makes them go.
    """

    def __init__(
        self, store, plan, client, *, history=TxnIdHistory.UNUSED, try_number=1, clock=None, on_pause=None
    ):
        self.pauses = []
        self.seconds = 0.0
        self.client = client
        self.plan = plan
        self.stop = Stop()
        self.journal = open_journal_of(store, history=history, try_number=try_number)
        self.rows = CampaignRows(plan.audience.rows, history=self.journal.history, try_number=try_number)
        txn_ids = []
        for position, _, row_key in plan.audience.read_row_keys():
            self.rows.expect(position)
            txn_ids.append((position, plan.txn_ids.make(row_key)))
        self.journal.load_rows(self.rows, txn_ids)
        self.progress = Progress(len(plan.audience))
        self._store = store
        self._clock = clock or (lambda: NOON)
        self._on_pause = on_pause

    @property
    def cause(self):
        """The class of what has stopped the loop."""
        return None if self.stop.cause is None else type(self.stop.cause)

    def states(self):
        """Return the state of each row."""
        return [self.rows.state(position) for position in range(self.plan.audience.rows)]

    def codes(self):
        """Return what the store holds of each row that it knows."""
        codes = read_codes(self._store)
        keys = (
            (row, self.plan.txn_ids.make(row_key)) for row, _, row_key in self.plan.audience.read_row_keys()
        )
        return {row: codes[txn_id[:16]] for row, txn_id in keys if txn_id[:16] in codes}

    def run(self):
        """Run the loop to its end, and write what is left as a try does; a loop that hangs is an error."""
        asyncio.run(asyncio.wait_for(self._run(), 10))
        return self

    async def _run(self):
        self.stop.attach()
        self.loop = SendLoop(
            self.client,
            self.plan,
            rows=self.rows,
            journal=self.journal,
            progress=self.progress,
            stop=self.stop,
            clock=self._clock,
            timer=lambda: self.seconds,
            sleep=self._sleep,
        )
        try:
            await self.loop.run()
        finally:
            self.journal.flush(self.journal.drain())

    async def _sleep(self, seconds):
        self.pauses.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)
        if self._on_pause is not None:
            await self._on_pause(self)


@pytest.fixture(scope="session")
def open_journal():
    """Open the journal of a campaign as one of its tries does."""
    return open_journal_of


@pytest.fixture(scope="session")
def make_code():
    """Make the code of a row that was accepted at noon, in the first try."""

    def make(msg_id="7000"):
        noon = int(NOON.timestamp())
        return Acceptance(msg_id=str(msg_id), parts=1, accepted_at=noon, try_number=1).encode()

    return make


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """Let the journal wait for a store that is away, but not for long."""
    monkeypatch.setattr(journals, "PAUSES_FOR_BACKENDS", (0.001,) * 3)


@pytest.fixture(scope="session")
def make_plan():
    """Plan a campaign to some people."""
    return make_plan_of


@pytest.fixture(scope="session")
def make_client():
    """Make a client with a script: words for every row, or for some rows."""

    def make(script=(), **on_send):
        return ScriptedClient(script if isinstance(script, str) else dict(script).items(), **on_send)

    return make


@pytest.fixture
def store(make_store):
    """An empty store."""
    return make_store()


@pytest.fixture
def make_bench(store):
    """Put a send loop on the bench."""

    def make(plan, client, **given):
        return Bench(store, plan, client, **given)

    return make


@pytest.fixture
def account():
    """Somebody's account; nothing is asked of it."""
    return Account(login="kitobkhona", secret="sol-4711")


@pytest.fixture
def make_run(store):
    """Begin a try of a campaign with what the store holds, late in the evening."""

    def make(
        plan,
        client,
        *,
        history=TxnIdHistory.UNUSED,
        try_number=1,
        store=store,
        path=None,
        may_replace=False,
    ):
        @asynccontextmanager
        async def open_client(_account, *, max_connections):
            assert max_connections == plan.options.concurrency
            yield client

        parts = None if path is None else ResultParts(path, campaign="c")
        journal = open_journal_of(store, history=history, try_number=try_number, path=path, parts=parts)
        return CampaignRun(
            plan,
            journal=journal,
            try_number=try_number,
            clock=lambda: EVENING,
            results_path=path,
            parts=parts,
            may_replace=may_replace,
            open_client=open_client,
        )

    return make


@pytest.fixture
def send(make_run, account):
    """Make a try send, and return it."""

    def send(plan, client, **given):
        run = make_run(plan, client, **given)
        run.send(account)
        return run

    return send
