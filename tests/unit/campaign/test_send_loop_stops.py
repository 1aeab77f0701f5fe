"""What stops the send loop, and what is left for a later try."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.campaign import journal as journals
from airflow_provider_osonsms.campaign import send_loop
from airflow_provider_osonsms.campaign.answers import TooManyFailuresError
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError
from airflow_provider_osonsms.campaign.rows import RowState
from airflow_provider_osonsms.campaign.send_loop import SendWindowClosedError
from airflow_provider_osonsms.preflight.window import read_window
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    FinalRefusalError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory

ACCEPTED = RowState.ACCEPTED
NEW, UNREACHED, BUSY, SILENT = (state for state in RowState if state.is_open)


def stop_at(number, make_error=lambda: CampaignStoppedError("told to stop")):
    """Make what stops a bench when attempt *number* begins; the bench is hung on afterwards."""

    async def on_send(attempt):
        if attempt == number:
            on_send.bench.stop.set(make_error())

    return on_send


def test_failures_in_a_row_stop_the_loop(make_bench, make_plan, make_client):
    """So many failures in a row stop the loop, whatever kind they are; what is left waits for a later try."""
    words = dict(enumerate(["unsent unsent", "silent", "109", "junk"] * 3))
    plan = make_plan(12, concurrency=1, max_consecutive_failures=10)
    bench = make_bench(plan, make_client(words)).run()

    assert bench.cause is TooManyFailuresError
    assert "10 attempts failed in a row" in str(bench.stop.cause)
    assert bench.client.attempts == [0, *range(9)]  # the first goes alone, and again with the others
    assert bench.states()[9:] == [NEW] * 3


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


def test_a_stop_in_the_middle(make_bench, make_plan, make_client):
    """After a stop no row is begun, and what is under way is finished and stored."""
    on_send = stop_at(10)
    bench = make_bench(make_plan(40, concurrency=4), make_client(on_send=on_send))
    on_send.bench = bench
    bench.run()

    taken = [row for row, state in enumerate(bench.states()) if state is ACCEPTED]
    assert taken == sorted(bench.client.attempts) == sorted(bench.codes())
    assert 10 < len(taken) <= 14
    assert Counter(bench.states()) == {ACCEPTED: len(taken), NEW: 40 - len(taken)}


def test_a_stop_in_a_pause(make_bench, make_plan, make_client):
    """A stop between two rounds ends the pause at once, and no further round begins."""

    async def stop_and_wait(bench):
        bench.stop.set(CampaignStoppedError("told to stop"))
        await asyncio.Event().wait()

    bench = make_bench(make_plan(3), make_client("unsent"), on_pause=stop_and_wait).run()

    assert bench.pauses == [1]
    assert bench.client.attempts == [0, 0, 1, 2]  # the first went alone before
    assert bench.states() == [UNREACHED] * 3


def test_an_answer_that_does_not_come(make_bench, make_plan, make_client, make_code, *, monkeypatch):
    """A stopped loop does not wait for ever: a row whose answer is awaited stays uncertain."""
    monkeypatch.setattr(send_loop, "GRACE_SECONDS", 0.01)

    async def stop_and_hang(attempt):
        if attempt == 2:
            bench.stop.set(CampaignStoppedError("told to stop"))
            await asyncio.Event().wait()

    bench = make_bench(make_plan(9, concurrency=1), make_client(on_send=stop_and_hang))
    bench.run()

    assert bench.states() == [ACCEPTED] * 2 + [SILENT] + [NEW] * 6
    assert bench.codes() == {0: make_code(7000), 1: make_code(7001)}


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
    assert bench.client.attempts == [0, 0, 1, 2]  # the first went alone before
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
        ("106", FinalRefusalError, RowState.ACCOUNT_REFUSED),
        ("107", FinalRefusalError, RowState.ACCOUNT_REFUSED),
        ("114", FinalRefusalError, RowState.ACCOUNT_REFUSED),
    ],
)
def test_what_would_happen_to_every_row_stops_the_loop(
    make_bench, make_plan, make_client, *, word, error, state
):
    """An empty balance and a refused account stop the loop at once, with that error."""
    bench = make_bench(make_plan(9, concurrency=1), make_client({3: word})).run()

    assert bench.cause is error
    assert bench.client.attempts == [0, 1, 2, 3]
    assert bench.states() == [ACCEPTED] * 3 + [state] + [NEW] * 5
    assert sorted(bench.codes()) == [0, 1, 2]


def test_a_lost_answer_stays_uncertain_when_the_account_is_refused(make_bench, make_plan, make_client):
    """A row that may have been accepted is not called refused because the account is blocked now."""
    client = make_client({0: "silent silent 105", 1: "109! 105"})
    bench = make_bench(make_plan(2, concurrency=1), client).run()

    assert bench.cause is FinalRefusalError
    assert bench.states() == [SILENT, BUSY]
    assert bench.codes() == {0: "unanswered", 1: "refused"}


def test_a_worker_that_crashes_stops_the_others(make_bench, make_plan, make_client):
    """An error of our own comes out as it is, after the others have finished; its row stays uncertain."""
    bench = make_bench(make_plan(40, concurrency=4), make_client({5: "crash"}))

    with pytest.raises(RuntimeError, match="a worker's own fault"):
        bench.run()

    assert bench.cause is CampaignStoppedError
    assert bench.states()[5] is SILENT
    begun = [row for row, state in enumerate(bench.states()) if state is ACCEPTED]
    assert sorted(bench.codes()) == begun
    assert len(begun) < 12


def test_a_stop_reaches_a_worker_that_waits_for_its_turn(make_bench, make_plan, make_client, monkeypatch):
    """A row that waits for the rate when the loop is stopped is not begun."""
    monkeypatch.setattr(send_loop, "GRACE_SECONDS", 0.01)
    on_send = stop_at(0)
    bench = make_bench(make_plan(3, concurrency=3, max_rate=0.1), make_client(on_send=on_send))
    on_send.bench = bench
    bench.run()

    assert bench.client.attempts == [0]
    assert bench.states() == [ACCEPTED, NEW, NEW]


@pytest.mark.parametrize("defects", [{30}, {30, 31, 33, 50}])
@pytest.mark.parametrize("words", [{}, {34: "109!"}], ids=["accepted", "refused for now"])
def test_answers_whose_reading_crashes_stop_the_campaign(
    make_bench, make_plan, make_client, *, defects, words
):
    """A defect that shows when answers are read ends the campaign, and all other answers are kept.

    A 109 among them, too: without it, a later try would take the 108 of its row for an acceptance.
    """
    bench = make_bench(make_plan(200, concurrency=4), make_client(words))
    keep = bench.rows.keep_acceptance

    def crash(position, acceptance):
        if position in defects:
            raise RuntimeError("a defect")
        keep(position, acceptance)

    bench.rows.keep_acceptance = crash
    with pytest.raises(RuntimeError, match="a defect"):
        bench.run()

    attempted = set(bench.client.attempts)
    assert len(attempted) < 80
    assert bench.cause is CampaignStoppedError
    assert {row for row, state in enumerate(bench.states()) if state is SILENT} == defects & attempted
    assert {row for row, state in enumerate(bench.states()) if state is BUSY} == set(words)
    assert bench.codes().keys() == attempted - defects


@pytest.mark.parametrize(
    ("word", "error", "attempts"),
    [("119", BalanceExhaustedError, 7), ("105", FinalRefusalError, 7), ("junk", TooManyFailuresError, 9)],
)
def test_a_201_that_accepts_nothing_stops_the_loop_at_once(
    make_bench, make_plan, make_client, *, word, error, attempts
):
    """Behind a proxy that gives each answer the status 201, no more rows are begun than without it."""
    client = make_client(dict.fromkeys(range(6, 100), word))
    exchange = client.exchange

    async def exchange_through_proxy(message):
        return replace(await exchange(message), status=201)

    client.exchange = exchange_through_proxy
    bench = make_bench(make_plan(100, concurrency=1, max_consecutive_failures=3), client).run()

    assert bench.cause is error
    assert len(client.attempts) == attempts


def test_acceptances_are_in_the_store_within_a_second(make_bench, make_plan, make_client, *, monkeypatch):
    """Answers that wait for others wait for the next flush of the journal at most."""
    monkeypatch.setattr(journals, "SECONDS_BETWEEN_FLUSHES", 0.01)
    stored = []

    async def wait_and_look(attempt):
        for _ in range(500 if attempt == 9 else 0):
            stored.append(len(bench.codes()))
            if stored[-1] == 9:
                break
            await asyncio.sleep(0.01)

    bench = make_bench(make_plan(12, concurrency=1), make_client(on_send=wait_and_look))
    bench.run()

    assert stored[-1] == 9
    assert bench.states() == [ACCEPTED] * 12
