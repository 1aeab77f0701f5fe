"""One message of a task, and what happens when the store fails."""

import pytest

from airflow_provider_osonsms.exactly_once.send import send_exactly_once
from airflow_provider_osonsms.exactly_once.store import NullStateStore
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
