"""The first handful of a campaign goes alone: where all their txn_ids are taken, nothing is sent."""

from collections import Counter

import pytest

from airflow_provider_osonsms.campaign.rows import RowState
from airflow_provider_osonsms.campaign.send_loop import TxnIdsTakenError
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.history import TxnIdHistory

MAYBE_ACCEPTED = TxnIdHistory.MAYBE_ACCEPTED
ACCEPTED, TAKEN, LOST, NEW = (
    RowState.ACCEPTED,
    RowState.KEY_TAKEN,
    RowState.ANSWER_LOST,
    RowState.NOT_ATTEMPTED,
)


def test_the_first_row_goes_alone(make_bench, make_plan, make_client):
    """While nothing is known of the txn_ids, one request is under way until one is accepted."""
    alone = []

    async def look(attempt):
        if attempt == 1:
            alone.append(client.texted == [0])

    client = make_client(on_send=look)
    make_bench(make_plan(20, concurrency=8), client).run()

    assert alone == [True]
    assert client.max_under_way == 8


def test_a_campaign_with_a_past_goes_at_once(make_bench, make_plan, make_client):
    """Where earlier tries explain a 108, no row goes alone."""
    client = make_client("108")
    bench = make_bench(make_plan(20, concurrency=8), client, history=MAYBE_ACCEPTED).run()

    assert client.max_under_way == 8
    assert bench.states() == [LOST] * 20


@pytest.mark.parametrize(("rows", "asked"), [(40, 5), (5, 5), (3, 3), (1, 1)])
def test_all_of_the_first_are_taken(make_bench, make_plan, make_client, *, rows, asked):
    """The loop stops after a handful, every row is as if it had not been attempted, and no code is kept."""
    bench = make_bench(make_plan(rows, concurrency=8), make_client("108")).run()

    assert bench.cause is TxnIdsTakenError
    assert f"the first {asked} new rows" in str(bench.stop.cause)
    assert "key_namespace" in str(bench.stop.cause)
    assert bench.client.attempts == list(range(asked))
    assert bench.states() == [NEW] * rows
    assert bench.codes() == {}


@pytest.mark.parametrize("taken", [1, 4])
def test_some_of_the_first_are_taken(make_bench, make_plan, make_client, taken):
    """One that is free shows that the txn_ids are ours: the others are for a person, and the rest is sent."""
    client = make_client(dict.fromkeys(range(taken), "108"))
    bench = make_bench(make_plan(12, concurrency=4), client).run()

    assert bench.cause is None
    assert bench.states() == [TAKEN] * taken + [ACCEPTED] * (12 - taken)
    assert Counter(client.attempts) == Counter(range(12))
    assert [bench.codes()[row] for row in range(taken)] == ["taken"] * taken
    assert [bench.rows.reason(row) for row in range(taken)] == ["key_taken"] * taken


def test_a_later_row_that_is_taken_is_for_a_person(make_bench, make_plan, make_client):
    """After the handful a taken row is uncertain and stays so, and the campaign goes on."""
    plan = make_plan(12, concurrency=4)
    bench = make_bench(plan, make_client({7: "108"})).run()

    assert bench.cause is None
    assert bench.states() == [ACCEPTED] * 7 + [TAKEN] + [ACCEPTED] * 4
    assert bench.codes()[7] == "taken"
    again = make_bench(plan, make_client(), try_number=2, history=MAYBE_ACCEPTED).run()
    assert (again.client.attempts, again.states()[7]) == ([], TAKEN)


def test_a_taken_row_ends_no_failures_in_a_row(make_bench, make_plan, make_client):
    """A row whose txn_id is another's counts neither as a failure nor as a success."""
    words = {0: "ok", 1: "unsent", 2: "108", 3: "unsent", 4: "108", 5: "unsent"}
    plan = make_plan(9, concurrency=1, max_consecutive_failures=3, rounds=1)
    bench = make_bench(plan, make_client(words)).run()

    assert bench.client.attempts == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("word", ["silent", "lost", "109!", "109"])
def test_an_answer_that_proves_nothing_ends_the_handful(make_bench, make_plan, make_client, word):
    """A first row in doubt is no taken one: its doubt stays, and nothing is taken back."""
    client = make_client({0: "108", 1: f"{word} {word}", 2: "108", 3: "108"})
    bench = make_bench(make_plan(6, concurrency=1, rounds=1), client).run()

    assert bench.cause is None
    assert bench.states()[0] is TAKEN
    assert bench.states()[1] in {LOST, RowState.NO_ANSWER, RowState.UNDECIDED, RowState.REFUSED_FOR_NOW}
    assert bench.states()[2:] == [TAKEN, TAKEN, ACCEPTED, ACCEPTED]


@pytest.mark.parametrize("places", ["store", "table", "both"])
def test_a_stop_is_as_if_the_try_had_not_been(
    send, make_run, make_plan, make_client, *, store, tmp_path, places
):
    """After a collision the next try sees one too, whatever remembers, and the message says what to do."""
    plan, path = make_plan(8), None if places == "store" else tmp_path / "results.csv"
    store = NullStateStore() if places == "table" else store
    for try_number in (1, 2):
        history = TxnIdHistory.UNUSED if places != "table" else TxnIdHistory(0)
        run = send(plan, make_client("108"), store=store, path=path, try_number=try_number, history=history)
        run.write_results()

        with pytest.raises(TxnIdsTakenError, match=r"Nothing was sent.*'key_namespace'.*clear this task"):
            run.finish(max_failed_ratio=None)
        assert run.count_outcomes()["pending"] == 8


@pytest.mark.parametrize(("code", "state"), [("unanswered", LOST), ("refused", RowState.UNDECIDED)])
def test_a_stop_takes_no_doubt_back(send, make_plan, make_client, *, store, code, state):
    """Rows that were unanswered before a stop for taken txn_ids stay doubts: their 108 is no collision."""
    plan = make_plan(8)
    txn_id = plan.txn_ids.make("992900000006")
    store.values |= {"c_1": {"past": 0, "chunks": 1}, "c_1_0": {txn_id[:16]: code}}
    stopped = send(plan, make_client("108"), try_number=2)
    with pytest.raises(TxnIdsTakenError):
        stopped.finish(max_failed_ratio=None)

    client = make_client({6: "108"})
    later = send(plan, client, try_number=3)

    assert later.rows.state(6) is state
    assert sorted(client.texted) == [0, 1, 2, 3, 4, 5, 7]


def test_a_handful_that_the_window_or_a_stop_ends(make_bench, make_plan, make_client):
    """A loop that is stopped within the handful has decided nothing: the next try begins with it again."""
    client = make_client("108")

    async def stop(attempt):
        if attempt == 1:
            bench.stop.set(TxnIdsTakenError("told to stop"))

    client.on_send = stop
    bench = make_bench(make_plan(8), client)
    bench.run()

    assert client.attempts == [0, 1]
    assert str(bench.stop.cause) == "told to stop"
    assert bench.codes() == {}
    assert bench.rows.open_rows == 8
