"""The send loop: whom it asks again, what stops it, and what stands in the journal afterwards."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.campaign import send_loop
from airflow_provider_osonsms.campaign.journal import MAX_UNWRITTEN
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError
from airflow_provider_osonsms.campaign.rows import RowState
from airflow_provider_osonsms.campaign.send_loop import SendWindowClosedError, TooManyFailuresError
from airflow_provider_osonsms.preflight.window import read_window
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    FinalRefusalError,
    InvalidMessageError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory

ACCEPTED, LOST, UNDECIDED = RowState.ACCEPTED, RowState.ANSWER_LOST, RowState.UNDECIDED
NEW, UNREACHED, BUSY, SILENT = (state for state in RowState if state.is_open)


def codes(store, plan):
    """Return what the store holds of each row, by row."""
    stored = {}
    for key, value in store.values.items():
        if not key.endswith("_meta"):
            stored |= value
    return {
        row: stored[txn_id[:12]]
        for row, _, row_key in plan.audience.read_row_keys()
        if (txn_id := plan.txn_ids.make(row_key))[:12] in stored
    }


def stop_at(number, make_error=lambda: CampaignStoppedError("told to stop")):
    """Make what stops a bench when attempt *number* begins; the bench is hung on afterwards."""

    async def on_send(attempt):
        if attempt == number:
            on_send.bench.stop.set(make_error())

    return on_send


def test_everybody_is_asked_once(make_bench, make_plan, make_client, store):
    """When all goes well each row takes one attempt, and each msg_id stands in the journal."""
    bench = make_bench(make_plan(40), make_client()).run()

    assert Counter(bench.client.attempts) == Counter(range(40))
    assert bench.states() == [ACCEPTED] * 40
    assert (bench.pauses, bench.cause) == ([], None)
    assert codes(store, bench.plan) == {row: f"{7000 + row}/1" for row in range(40)}


@pytest.mark.parametrize(
    ("script", "state", "attempts", "code"),
    [
        ("ok", ACCEPTED, 1, "7000/1"),
        ("unsent ok", ACCEPTED, 2, "7000/1"),
        ("109 ok", ACCEPTED, 2, "7000/1"),
        ("silent ok", ACCEPTED, 2, "7000/1"),
        ("junk 112 unsent silent 113 ok", ACCEPTED, 6, "7000/1"),
        ("lost", LOST, 2, "lost"),
        ("unsent lost unsent", LOST, 4, "lost"),
        ("109!", UNDECIDED, 2, "undecided"),
        ("lost 109", LOST, 2, "lost"),
        ("109 lost", UNDECIDED, 3, "undecided"),
        ("109! unsent", UNDECIDED, 3, "undecided"),
        ("unsent " * 6, UNREACHED, 6, None),
        ("109 " * 6, BUSY, 6, "refused"),
        ("silent " * 6, SILENT, 6, None),
        ("silent 109 " + "unsent " * 4, SILENT, 6, "refused"),
        ("109" + " unsent" * 5, BUSY, 6, "refused"),
    ],
)
def test_a_row_is_asked_until_it_is_settled(
    make_bench, make_plan, make_client, *, store, script, state, attempts, code
):
    """A row that fails for now comes again in the next round, at most six times, and texts nobody twice."""
    bench = make_bench(make_plan(1), make_client({0: script})).run()

    assert bench.states() == [state]
    assert bench.client.attempts == [0] * attempts
    assert len(bench.client.texted) <= 1
    assert codes(store, bench.plan) == ({} if code is None else {0: code})


def test_rounds_wait_longer_and_longer(make_bench, make_plan, make_client):
    """Between the rounds the loop waits 1, 2, 4, 8 and 16 seconds, and not after the last."""
    bench = make_bench(make_plan(2), make_client("unsent")).run()

    assert bench.pauses == [1, 2, 4, 8, 16]
    assert bench.cause is None


def test_a_round_asks_every_open_row_once(make_bench, make_plan, make_client):
    """No row is asked twice in a round, and a settled row not in a later one."""
    rounds = []

    async def end_round(bench):
        rounds.append(bench.client.attempts[sum(map(len, rounds)) :])

    client = make_client({row: "unsent " * (row % 4) for row in range(12)})
    bench = make_bench(make_plan(12, rounds=4), client, on_pause=end_round).run()

    assert [sorted(asked) for asked in rounds] == [
        list(range(12)),
        [row for row in range(12) if row % 4 >= 1],
        [row for row in range(12) if row % 4 >= 2],
    ]
    assert bench.states() == [ACCEPTED] * 12


@pytest.mark.parametrize(("rows", "concurrency", "most"), [(40, 1, 1), (40, 7, 7), (3, 16, 3)])
def test_so_many_requests_are_under_way(make_bench, make_plan, make_client, *, rows, concurrency, most):
    """As many requests are under way at once as the campaign allows, and never more."""
    bench = make_bench(make_plan(rows, concurrency=concurrency), make_client()).run()

    assert bench.client.max_under_way == most
    assert bench.states() == [ACCEPTED] * rows


def test_the_history_of_a_row_goes_with_it(make_bench, make_plan, make_client):
    """Each attempt is told what the earlier ones have left behind of its txn_id."""
    client = make_client({0: "unsent silent unsent 109 unsent"})
    make_bench(make_plan(1), client).run()

    assert client.histories == [0, 0, 1, 1, 2, 2]


def test_failures_in_a_row_stop_the_loop(make_bench, make_plan, make_client):
    """So many failures in a row stop the loop, whatever kind they are; what is left waits for a later try."""
    words = dict(enumerate(["unsent", "silent", "109", "junk"] * 3))
    plan = make_plan(12, concurrency=1, max_consecutive_failures=10)
    bench = make_bench(plan, make_client(words)).run()

    assert bench.cause is TooManyFailuresError
    assert "10 attempts failed in a row" in str(bench.stop.cause)
    assert bench.client.attempts == list(range(10))
    assert bench.states()[10:] == [NEW, NEW]


@pytest.mark.parametrize("word", ["ok", "108"])
def test_a_receipt_ends_the_failures_in_a_row(make_bench, make_plan, make_client, word):
    """Failures between receipts, explained 108s among them, are the network's usual and stop nothing."""
    words = {row: "unsent" if row % 3 else word for row in range(12)}
    plan = make_plan(12, concurrency=1, max_consecutive_failures=3, rounds=1)
    bench = make_bench(plan, make_client(words), history=TxnIdHistory.MAYBE_ACCEPTED).run()

    assert bench.cause is None
    assert len(bench.client.attempts) == 12


def test_a_stop_before_the_start(make_bench, make_plan, make_client):
    """A loop that is told to stop before it runs sends nothing."""
    bench = make_bench(make_plan(5), make_client())
    bench.stop.set(CampaignStoppedError("told to stop"))
    bench.run()

    assert bench.client.attempts == []
    assert bench.states() == [NEW] * 5


def test_a_stop_in_the_middle(make_bench, make_plan, make_client, store):
    """After a stop no row is begun, and what is under way is finished and stored."""
    on_send = stop_at(10)
    bench = make_bench(make_plan(40, concurrency=4), make_client(on_send=on_send))
    on_send.bench = bench
    bench.run()

    taken = [row for row, state in enumerate(bench.states()) if state is ACCEPTED]
    assert taken == sorted(bench.client.attempts) == sorted(codes(store, bench.plan))
    assert 10 < len(taken) <= 14
    assert Counter(bench.states()) == {ACCEPTED: len(taken), NEW: 40 - len(taken)}


def test_a_stop_in_a_pause(make_bench, make_plan, make_client):
    """A stop between two rounds ends the pause at once, and no further round begins."""

    async def stop_and_wait(bench):
        bench.stop.set(CampaignStoppedError("told to stop"))
        await asyncio.Event().wait()

    bench = make_bench(make_plan(3), make_client("unsent"), on_pause=stop_and_wait).run()

    assert bench.pauses == [1]
    assert bench.client.attempts == [0, 1, 2]
    assert bench.states() == [UNREACHED] * 3


def test_an_answer_that_does_not_come(make_bench, make_plan, make_client, *, store, monkeypatch):
    """A stopped loop does not wait for ever: a row whose answer is awaited stays uncertain."""
    monkeypatch.setattr(send_loop, "GRACE_SECONDS", 0.01)

    async def stop_and_hang(attempt):
        if attempt == 2:
            bench.stop.set(CampaignStoppedError("told to stop"))
            await asyncio.Event().wait()

    bench = make_bench(make_plan(9, concurrency=1), make_client(on_send=stop_and_hang))
    bench.run()

    assert bench.states() == [ACCEPTED] * 2 + [SILENT] + [NEW] * 6
    assert codes(store, bench.plan) == {0: "7000/1", 1: "7001/1"}


def clock_that_ticks(start, **step):
    """Make a clock that goes on by one *step* each time it is read."""
    now = [start - timedelta(**step)]

    def read():
        now[0] += timedelta(**step)
        return now[0]

    return read


def test_the_window_closes_between_two_rows(make_bench, make_plan, make_client):
    """From the minute on at which the window closes no row is begun."""
    clock = clock_that_ticks(datetime(2026, 11, 24, 19, 50, tzinfo=UTC), minutes=1)
    plan = make_plan(30, concurrency=1, window=read_window("09:00-20:00 UTC"))
    bench = make_bench(plan, make_client(), clock=clock).run()

    assert bench.cause is SendWindowClosedError
    assert bench.client.attempts == list(range(9))
    assert bench.states()[9:] == [NEW] * 21


def test_the_window_is_closed_before_the_first_row(make_bench, make_plan, make_client):
    """A window that has closed while the audience was read lets nobody be texted at night."""
    night = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
    plan = make_plan(3, window=read_window("09:00-20:00 UTC"))
    bench = make_bench(plan, make_client(), clock=lambda: night).run()

    assert bench.cause is SendWindowClosedError
    assert bench.client.attempts == []


def test_the_window_closes_in_a_pause(make_bench, make_plan, make_client):
    """The window is judged again after a pause between two rounds."""
    now = [datetime(2026, 11, 24, 19, 59, 59, tzinfo=UTC)]

    async def wait(_bench):
        now[0] += timedelta(seconds=1)

    plan = make_plan(3, window=read_window("09:00-20:00 UTC"))
    bench = make_bench(plan, make_client("unsent"), clock=lambda: now[0], on_pause=wait).run()

    assert bench.cause is SendWindowClosedError
    assert bench.client.attempts == [0, 1, 2]
    assert bench.states() == [UNREACHED] * 3


def test_a_window_that_opens_lets_rows_begin(make_bench, make_plan, make_client):
    """A loop made a moment before the window opens begins when it is open."""
    clock = clock_that_ticks(datetime(2026, 11, 24, 8, 59, tzinfo=UTC), minutes=1)
    plan = make_plan(3, concurrency=1, window=read_window("09:00-20:00 UTC"))

    assert make_bench(plan, make_client(), clock=clock).run().states() == [ACCEPTED] * 3


@pytest.mark.parametrize(
    ("word", "error", "state"),
    [
        ("119", BalanceExhaustedError, NEW),
        ("108", DuplicateTransactionError, NEW),
        ("106", FinalRefusalError, RowState.ACCOUNT_REFUSED),
        ("107", FinalRefusalError, RowState.ACCOUNT_REFUSED),
        ("114", FinalRefusalError, RowState.ACCOUNT_REFUSED),
    ],
)
def test_what_would_happen_to_every_row_stops_the_loop(
    make_bench, make_plan, make_client, *, store, word, error, state
):
    """An empty balance, a collision and a refused account stop the loop at once, with that error."""
    bench = make_bench(make_plan(9, concurrency=1), make_client({3: word})).run()

    assert bench.cause is error
    assert bench.client.attempts == [0, 1, 2, 3]
    assert bench.states() == [ACCEPTED] * 3 + [state] + [NEW] * 5
    assert sorted(codes(store, bench.plan)) == [0, 1, 2]


def test_a_lost_answer_stays_uncertain_when_the_account_is_refused(
    make_bench, make_plan, make_client, *, store
):
    """A row that may have been accepted is not called refused because the account is blocked now."""
    bench = make_bench(make_plan(2, concurrency=1), make_client({0: "silent 105", 1: "109! 105"})).run()

    assert bench.cause is FinalRefusalError
    assert bench.states() == [SILENT, BUSY]
    assert codes(store, bench.plan) == {1: "refused"}


def test_a_108_is_read_in_the_light_of_earlier_tries(make_bench, make_plan, make_client):
    """What an earlier try may have sent counts as accepted, and nobody is texted again."""
    plan, client = make_plan(3), make_client()
    client.taken = {plan.txn_ids.make(row_key) for _, _, row_key in plan.audience.read_row_keys()}
    bench = make_bench(plan, client, history=TxnIdHistory.MAYBE_ACCEPTED).run()

    assert bench.states() == [LOST] * 3
    assert client.texted == []


def test_a_worker_that_crashes_stops_the_others(make_bench, make_plan, make_client, store):
    """An error of our own comes out as it is, after the others have finished; its row stays uncertain."""
    bench = make_bench(make_plan(40, concurrency=4), make_client({5: "crash"}))

    with pytest.raises(RuntimeError, match="a worker's own fault"):
        bench.run()

    assert bench.cause is CampaignStoppedError
    assert bench.states()[5] is SILENT
    begun = [row for row, state in enumerate(bench.states()) if state is ACCEPTED]
    assert sorted(codes(store, bench.plan)) == begun
    assert len(begun) < 12


def test_an_unsendable_row_is_left_out(make_bench, make_plan, make_client, store):
    """A row whose request cannot be built is rejected, and the campaign goes on."""

    async def refuse(attempt):
        if attempt == 1:
            raise InvalidMessageError("the URL is too long")

    bench = make_bench(make_plan(3, concurrency=1), make_client(on_send=refuse)).run()

    assert bench.states() == [ACCEPTED, RowState.UNSENDABLE, ACCEPTED]
    assert sorted(codes(store, bench.plan)) == [0, 2]
    assert bench.cause is None


def test_requests_keep_their_distance(make_bench, make_plan, make_client):
    """With a highest rate requests begin evenly, however many workers there are."""
    moments = []

    async def note_time(_attempt):
        moments.append(asyncio.get_running_loop().time())

    plan = make_plan(6, concurrency=6, max_rate=200.0)
    bench = make_bench(plan, make_client(on_send=note_time)).run()

    assert bench.states() == [ACCEPTED] * 6
    assert moments[-1] - moments[0] > 4.5 / 200


def test_a_stop_reaches_a_worker_that_waits_for_its_turn(make_bench, make_plan, make_client, monkeypatch):
    """A row that waits for the rate when the loop is stopped is not begun."""
    monkeypatch.setattr(send_loop, "GRACE_SECONDS", 0.01)
    on_send = stop_at(0)
    bench = make_bench(make_plan(3, concurrency=3, max_rate=0.1), make_client(on_send=on_send))
    on_send.bench = bench
    bench.run()

    assert bench.client.attempts == [0]
    assert bench.states() == [ACCEPTED, NEW, NEW]


def test_billed_parts_are_compared_with_estimated_ones(make_bench, make_plan, make_client):
    """Only messages whose bill is known are compared: neither a lost answer nor one without parts."""
    client = make_client({0: "ok3", 1: "ok", 2: "ok0", 3: "lost"})
    bench = make_bench(make_plan(4), client).run()

    assert (bench.loop.estimated_parts, bench.loop.billed_parts) == (2, 4)
    assert [bench.rows.parts(row) for row in range(4)] == [3, 1, None, None]
    assert bench.rows.total_parts == 4


def test_the_store_keeps_up_with_the_workers(make_bench, make_plan, make_client, *, store):
    """All rows are stored, and a killed task would forget two chunks at most."""
    behind = []
    write_now = store.set

    def set_and_count(key, value):
        written = sum(len(value) for key, value in store.values.items())
        behind.append(len(bench.client.attempts) - written)
        write_now(key, value)

    store.set = set_and_count
    bench = make_bench(make_plan(5000, concurrency=50), make_client())
    bench.run()

    assert bench.states() == [ACCEPTED] * 5000
    assert len(codes(store, bench.plan)) == 5000
    assert max(behind) <= 2 * MAX_UNWRITTEN


def test_a_store_that_fails_stops_nobody(make_bench, make_plan, make_client, store):
    """Messages go out while the store is away; the next try reads a 108 for each of them."""
    store.left = 0
    bench = make_bench(make_plan(5), make_client()).run()

    assert bench.states() == [ACCEPTED] * 5
    assert store.values == {}


def test_settled_and_rejected_rows_are_not_asked(make_bench, make_plan, make_client, store):
    """What an earlier try has settled, and what the audience has rejected, takes no attempt."""
    plan = make_plan(4, rejected=[1])
    first = make_bench(plan, make_client({0: "109! " * 2, 3: "unsent " * 6})).run()
    assert first.states() == [UNDECIDED, RowState.REJECTED, ACCEPTED, UNREACHED]

    second = make_bench(plan, make_client(), history=TxnIdHistory.MAYBE_ACCEPTED).run()

    assert second.client.attempts == [3]
    assert second.states() == [UNDECIDED, RowState.REJECTED, ACCEPTED, ACCEPTED]
