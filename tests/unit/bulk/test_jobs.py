"""The bulk jobs of a task, and what happens when the store fails."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.bulk.jobs import (
    AudienceChangedError,
    BulkRun,
    OnUnconfirmed,
    UnconfirmedBulkError,
)
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import FinalRefusalError, OutcomeUnknownError
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
    run = BulkRun(client, store, store_key="bulk", history=history, on_unconfirmed=on_unconfirmed)
    return run.create(make_jobs(*phones), check_time=lambda: None)


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


def test_cleared_memory_is_blind(gateway, client, make_store):
    """A store that is emptied after each success proves nothing in a later try."""
    store = make_store()
    store.is_lasting = False
    run_bulk(client, store, "992900000001")
    store.values.clear()

    with pytest.raises(UnconfirmedBulkError, match="clear_on_success"):
        run_bulk(client, store, "992900000001", history=TxnIdHistory.MAYBE_ACCEPTED)

    assert gateway.requests["bulk"] == 1


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
