"""Receipts of bulk jobs, and what a run without a state store knows by them."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.bulk.jobs import BulkRun, OnUnconfirmed, UnconfirmedBulkError
from airflow_provider_osonsms.bulk.memory import JobMemory
from airflow_provider_osonsms.bulk.plan import BulkPlan
from airflow_provider_osonsms.bulk.receipts import JobState, Receipt, Receipts, ReceiptsUnreadableError
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.exactly_once.task import TaskIdentity
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    InvalidMessageError,
    OutcomeUnknownError,
    RequestNotSentError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import BulkJob

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
A, B, C = "992900000001", "992900000002", "992900000003"
MAYBE_ACCEPTED = TxnIdHistory.MAYBE_ACCEPTED


def make_jobs(*phones):
    """Make a bulk job for each phone."""
    return [
        BulkJob(
            csv=f"{phone}\n".encode(),
            text="Salom",
            sender="SHOP",
            txn_id=f"bulk-{phone}",
            send_at=NOON + timedelta(days=1),
        )
        for phone in phones
    ]


@pytest.fixture
def open_receipts(tmp_path):
    """Open the receipts of a campaign."""

    def open_receipts(campaign_id="spring", *, map_index=-1):
        task = TaskIdentity(dag_id="d", run_id="r", task_id="t", map_index=map_index)
        plan = BulkPlan(
            task=task,
            campaign_id=campaign_id,
            namespace="",
            text="Salom",
            parts=1,
            sender="SHOP",
            send_at=NOON + timedelta(days=1),
        )
        return Receipts(tmp_path / "receipts", plan, clock=lambda: NOON)

    return open_receipts


@pytest.fixture
def create(make_scripted_client, open_receipts):
    """Create jobs without a state store, with receipts; return the client and what came of it."""

    def create(script, *phones, on_unconfirmed=OnUnconfirmed.FAIL, store=None, history=TxnIdHistory.UNUSED):
        store = NullStateStore() if store is None else store
        client = make_scripted_client(script, store)
        create.requests = client.transport.requests
        memory = JobMemory(store, store_key="bulk", history=history, receipts=open_receipts())
        run = BulkRun(client, memory, on_unconfirmed=on_unconfirmed, has_own_campaign_id=True)
        return run.create(make_jobs(*phones), check_time=lambda: 3600)

    return create


@pytest.mark.parametrize("state", JobState)
def test_receipts_come_back(open_receipts, state):
    """What was written of a job is read by every run of its campaign, and by no other campaign."""
    (job,) = make_jobs(A)
    open_receipts().write(job, state, bulk_name="Navsol", attempt="try-1")

    assert open_receipts().read() == {f"bulk-{A}": Receipt(state, "Navsol", "try-1")}
    assert open_receipts("summer").read() == {}
    assert open_receipts(map_index=1).read() == {}


def test_a_folder_that_is_not_there_holds_nothing(open_receipts):
    """Before the first job there is no folder."""
    assert open_receipts().read() == {}


@pytest.mark.parametrize(
    "content", ["", "x\n1\n", "campaign_id,map_index,txn_id,state\nspring,-1,k,unheard\n"]
)
def test_what_cannot_be_read_is_an_error(open_receipts, tmp_path, content):
    """A damaged receipt may be of any job: nothing is known then, and the error names no place."""
    (tmp_path / "receipts").mkdir()
    (tmp_path / "receipts" / "k.csv").write_text(content)

    with pytest.raises(
        ReceiptsUnreadableError, match="Nothing more is uploaded: restore the folder"
    ) as caught:
        open_receipts().read()
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_upload_is_known_before_it_leaves(create, open_receipts):
    """A try that is killed during an upload leaves a receipt that says so, and no later one repeats it."""
    with pytest.raises(KeyboardInterrupt):
        create("ok kill", A, B, C)
    assert {txn_id: receipt.state for txn_id, receipt in open_receipts().read().items()} == {
        f"bulk-{A}": JobState.CREATED,
        f"bulk-{B}": JobState.ATTEMPTED,
    }

    with pytest.raises(UnconfirmedBulkError, match="job 2 of 3"):
        create("", A, B, C, history=MAYBE_ACCEPTED)
    assert create.requests == []


@pytest.mark.parametrize(
    ("script", "error"), [("ok unsent unsent unsent", RequestNotSentError), ("ok 106", FinalRefusalError)]
)
def test_what_was_surely_not_created_is_created_later(create, open_receipts, script, error):
    """A refused or unsent job has a receipt that says so, and a retry goes on without a state store."""
    with pytest.raises(error):
        create(script, A, B, C)
    assert open_receipts().read()[f"bulk-{B}"] == Receipt(JobState.NOT_CREATED, None, "")

    create("ok ok", A, B, C, history=MAYBE_ACCEPTED)

    assert len(create.requests) == 2
    assert {receipt.state for receipt in open_receipts().read().values()} == {JobState.CREATED}


def test_an_assumed_job_is_one_for_every_later_run(create, open_receipts):
    """What a person has looked at counts as created from then on, and the rest is created."""
    with pytest.raises(UnconfirmedBulkError):
        create("ok lost", A, B, C)

    receipts = create("ok", A, B, C, on_unconfirmed=OnUnconfirmed.ASSUME_CREATED)

    assert [receipt.bulk_name for receipt in receipts] == ["Navsol", "created, name unknown", "Navsol"]
    assert len(create("", A, B, C)) == 3
    assert create.requests == []


def test_a_108_after_an_earlier_109_is_no_job_in_any_run(create, open_receipts):
    """A receipt of a refusal for now says to every later run that a 108 proves nothing."""
    with pytest.raises(UnconfirmedBulkError):
        create("109", A)
    assert open_receipts().read()[f"bulk-{A}"] == Receipt(JobState.REFUSED_FOR_NOW, None, "")

    with pytest.raises(OutcomeUnknownError, match="nobody can tell whether the job exists"):
        create("108", A, on_unconfirmed=OnUnconfirmed.RESEND)
    assert open_receipts().read()[f"bulk-{A}"] == Receipt(JobState.REFUSED_FOR_NOW, None, "")


def test_store_and_receipts_are_believed_together(create, make_store):
    """A job that only the receipts know is not made again, nor one that only the store knows."""
    create("ok", A)
    store = make_store(values={"bulk": {f"bulk-{B}": Receipt(JobState.CREATED, "Navsol", "")._asdict()}})

    receipts = create("ok", A, B, C, store=store)

    assert len(create.requests) == 1
    assert [receipt.txn_id for receipt in receipts] == [f"bulk-{phone}" for phone in (A, B, C)]


def test_a_receipt_that_cannot_be_written_stops_the_upload(create, tmp_path):
    """Nothing is uploaded that a later run could not know of."""
    (tmp_path / "receipts").write_text("a file in place of the folder")

    with pytest.raises(InvalidMessageError, match="a receipt in receipt_path cannot be written"):
        create("ok", A)
    assert create.requests == []


@pytest.fixture(params=["store", "receipts"])
def open_memory(request, make_store, open_receipts):
    """Open the memory of a task, as each of its tries does."""
    store = make_store() if request.param == "store" else NullStateStore()

    def open_memory():
        receipts = open_receipts() if request.param == "receipts" else None
        return JobMemory(store, store_key="bulk", history=TxnIdHistory.UNUSED, receipts=receipts)

    return open_memory


def test_a_try_takes_back_its_own_attempt_only(open_memory):
    """Of two tries at once each may be refused: what the other has uploaded may exist all the same."""
    (job,) = make_jobs(A)
    older = open_memory()
    older.save_attempt(job)
    newer = open_memory()
    newer.save_attempt(job)

    assert not older.take_back(job)
    assert not newer.take_back(job)
    assert open_memory().names == {job.txn_id: ""}


def test_an_attempt_of_another_try_is_seen_before_an_upload(open_memory, make_scripted_client, make_store):
    """A try that was opened before another one uploaded does not upload without being told to."""
    (job,) = make_jobs(A)
    older = open_memory()
    open_memory().save_attempt(job)
    client = make_scripted_client("ok", make_store())

    with pytest.raises(UnconfirmedBulkError):
        BulkRun(client, older, on_unconfirmed=OnUnconfirmed.FAIL).create([job], check_time=lambda: 3600)
    assert client.transport.requests == []


def test_a_108_of_another_try_asks_a_person(open_memory, make_scripted_client, make_store):
    """A txn_id that another try has taken meanwhile is no collision: the job may be the other's."""
    (job,) = make_jobs(A)
    older = open_memory()
    client = make_scripted_client("108", make_store())
    upload = client.create_bulk

    def upload_late(*arguments, **options):
        open_memory().save_attempt(job)
        return upload(*arguments, **options)

    client.create_bulk = upload_late
    with pytest.raises(UnconfirmedBulkError, match=r"may have been created \(108"):
        BulkRun(client, older, on_unconfirmed=OnUnconfirmed.FAIL).create([job], check_time=lambda: 3600)

    assert open_memory().names == {job.txn_id: ""}


def test_nothing_is_taken_back_that_cannot_be_read(make_store):
    """Where it is unknown what another try has written, the attempt stays."""
    (job,) = make_jobs(A)
    store = make_store()
    memory = JobMemory(store, store_key="bulk", history=TxnIdHistory.UNUSED, receipts=None)
    memory.save_attempt(job)

    def fail(key):
        raise ConnectionError

    store.get = fail
    assert not memory.take_back(job)
    assert store.values["bulk"][job.txn_id]["state"] == "attempted"


def test_receipts_that_become_unreadable_between_two_jobs(create, tmp_path, monkeypatch):
    """The second job is not uploaded, and the error does not say that nothing was: the first one exists."""
    write = Receipts.write

    def write_and_damage(receipts, job, state, **options):
        write(receipts, job, state, **options)
        if state is JobState.CREATED:
            (tmp_path / "receipts" / "k.csv").write_text("")

    monkeypatch.setattr(Receipts, "write", write_and_damage)
    with pytest.raises(ReceiptsUnreadableError, match="Nothing more is uploaded"):
        create("ok ok", A, B)

    assert len(create.requests) == 1
