"""The bulk jobs of a task, and what happens when the store fails."""

from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

import pytest
from model_bulk import BulkTask
from model_gateway import Fault as ModelFault
from model_gateway import Gateway

from airflow_provider_osonsms.bulk.jobs import (
    AudienceChangedError,
    BulkRun,
    OnUnconfirmed,
    UnconfirmedBulkError,
)
from airflow_provider_osonsms.bulk.memory import JobMemory
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import (
    DuplicateTransactionError,
    FinalRefusalError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import BulkJob
from airflow_provider_osonsms.simulator import Fault


def make_jobs(*phones):
    """Make a bulk job for each phone."""
    return [
        BulkJob(
            csv=f"{phone}\n".encode(),
            text="Salom",
            sender="SHOP",
            txn_id=f"bulk-{phone}",
            send_at=datetime.now(UTC) + timedelta(days=1),
        )
        for phone in phones
    ]


def run_bulk(client, store, *phones, history=TxnIdHistory.UNUSED, on_unconfirmed=OnUnconfirmed.FAIL):
    """Create the jobs for *phones*."""
    memory = JobMemory(store, store_key="bulk", history=history, receipts=None)
    run = BulkRun(client, memory, on_unconfirmed=on_unconfirmed)
    return run.create(make_jobs(*phones), check_time=lambda: 3600)


def test_unnoted_bulk_is_not_uploaded(gateway, client, make_store):
    """If the attempt cannot be noted, nothing is uploaded."""
    with pytest.raises(ConnectionError):
        run_bulk(client, make_store(fails_from=0), "992900000001")

    assert gateway.requests["bulk"] == 0


def test_refused_bulk_may_be_tried_again(gateway, client, make_store):
    """A refusal is noted as nothing created: after the account is mended the same task creates its jobs."""
    store = make_store()
    gateway.backend.change_account("demo", is_blocked=True)
    with pytest.raises(FinalRefusalError):
        run_bulk(client, store, "992900000001")
    gateway.backend.change_account("demo", is_blocked=False)

    run_bulk(client, store, "992900000001", history=TxnIdHistory.MAYBE_ACCEPTED)

    assert len(gateway.bulks) == 1


def test_unanswered_bulk_in_the_middle(gateway, client, make_store):
    """After an unanswered second job the third is not created, and a later try creates neither."""
    store = make_store()
    people = ("992900000001", "992900000002", "992900000003")
    run_bulk(client, store, people[0])
    store.values["bulk"] |= stored(attempt="another", b="")["bulk"]

    with pytest.raises(UnconfirmedBulkError, match="job 2 of 3"):
        run_bulk(client, store, *people)

    assert [job.phones for job in gateway.bulks] == [("992900000001",)]


def test_blind_second_try_is_refused(gateway, client):
    """Without a journal a second try creates nothing unless told to resend, and says why."""
    run_bulk(client, NullStateStore(), "992900000001")
    with pytest.raises(UnconfirmedBulkError, match=r"Airflow below 3\.3"):
        run_bulk(client, NullStateStore(), "992900000001", history=TxnIdHistory.MAYBE_ACCEPTED)

    run_bulk(
        client,
        NullStateStore(),
        "992900000001",
        history=TxnIdHistory.MAYBE_ACCEPTED,
        on_unconfirmed=OnUnconfirmed.RESEND,
    )

    assert len(gateway.bulks) == 1
    assert gateway.requests["bulk"] == 2


def test_cleared_memory_is_blind(gateway, client, make_store):
    """A store that is emptied after each success proves nothing in a later try."""
    store = make_store()
    store.is_lasting = False
    run_bulk(client, store, "992900000001")
    store.values.clear()

    with pytest.raises(UnconfirmedBulkError, match="clear_on_success"):
        run_bulk(client, store, "992900000001", history=TxnIdHistory.MAYBE_ACCEPTED)

    assert gateway.requests["bulk"] == 1


@pytest.mark.parametrize(
    "script",
    [[ModelFault.NO_MONEY], [ModelFault.ANSWERED, ModelFault.NO_MONEY]],
    ids=["first", "second"],
)
def test_a_forgotten_job_stays_one_that_may_exist(script):
    """What a try with 'resend' writes does not read as all that there was: the next one asks a person."""
    task = BulkTask(has_receipts=False, is_lasting=False, gateway=Gateway(is_blind_to_jobs=True))
    task.run_try()
    task.store.wipe()

    task.run_try(script, on_unconfirmed=OnUnconfirmed.RESEND)
    uploaded = len(task.gateway.jobs)
    last = task.run_try()

    assert isinstance(last.error, UnconfirmedBulkError)
    assert len(task.gateway.jobs) == uploaded


def test_unanswered_upload_is_not_forgotten(gateway, client, make_store):
    """A try that does not reach the gateway does not take back that an earlier one may have created a job."""
    store = make_store()
    gateway.inject(Fault.CUT_AFTER, call="bulk", times=3)
    with pytest.raises(OutcomeUnknownError):
        run_bulk(client, store, "992900000001", on_unconfirmed=OnUnconfirmed.RESEND)
    gateway.backend.change_account("demo", is_blocked=True)
    with pytest.raises(FinalRefusalError):
        run_bulk(client, store, "992900000001", on_unconfirmed=OnUnconfirmed.RESEND)
    gateway.backend.change_account("demo", is_blocked=False)

    with pytest.raises(AudienceChangedError):
        run_bulk(client, store, "992900000002")

    assert len(gateway.bulks) == 1


def test_resend_gives_up_after_three_attempts(gateway, client, make_store):
    """Even with resend an upload that is never answered ends as an error that a retry may repeat."""
    gateway.inject(Fault.CUT_AFTER, call="bulk", times=3)
    store = make_store()

    with pytest.raises(Exception, match="without a whole answer"):
        run_bulk(client, store, "992900000001", on_unconfirmed=OnUnconfirmed.RESEND)
    run_bulk(client, store, "992900000001", on_unconfirmed=OnUnconfirmed.RESEND)

    assert len(gateway.bulks) == 1


A, B, C = "992900000001", "992900000002", "992900000003"
RESEND, FAIL = OnUnconfirmed.RESEND, OnUnconfirmed.FAIL


def stored(*, attempt=ANY, **names):
    """Return what the store holds of the jobs a, b and c; one without an answer names who has tried."""
    states = {None: "refused_for_now", "": "attempted"}
    phones = {"a": A, "b": B, "c": C}
    return {
        "bulk": {
            f"bulk-{phones[job]}": {
                "state": states.get(name, "created"),
                "bulk_name": name or None,
                "attempt": attempt if name == "" else "",
            }
            for job, name in names.items()
        }
    }


def test_the_store_knows_of_each_job_before_it_leaves(make_store, make_scripted_client):
    """Whenever the task is killed, the store names the jobs that exist and the one under way."""
    store = make_store()
    client = make_scripted_client("ok ok ok", store)

    receipts = run_bulk(client, store, A, B, C)

    assert client.transport.stored == [
        stored(a=""),
        stored(a="Navsol", b=""),
        stored(a="Navsol", b="Navsol", c=""),
    ]
    assert store.values == stored(a="Navsol", b="Navsol", c="Navsol")
    assert [(receipt.txn_id, receipt.bulk_name) for receipt in receipts] == [
        (f"bulk-{phone}", "Navsol") for phone in (A, B, C)
    ]


def test_a_restart_in_the_middle_creates_the_rest(make_store, make_scripted_client):
    """After a refusal between two jobs the next try creates those that are left, and none twice."""
    store = make_store()
    with pytest.raises(FinalRefusalError):
        run_bulk(make_scripted_client("ok 106", store), store, A, B, C)
    assert store.values == stored(a="Navsol")

    client = make_scripted_client("ok ok", store)
    run_bulk(client, store, A, B, C, history=TxnIdHistory.MAYBE_ACCEPTED)

    assert len(client.transport.requests) == 2
    assert store.values == stored(a="Navsol", b="Navsol", c="Navsol")


@pytest.mark.parametrize("killed_in", [1, 2, 3])
def test_a_kill_in_the_middle_is_not_repeated(make_store, make_scripted_client, killed_in):
    """A job that was under way when the task was killed may exist: by default a person has to look."""
    store = make_store()
    with pytest.raises(KeyboardInterrupt):
        run_bulk(make_scripted_client("ok " * (killed_in - 1) + "kill", store), store, A, B, C)

    client = make_scripted_client("", store)
    with pytest.raises(UnconfirmedBulkError, match=f"job {killed_in} of 3"):
        run_bulk(client, store, A, B, C, history=TxnIdHistory.MAYBE_ACCEPTED)
    assert client.transport.requests == []


@pytest.mark.parametrize("killed_in", [1, 2, 3])
def test_a_kill_in_the_middle_is_repeated_by_choice(make_store, make_scripted_client, killed_in):
    """With resend the job under way is uploaded again under its txn_id: a 108 says that it exists."""
    store = make_store()
    with pytest.raises(KeyboardInterrupt):
        run_bulk(make_scripted_client("ok " * (killed_in - 1) + "kill", store), store, A, B, C)

    client = make_scripted_client("108 " + "ok " * (3 - killed_in), store)
    receipts = run_bulk(client, store, A, B, C, history=TxnIdHistory.MAYBE_ACCEPTED, on_unconfirmed=RESEND)

    assert receipts[killed_in - 1].bulk_name == "created, name unknown"
    assert len(client.transport.requests) == 4 - killed_in


@pytest.mark.parametrize("later", ["108", "unsent 108", "lost 108"])
def test_a_108_after_an_earlier_109_is_no_job(make_store, make_scripted_client, later):
    """A job that met 109 and is answered with 108 in a later try is never taken for created."""
    store = make_store()
    with pytest.raises(TemporaryRefusalError):
        run_bulk(make_scripted_client("109 109 109", store), store, A, on_unconfirmed=RESEND)
    assert store.values == stored(a=None)

    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            run_bulk(
                make_scripted_client(later, store),
                store,
                A,
                history=TxnIdHistory.MAYBE_ACCEPTED,
                on_unconfirmed=RESEND,
            )
        assert store.values == stored(a=None)


def test_a_109_by_default_is_looked_at_by_a_person(make_store, make_scripted_client):
    """Without resend a temporary refusal ends the task, and the next try creates nothing."""
    store = make_store()
    with pytest.raises(UnconfirmedBulkError, match="may have been created"):
        run_bulk(make_scripted_client("109", store), store, A)

    assert store.values == stored(a=None)
    with pytest.raises(UnconfirmedBulkError, match="job 1 of 1"):
        run_bulk(make_scripted_client("", store), store, A, history=TxnIdHistory.MAYBE_ACCEPTED)


def test_a_kill_in_the_pause_after_a_109_is_no_job(make_store, make_scripted_client):
    """A task that is killed while it waits after a 109 still knows of the doubt in its next try."""
    store = make_store()
    with pytest.raises(KeyboardInterrupt):
        run_bulk(make_scripted_client("109", store, dies_in_pause=True), store, A, on_unconfirmed=RESEND)

    with pytest.raises(OutcomeUnknownError):
        run_bulk(
            make_scripted_client("108", store),
            store,
            A,
            history=TxnIdHistory.MAYBE_ACCEPTED,
            on_unconfirmed=RESEND,
        )


@pytest.mark.parametrize(
    ("script", "error", "left"),
    [
        ("unsent unsent unsent", RequestNotSentError, {}),
        ("106", FinalRefusalError, {}),
        ("108", DuplicateTransactionError, {}),
        ("lost", UnconfirmedBulkError, {"a": ""}),
        ("unsent junk", UnconfirmedBulkError, {"a": ""}),
        ("112", UnconfirmedBulkError, {"a": None}),
    ],
)
def test_what_a_failure_leaves_in_the_store(make_store, make_scripted_client, *, script, error, left):
    """A job that was surely not created is forgotten, and one that may exist is not."""
    store = make_store()

    with pytest.raises(error):
        run_bulk(make_scripted_client(script, store), store, A)

    assert store.values == stored(**left)


def test_a_time_that_is_past_stops_before_the_next_upload(make_store, make_scripted_client):
    """The time is checked before each upload: what is late is not created, and not noted as attempted."""
    store = make_store()
    client = make_scripted_client("ok", store)

    def check_time():
        if client.transport.requests:
            raise TimeoutError("send_at is past")
        return 3600

    memory = JobMemory(store, store_key="bulk", history=TxnIdHistory.UNUSED, receipts=None)
    run = BulkRun(client, memory, on_unconfirmed=FAIL)
    with pytest.raises(TimeoutError):
        run.create(make_jobs(A, B), check_time=check_time)

    assert store.values == stored(a="Navsol")


def test_a_changed_audience_is_refused_before_any_upload(make_store, make_scripted_client):
    """Jobs for other people than an earlier try's are refused, with the names of those that exist."""
    store = make_store(values=stored(attempt="another", a="Navsol", b=""))
    client = make_scripted_client("", store)

    with pytest.raises(AudienceChangedError, match=r"\(Navsol, one without an answer\)"):
        run_bulk(client, store, C, on_unconfirmed=RESEND)
    assert client.transport.requests == []


@pytest.mark.parametrize("history", [TxnIdHistory.UNUSED, TxnIdHistory.MAYBE_ACCEPTED])
@pytest.mark.parametrize("value", ["text", "", [1], [], 7, 0, True])
def test_a_strange_store_is_one_that_is_not_known(make_store, make_scripted_client, value, history):
    """Something else in place of the jobs says at least that there was a try: nothing is uploaded."""
    store = make_store(values={"bulk": value})

    with pytest.raises(UnconfirmedBulkError):
        run_bulk(make_scripted_client("ok", store), store, A, history=history)
