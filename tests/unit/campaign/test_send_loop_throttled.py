"""A gateway that asks to slow down: it is no failure, the row comes again, and nobody is texted twice."""

import logging
from collections import Counter

import pytest

from airflow_provider_osonsms.campaign.answers import SECONDS_OF_PATIENCE, ThrottledTooLongError
from airflow_provider_osonsms.campaign.rows import RowState
from airflow_provider_osonsms.protocol.history import TxnIdHistory

ACCEPTED, LOST = RowState.ACCEPTED, RowState.ANSWER_LOST
NEW, UNREACHED, _, SILENT = (state for state in RowState if state.is_open)


@pytest.mark.parametrize(
    ("word", "state"), [("429 ", ACCEPTED), ("503 ", ACCEPTED), ("503! ", LOST), ("429 503! 429 ", LOST)]
)
def test_a_row_comes_again_in_the_same_round(make_bench, make_plan, make_client, *, word, state):
    """However often a row is turned away, it comes again at once, with its txn_id, and is texted once."""
    script = dict.fromkeys(range(12), word * 9)
    plan = make_plan(12, rounds=1, max_consecutive_failures=1)
    bench = make_bench(plan, make_client(script)).run()

    assert bench.cause is None
    assert bench.states() == [state] * 12
    assert Counter(bench.client.texted) == Counter(range(12))


@pytest.mark.parametrize("word", ["429", "503"])
def test_it_is_no_failure(make_bench, make_plan, make_client, word):
    """Neither do they count as failures in a row, nor do they end a row of failures."""
    words = dict.fromkeys(range(12), f"{word} unsent")
    plan = make_plan(12, concurrency=1, max_consecutive_failures=13, rounds=1)
    bench = make_bench(plan, make_client({**words, 0: "unsent unsent"})).run()

    assert "13 attempts failed in a row" in str(bench.stop.cause)


@pytest.mark.parametrize(("word", "left"), [("429", UNREACHED), ("503", SILENT)])
def test_ten_minutes_without_an_acceptance_stop_it(make_bench, make_plan, make_client, *, word, left):
    """A gateway that turns away every row for ten minutes stops the loop, and all rows are left."""
    bench = make_bench(make_plan(3, concurrency=1), make_client(word)).run()

    assert bench.cause is ThrottledTooLongError
    assert "accepted nothing for 10 minutes" in str(bench.stop.cause)
    assert SECONDS_OF_PATIENCE <= bench.seconds < SECONDS_OF_PATIENCE + 5
    assert bench.states() == [left, NEW, NEW]


def test_one_acceptance_in_ten_minutes_is_enough(make_bench, make_plan, make_client):
    """As long as somebody is accepted now and then, the loop goes on for hours."""
    client = make_client(dict.fromkeys(range(20), "429 " * 9))
    client.retry_after = 60.0
    bench = make_bench(make_plan(20, concurrency=1), client).run()

    assert (bench.cause, bench.states()) == (None, [ACCEPTED] * 20)
    assert bench.seconds >= 20 * 9 * 60


def test_the_pause_is_obeyed(make_bench, make_plan, make_client):
    """Nobody begins a row before the pause is over that the gateway has asked for."""
    moments = []

    async def note_time(attempt):
        moments.append(bench.seconds)

    client = make_client({0: "429"}, on_send=note_time)
    client.retry_after = 30.0
    bench = make_bench(make_plan(4, concurrency=4), client)
    bench.run()

    assert moments[0] == 0
    assert min(moments[1:]) >= 30


def test_a_set_rate_is_halved_and_comes_back(make_bench, make_plan, make_client):
    """Each time the rate is halved, then it grows step by step, and never above the one that is set."""
    rates = []

    async def note_rate(attempt):
        rates.append(bench.loop.limiter.rate)

    client = make_client({5: "429", 40: "429"}, on_send=note_rate)
    bench = make_bench(make_plan(200, concurrency=1, max_rate=20.0), client)
    bench.run()

    first = rates.index(10.0)
    assert rates[:first] == [20.0] * first
    assert rates[first : first + 20] == sorted(rates[first : first + 20])
    assert max(rates) == rates[-1] == 20.0
    assert bench.loop.limiter.throttled == 2


def test_a_stop_ends_the_pause(make_bench, make_plan, make_client):
    """A task that is told to stop does not wait for the end of a minute."""
    client = make_client("429")
    client.retry_after = 60.0

    async def stop(bench):
        bench.stop.set(ThrottledTooLongError("told to stop"))

    bench = make_bench(make_plan(5), client, on_pause=stop).run()

    assert bench.client.attempts == [0]
    assert bench.seconds <= 1


def test_a_throttled_handful_proves_nothing(make_bench, make_plan, make_client):
    """First rows that are turned away come again alone: if all are taken then, nothing is sent."""
    plan, client = make_plan(9), make_client(dict.fromkeys(range(9), "429"))
    client.taken = {plan.txn_ids.make(row_key) for _, _, row_key in plan.audience.read_row_keys()}
    client._next_word = lambda row, words=client.script: words[row].pop() if words[row] else "ok"
    bench = make_bench(plan, client).run()

    assert bench.cause.__name__ == "TxnIdsTakenError"
    assert client.attempts == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert bench.states() == [NEW] * 9


def test_the_log_says_so_once_a_minute(make_bench, make_plan, make_client, caplog):
    """Hundreds of refusals are a line a minute."""
    with caplog.at_level(logging.WARNING, "airflow_provider_osonsms.client.rate"):
        bench = make_bench(make_plan(1), make_client("429"), history=TxnIdHistory.UNUSED).run()

    assert len(bench.client.attempts) > 500
    assert len(caplog.records) == 11
    assert "asks to slow down (HTTP 429" in caplog.text
