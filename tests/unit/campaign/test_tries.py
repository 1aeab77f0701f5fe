"""A second try of a campaign: it goes on, and texts nobody twice."""

from datetime import timedelta
from decimal import Decimal

import pytest

from airflow_provider_osonsms.campaign.rows import RowState
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError
from airflow_provider_osonsms.protocol.history import TxnIdHistory

UNUSED, MAYBE_ACCEPTED, _ = TxnIdHistory


def outcomes(run):
    """Return the outcomes that occur."""
    return {name: count for name, count in run.count_outcomes().items() if count}


def test_a_second_try_after_success_sends_nothing(send, make_plan, make_client, store):
    """A Clear after success opens no client, tells the same summary and changes nothing in the store."""
    plan = make_plan(6, rejected=[1])
    first = send(plan, make_client({0: "ok3", 2: "108"}), history=MAYBE_ACCEPTED)
    stored, second_client = dict(store.values), make_client()

    second = send(plan, second_client, try_number=2)

    assert second_client.attempts == []
    assert store.values == stored
    assert second.settled == 5
    assert second.is_resumed
    assert second.summarize(price_per_part=Decimal("0.25")) == first.summarize(price_per_part=Decimal("0.25"))
    assert second.list_messages() == first.list_messages()
    second.finish(max_failed_ratio=None)


def test_the_seconds_are_those_of_all_tries(send, make_plan, make_client):
    """The seconds of a campaign are those from the first acceptance to the last, whatever try they are of."""
    plan = make_plan(2)
    send(plan, make_client({1: "119"}))
    later = make_client()
    later.accepted_at += timedelta(minutes=5)

    run = send(plan, later, try_number=2, history=MAYBE_ACCEPTED)

    assert later.texted == [1]
    assert run.summarize(price_per_part=None)["seconds"] == 300


def test_a_store_that_fails_later_undoes_nothing(send, make_plan, make_client, make_store):
    """Once the start is stored, a store that fails costs msg_ids in the next try and no second text."""
    store, client, plan = make_store(fails_from=3), make_client(), make_plan(3)
    send(plan, client, store=store).finish(max_failed_ratio=0.0)

    again = send(plan, client, store=make_store(values=store.values), try_number=2)

    assert sorted(client.texted) == [0, 1, 2]
    assert outcomes(again) == {"accepted_untracked": 3}


@pytest.mark.parametrize("history", [UNUSED, MAYBE_ACCEPTED])
def test_a_killed_try_is_gone_on_with(send, make_plan, make_client, make_store, *, store, history):
    """Wherever a try is killed, the next asks for what was not stored yet, and nobody is texted twice.

    What the killed try has sent and not stored is answered with 108, and counts as accepted.
    """
    plan, client = make_plan(2500, concurrency=50), make_client()
    send(plan, client)
    writes = list(store.written)
    assert len(writes) >= 5

    for survived in range(3, len(writes) + 1):  # the first three say that it has started
        stored = dict(writes[:survived])
        known = {prefix for key, chunk in stored.items() if key.count("_") == 2 for prefix in chunk}
        client.attempts = []

        second = send(plan, client, store=make_store(values=stored), history=history, try_number=2)

        second.finish(max_failed_ratio=0.0)
        assert len(client.attempts) == 2500 - len(known)
        assert len(client.texted) == 2500
        left = {"accepted": len(known), "accepted_untracked": 2500 - len(known)}
        assert outcomes(second) == {name: count for name, count in left.items() if count}


def test_a_try_goes_on_where_the_last_one_stopped(send, make_plan, make_client):
    """After a top-up the rest is sent; what was settled takes no attempt, and nothing is sent twice."""
    plan, client = make_plan(9, concurrency=1), make_client({4: "119"})
    send(plan, client)
    client.attempts = []

    second = send(plan, client, history=MAYBE_ACCEPTED, try_number=2)

    second.finish(max_failed_ratio=0.0)
    assert client.attempts == [4, 5, 6, 7, 8]
    assert sorted(client.texted) == list(range(9))


def test_a_used_up_txn_id_stays_undecided_in_the_next_try(send, make_plan, make_client):
    """After a 109 that used the txn_id up, a later try's 108 is uncertain: a person has to look."""
    plan, client = make_plan(2, rounds=1), make_client({0: "109!"})
    send(plan, client)

    second = send(plan, client, history=MAYBE_ACCEPTED, try_number=2)

    assert second.rows.state(0) is RowState.UNDECIDED
    assert outcomes(second) == {"accepted": 1, "uncertain": 1}
    second.finish(max_failed_ratio=None)


def test_below_airflow_3_3_a_second_try_asks_for_everybody(send, make_plan, make_client):
    """Without a journal every row is asked for again, and the gateway's 108 keeps it at one text each."""
    plan, client = make_plan(4), make_client({3: "119"})
    send(plan, client, store=NullStateStore())

    second = send(plan, client, store=NullStateStore(), history=MAYBE_ACCEPTED, try_number=2)

    assert sorted(client.texted) == [0, 1, 2, 3]
    assert outcomes(second) == {"accepted": 1, "accepted_untracked": 3}


def test_a_collision_is_one_in_the_next_try_too(send, make_plan, make_client):
    """A try that met somebody else's txn_ids and sent nothing lets the next one see them as such."""
    plan, client = make_plan(3, concurrency=1), make_client("108")
    send(plan, client)

    second = send(plan, client, history=MAYBE_ACCEPTED, try_number=2)

    with pytest.raises(DuplicateTransactionError):
        second.finish(max_failed_ratio=None)
    assert outcomes(second) == {"pending": 3}


def test_a_collision_takes_no_lost_answer_back(send, make_plan, make_client):
    """A row whose answer was lost beside taken ones may have been accepted: its 108 is not a collision."""
    plan, client = make_plan(2, concurrency=1, rounds=1), make_client({0: "lost unsent", 1: "108"})
    send(plan, client)

    second = send(plan, client, history=MAYBE_ACCEPTED, try_number=2)

    assert second.rows.state(0) is RowState.ANSWER_LOST


def test_rows_that_left_the_audience_are_told(send, make_run, make_plan, make_client, caplog):
    """Whoever was texted before and is not in the audience any more is counted in the log."""
    send(make_plan(5), make_client())

    run = make_run(make_plan(3), make_client(), try_number=2)

    assert run.settled == 3
    assert "2 rows that were sent before are not in the audience any more" in caplog.text
