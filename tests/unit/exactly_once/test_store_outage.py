"""A single send whose store fails in the middle: it goes on, and never lets a later try guess."""

import pytest

from airflow_provider_osonsms.exactly_once.send import HistoryNotStoredError, send_exactly_once
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    FinalRefusalError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome

MESSAGE = Message(phone="992900000001", text="Salom", sender="SHOP", txn_id="k1")
STORE_KEY = "osonsms_send_k1"
UNUSED, MAYBE_ACCEPTED, MAYBE_CONSUMED = TxnIdHistory


@pytest.fixture
def send(make_scripted_client):
    """Send the message with a client that answers from a script."""

    def send(script, store, *, history=UNUSED):
        client = make_scripted_client(script, store)
        try:
            return send_exactly_once(client, MESSAGE, store=store, history=history)
        finally:
            send.requests = len(client.transport.requests)

    return send


@pytest.mark.parametrize("script", ["109 ok", "lost ok", "109 lost ok", "112 113 ok"])
def test_a_doubt_that_cannot_be_stored_stops_nobody(make_store, send, script):
    """The attempts go on while the store is away, and the receipt is what the gateway says."""
    receipt = send(script, make_store(fails_from=1))

    assert (receipt.outcome, receipt.msg_id) == (Outcome.ACCEPTED, "7000")


@pytest.mark.parametrize("script", ["109 109 109", "109 lost lost", "lost 112 unsent", "109 119", "109 106"])
def test_a_doubt_that_stays_unstored_fails_for_good(make_store, send, script):
    """A txn_id that may be used up and is not stored as such would be taken for accepted: a person looks."""
    with pytest.raises(HistoryNotStoredError, match="If it is there, mark this task as success") as caught:
        send(script, make_store(fails_from=1))

    assert caught.value.__suppress_context__
    assert "992900000001" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("109 109 109", TemporaryRefusalError),
        ("109 119", BalanceExhaustedError),
        ("109 106", FinalRefusalError),
    ],
)
def test_a_doubt_is_written_again_at_the_end(make_store, send, script, error):
    """A store that is back at the end takes the doubt in, and a later try's 108 proves nothing."""
    store = make_store(fails_at=[1])

    with pytest.raises(error):
        send(script, store)

    assert store.values[STORE_KEY]["past"] == MAYBE_CONSUMED
    assert send("108", store, history=MAYBE_ACCEPTED).outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("unsent unsent unsent", RequestNotSentError),
        ("106", FinalRefusalError),
        ("119", BalanceExhaustedError),
        ("lost lost lost", OutcomeUnknownError),
    ],
)
def test_a_doubt_too_many_harms_nobody(make_store, send, script, error):
    """That nothing was sent need not be stored: a later try asks again under the same txn_id."""
    store = make_store(fails_from=1)

    with pytest.raises(error):
        send(script, store)

    assert store.values[STORE_KEY]["past"] == MAYBE_ACCEPTED
    store.left = 9
    assert send("ok", store, history=MAYBE_ACCEPTED).outcome is Outcome.ACCEPTED


def test_a_doubt_of_an_earlier_try_is_stored_already(make_store, send):
    """Where the store knew of the doubt before, a store that fails now takes nothing away."""
    store = make_store(fails_from=1, values={STORE_KEY: {"past": int(MAYBE_CONSUMED)}})

    with pytest.raises(TemporaryRefusalError):
        send("109 109 109", store, history=MAYBE_ACCEPTED)

    assert store.values[STORE_KEY]["past"] == MAYBE_CONSUMED


def test_a_receipt_that_cannot_be_stored_is_still_one(make_store, send):
    """What was accepted stays accepted, and the later try finds the one message under its txn_id."""
    store = make_store(fails_from=1)

    assert send("ok", store).msg_id == "7000"
    store.left = 9
    assert send("108", store, history=MAYBE_ACCEPTED).outcome is Outcome.ACCEPTED_UNTRACKED


@pytest.mark.parametrize(
    "record", [7, True, [1], "text", {"past": True}, {"past": [1]}, {"past": {"a": 1}}, [[]]]
)
def test_any_strange_record_is_a_doubt(make_store, send, record):
    """Whatever stands under the txn_id says at least that there was an attempt."""
    assert send("108", make_store(values={STORE_KEY: record})).outcome is Outcome.ACCEPTED_UNTRACKED


@pytest.mark.parametrize("outcome", [["accepted"], {"a": 1}, 7, None, "strange"])
def test_a_strange_receipt_is_no_receipt(make_store, send, outcome):
    """A record whose outcome is none of ours is no receipt: the gateway is asked again."""
    receipt = send("108", make_store(values={STORE_KEY: {"outcome": outcome, "msg_id": 7}}))

    assert receipt.outcome is Outcome.ACCEPTED_UNTRACKED
    assert send.requests == 1
