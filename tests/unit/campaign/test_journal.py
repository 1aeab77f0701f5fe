"""What a task remembers, and what happens when it cannot."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.bulk.jobs import (
    AudienceChangedError,
    BulkRun,
    OnUnconfirmed,
    UnconfirmedBulkError,
)
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.exactly_once.send import send_exactly_once
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import FinalRefusalError, OutcomeUnknownError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Message, Outcome
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway

MESSAGE = Message(phone="992900000001", text="Salom", sender="SHOP", txn_id="k1")


class InMemoryStore:
    """A journal in memory that fails from its n-th writing on."""

    is_lasting = True

    def __init__(self, *, fails_from=1000):
        self.values = {}
        self.left = fails_from

    def get(self, key):
        """Return the value under *key*."""
        return self.values.get(key)

    def set(self, key, value):
        """Store *value*, or fail."""
        self.left -= 1
        if self.left < 0:
            raise ConnectionError("the API server is away")
        self.values[key] = value


@pytest.fixture
def gateway():
    """A fresh gateway."""
    with SimulatedGateway() as gateway:
        yield gateway


@pytest.fixture
def client(gateway):
    """A client of that gateway."""
    account = Account(login="demo", secret="demo-salt", api_url=gateway.url, bulk_url=gateway.url, timeout=1)
    with open_client(account) as client:
        client._sleep = lambda seconds: None
        yield client


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
    run = BulkRun(client, store, store_key="bulk", history=history, on_unconfirmed=on_unconfirmed)
    return run.create(make_jobs(*phones), check_time=lambda: None)


def test_nothing_is_sent_without_a_note(gateway, client):
    """If the attempt cannot be noted, nothing is sent."""
    with pytest.raises(ConnectionError):
        send_exactly_once(client, MESSAGE, store=InMemoryStore(fails_from=0), history=TxnIdHistory.UNUSED)

    assert gateway.requests["send"] == 0


def test_what_was_sent_stays_sent(gateway, client):
    """If the result cannot be noted, the task still succeeds, and the next try finds the one SMS."""
    store = InMemoryStore(fails_from=1)
    receipt = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)
    store.left = 1000
    again = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)

    assert (receipt.outcome, again.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED)
    assert len(gateway.sent) == 1


@pytest.mark.parametrize(
    "record", ["text", {"outcome": "strange"}, {"past": "attempted"}, {}, [1], {"past": 7}]
)
def test_a_strange_note_counts_as_an_attempt(gateway, client, record):
    """Whatever is noted under the key says at least that there was an attempt."""
    send_exactly_once(client, MESSAGE, store=NullStateStore(), history=TxnIdHistory.UNUSED)
    store = InMemoryStore()
    store.values["osonsms_send_k1"] = record

    receipt = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)

    assert receipt.outcome is Outcome.ACCEPTED_UNTRACKED


def test_doubt_is_noted_before_the_pause(gateway, client):
    """A task that is killed while it waits after a 109 still knows of the doubt in its next try."""
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)
    store = InMemoryStore()

    def die(_seconds):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "_sleep", die)
        with pytest.raises(KeyboardInterrupt):
            send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)

    receipt = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.MAYBE_ACCEPTED)

    assert (receipt.outcome, gateway.sent) == (Outcome.UNCERTAIN, [])


def test_unnoted_bulk_is_not_uploaded(gateway, client):
    """If the attempt cannot be noted, nothing is uploaded."""
    with pytest.raises(ConnectionError):
        run_bulk(client, InMemoryStore(fails_from=0), "992900000001")

    assert gateway.requests["bulk"] == 0


def test_refused_bulk_may_be_tried_again(gateway, client):
    """A refusal is noted as nothing created: after the account is mended the same task creates its jobs."""
    store = InMemoryStore()
    gateway.backend.change_account("demo", is_blocked=True)
    with pytest.raises(FinalRefusalError):
        run_bulk(client, store, "992900000001")
    gateway.backend.change_account("demo", is_blocked=False)

    run_bulk(client, store, "992900000001", history=TxnIdHistory.MAYBE_ACCEPTED)

    assert len(gateway.bulks) == 1


def test_unanswered_bulk_in_the_middle(gateway, client):
    """After an unanswered second job the third is not created, and a later try creates neither."""
    store = InMemoryStore()
    people = ("992900000001", "992900000002", "992900000003")
    run_bulk(client, store, people[0])
    store.values["bulk"]["bulk-992900000002"] = ""

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


def test_cleared_memory_is_blind(gateway, client):
    """A store that is emptied after each success proves nothing in a later try."""
    store = InMemoryStore()
    store.is_lasting = False
    run_bulk(client, store, "992900000001")
    store.values.clear()

    with pytest.raises(UnconfirmedBulkError, match="clear_on_success"):
        run_bulk(client, store, "992900000001", history=TxnIdHistory.MAYBE_ACCEPTED)

    assert gateway.requests["bulk"] == 1


def test_unanswered_upload_is_not_forgotten(gateway, client):
    """A try that does not reach the gateway does not take back that an earlier one may have created a job."""
    store = InMemoryStore()
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


def test_resend_gives_up_after_three_attempts(gateway, client):
    """Even with resend an upload that is never answered ends as an error that a retry may repeat."""
    gateway.inject(Fault.CUT_AFTER, call="bulk", times=3)
    store = InMemoryStore()

    with pytest.raises(Exception, match="without a whole answer"):
        run_bulk(client, store, "992900000001", on_unconfirmed=OnUnconfirmed.RESEND)
    run_bulk(client, store, "992900000001", on_unconfirmed=OnUnconfirmed.RESEND)

    assert len(gateway.bulks) == 1
