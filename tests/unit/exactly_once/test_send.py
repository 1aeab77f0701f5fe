"""One message of a task, and what happens when the store fails."""

import pytest

from airflow_provider_osonsms.exactly_once.send import send_exactly_once
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    FinalRefusalError,
    InvalidMessageError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome
from airflow_provider_osonsms.simulator import Fault

MESSAGE = Message(phone="992900000001", text="Salom", sender="SHOP", txn_id="k1")


def test_nothing_is_sent_without_a_note(gateway, client, make_store):
    """If the attempt cannot be noted, nothing is sent."""
    with pytest.raises(ConnectionError):
        send_exactly_once(client, MESSAGE, store=make_store(fails_from=0), history=TxnIdHistory.UNUSED)

    assert gateway.requests["send"] == 0


def test_what_was_sent_stays_sent(gateway, client, make_store):
    """If the result cannot be noted, the task still succeeds, and the next try finds the one SMS."""
    store = make_store(fails_from=1)
    receipt = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)
    store.left = 1000
    again = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)

    assert (receipt.outcome, again.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED_UNTRACKED)
    assert len(gateway.sent) == 1


@pytest.mark.parametrize(
    "record", ["text", {"outcome": "strange"}, {"past": "attempted"}, {}, [1], {"past": 7}]
)
def test_a_strange_note_counts_as_an_attempt(gateway, client, record, make_store):
    """Whatever is noted under the key says at least that there was an attempt."""
    send_exactly_once(client, MESSAGE, store=NullStateStore(), history=TxnIdHistory.UNUSED)
    store = make_store()
    store.values["osonsms_send_k1"] = record

    receipt = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)

    assert receipt.outcome is Outcome.ACCEPTED_UNTRACKED


def test_doubt_is_noted_before_the_pause(gateway, client, make_store):
    """A task that is killed while it waits after a 109 still knows of the doubt in its next try."""
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)
    store = make_store()

    def die(_seconds):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "_sleep", die)
        with pytest.raises(KeyboardInterrupt):
            send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.UNUSED)

    receipt = send_exactly_once(client, MESSAGE, store=store, history=TxnIdHistory.MAYBE_ACCEPTED)

    assert (receipt.outcome, gateway.sent) == (Outcome.UNCERTAIN, [])


STORE_KEY = "osonsms_send_k1"
UNUSED, MAYBE_ACCEPTED, MAYBE_CONSUMED = TxnIdHistory


def past(history):
    """Return what the store holds while there is no receipt."""
    return {STORE_KEY: {"past": int(history)}}


def read_past(values):
    """Return what the store says happened to the txn_id."""
    return values[STORE_KEY]["past"]


@pytest.mark.parametrize(
    ("script", "stored"),
    [
        ("ok", [MAYBE_ACCEPTED]),
        ("lost ok", [MAYBE_ACCEPTED, MAYBE_ACCEPTED]),
        ("unsent unsent ok", [MAYBE_ACCEPTED] * 3),
        ("109 ok", [MAYBE_ACCEPTED, MAYBE_CONSUMED]),
        ("109 lost ok", [MAYBE_ACCEPTED, MAYBE_CONSUMED, MAYBE_CONSUMED]),
        ("lost 112 ok", [MAYBE_ACCEPTED, MAYBE_ACCEPTED, MAYBE_CONSUMED]),
    ],
)
def test_the_store_knows_of_each_request_before_it_leaves(
    make_store, make_scripted_client, *, script, stored
):
    """Whenever the task is killed, the store says what the request under way and those before may leave."""
    store = make_store()
    client = make_scripted_client(script, store)

    send_exactly_once(client, MESSAGE, store=store, history=UNUSED)

    assert list(map(read_past, client.transport.stored)) == stored
    assert store.values == {STORE_KEY: {"outcome": "accepted", "msg_id": "7000", "parts": 2}}


@pytest.mark.parametrize("history", TxnIdHistory)
@pytest.mark.parametrize(
    ("script", "error", "left"),
    [
        ("unsent unsent unsent", RequestNotSentError, UNUSED),
        ("lost lost lost", OutcomeUnknownError, MAYBE_ACCEPTED),
        ("junk unsent unsent", OutcomeUnknownError, MAYBE_ACCEPTED),
        ("109 109 109", TemporaryRefusalError, MAYBE_CONSUMED),
        ("lost 109 unsent", TemporaryRefusalError, MAYBE_CONSUMED),
        ("106", FinalRefusalError, UNUSED),
        ("119", BalanceExhaustedError, UNUSED),
        ("lost 106", FinalRefusalError, MAYBE_ACCEPTED),
        ("109 119", BalanceExhaustedError, MAYBE_CONSUMED),
    ],
)
def test_what_a_failure_leaves_in_the_store(
    make_store, make_scripted_client, *, script, error, left, history
):
    """After a failure the store holds what it has left open, and what was open before."""
    store = make_store(values=past(history))

    with pytest.raises(error):
        send_exactly_once(make_scripted_client(script, store), MESSAGE, store=store, history=UNUSED)

    assert read_past(store.values) == max(history, left)


@pytest.mark.parametrize(
    ("script", "left"),
    [("kill", MAYBE_ACCEPTED), ("109 kill", MAYBE_CONSUMED), ("unsent kill", MAYBE_ACCEPTED)],
)
def test_a_killed_task_leaves_doubt(make_store, make_scripted_client, *, script, left):
    """A task that is killed while a request is under way leaves it open whether it was accepted."""
    store = make_store()

    with pytest.raises(KeyboardInterrupt):
        send_exactly_once(make_scripted_client(script, store), MESSAGE, store=store, history=UNUSED)

    assert read_past(store.values) == left


@pytest.mark.parametrize(
    ("stored", "history", "outcome"),
    [
        (None, MAYBE_ACCEPTED, Outcome.ACCEPTED_UNTRACKED),
        (None, MAYBE_CONSUMED, Outcome.UNCERTAIN),
        (MAYBE_ACCEPTED, UNUSED, Outcome.ACCEPTED_UNTRACKED),
        (MAYBE_CONSUMED, MAYBE_ACCEPTED, Outcome.UNCERTAIN),
    ],
)
def test_a_108_in_a_later_try(make_store, make_scripted_client, *, stored, history, outcome):
    """A later try reads a 108 in the light of the store, and of the try number where there is no store."""
    store = make_store(values={} if stored is None else past(stored))

    receipt = send_exactly_once(make_scripted_client("108", store), MESSAGE, store=store, history=history)

    assert receipt.outcome is outcome
    assert store.values == {STORE_KEY: {"outcome": str(outcome), "msg_id": None, "parts": None}}


@pytest.mark.parametrize("stored", [None, UNUSED])
def test_a_collision_is_one_in_every_try(make_store, make_scripted_client, *, stored):
    """A 108 that nothing explains leaves no doubt behind, so the next try sees the collision too."""
    store = make_store(values={} if stored is None else past(stored))

    for _ in range(2):
        with pytest.raises(DuplicateTransactionError):
            send_exactly_once(make_scripted_client("108", store), MESSAGE, store=store, history=UNUSED)
        assert read_past(store.values) == UNUSED


@pytest.mark.parametrize("outcome", ["accepted", "accepted_untracked", "uncertain"])
def test_a_receipt_is_final(make_store, make_scripted_client, outcome):
    """A message that has a receipt is never asked for again, whatever it says."""
    record = {"outcome": outcome, "msg_id": None, "parts": None}
    store = make_store(values={STORE_KEY: record})

    receipt = send_exactly_once(make_scripted_client("", store), MESSAGE, store=store, history=MAYBE_ACCEPTED)

    assert (receipt.txn_id, receipt.outcome) == ("k1", outcome)
    assert store.written == []


def test_a_message_that_cannot_be_built_leaves_nothing(make_store, make_scripted_client):
    """A message that breaks a rule never leaves this machine, and the store says so."""
    store = make_store()
    bad = Message(phone="12", text="Salom", sender="SHOP", txn_id="k1")

    with pytest.raises(InvalidMessageError):
        send_exactly_once(make_scripted_client("", store), bad, store=store, history=UNUSED)

    assert read_past(store.values) == UNUSED


def test_an_unknown_outcome_tells_what_is_safe(make_store, make_scripted_client):
    """The error after a lost answer says that a retry cannot text anybody twice, and shows no cause."""
    store = make_store()

    with pytest.raises(OutcomeUnknownError, match="cannot text anybody twice") as caught:
        send_exactly_once(make_scripted_client("lost lost lost", store), MESSAGE, store=store, history=UNUSED)
    assert caught.value.__suppress_context__
