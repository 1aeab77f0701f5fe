"""The send loop: whom it asks again, how fast, and what stands in the journal afterwards."""

import asyncio
import threading
from collections import Counter

import pytest

from airflow_provider_osonsms.campaign.journal import MAX_UNWRITTEN
from airflow_provider_osonsms.campaign.rows import RowState
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.history import TxnIdHistory

ACCEPTED, LOST, UNDECIDED = RowState.ACCEPTED, RowState.ANSWER_LOST, RowState.UNDECIDED
TAKEN = RowState.KEY_TAKEN
NEW, UNREACHED, BUSY, SILENT = (state for state in RowState if state.is_open)


def test_everybody_is_asked_once(make_bench, make_plan, make_client, make_code):
    """When all goes well each row takes one attempt, and each msg_id stands in the journal."""
    bench = make_bench(make_plan(40), make_client()).run()

    assert Counter(bench.client.attempts) == Counter(range(40))
    assert bench.states() == [ACCEPTED] * 40
    assert (bench.pauses, bench.cause) == ([], None)
    assert bench.codes() == {row: make_code(7000 + row) for row in range(40)}


@pytest.mark.parametrize(
    ("script", "state", "attempts", "code"),
    [
        ("ok", ACCEPTED, 1, None),
        ("unsent ok", ACCEPTED, 2, None),
        ("109 ok", ACCEPTED, 2, None),
        ("silent ok", ACCEPTED, 2, None),
        ("junk 112 unsent silent 113 ok", ACCEPTED, 6, None),
        ("lost", LOST, 2, "lost"),
        ("unsent lost unsent", LOST, 4, "lost"),
        ("109!", UNDECIDED, 2, "undecided"),
        ("lost 109", LOST, 2, "lost"),
        ("109 lost", UNDECIDED, 3, "undecided"),
        ("109! unsent", UNDECIDED, 3, "undecided"),
        ("unsent " * 7, UNREACHED, 7, None),
        ("109 " * 7, BUSY, 7, "refused"),
        ("silent " * 7, SILENT, 7, "unanswered"),
        ("silent 109 " + "unsent " * 5, SILENT, 7, "unanswered_after_refusal"),
        ("109" + " unsent" * 6, BUSY, 7, "refused"),
    ],
)
def test_a_row_is_asked_until_it_is_settled(
    make_bench, make_plan, make_client, make_code, *, script, state, attempts, code
):
    """A row that fails comes again in each of six rounds, after it went alone, and texts nobody twice."""
    bench = make_bench(make_plan(1), make_client({0: script})).run()

    code = make_code() if state is ACCEPTED else code
    assert bench.states() == [state]
    assert bench.client.attempts == [0] * attempts
    assert len(bench.client.texted) <= 1
    assert bench.codes() == ({} if code is None else {0: code})


def test_rounds_wait_longer_and_longer(make_bench, make_plan, make_client):
    """Between the rounds the loop waits 1, 2, 4, 8 and 16 seconds, and not after the last."""
    bench = make_bench(make_plan(2), make_client("unsent")).run()

    assert bench.pauses == [1, 2, 4, 8, 16]
    assert bench.cause is None


def test_a_round_asks_every_open_row_once(make_bench, make_plan, make_client):
    """No row is asked twice in a round, and a settled row not in a later one; the first row went alone."""
    rounds = []

    async def end_round(bench):
        rounds.append(bench.client.attempts[1 + sum(map(len, rounds)) :])

    client = make_client({0: "unsent", **{row: "unsent " * (row % 4) for row in range(1, 12)}})
    bench = make_bench(make_plan(12, rounds=4), client, on_pause=end_round).run()

    assert bench.client.attempts[0] == 0

    assert [sorted(asked) for asked in rounds] == [
        list(range(12)),
        [row for row in range(12) if row % 4 >= 1],
        [row for row in range(12) if row % 4 >= 2],
    ]
    assert bench.states() == [ACCEPTED] * 12


@pytest.mark.parametrize(("rows", "concurrency", "most"), [(40, 1, 1), (40, 7, 7), (4, 16, 3)])
def test_so_many_requests_are_under_way(make_bench, make_plan, make_client, *, rows, concurrency, most):
    """As many requests are under way at once as the campaign allows, and never more; the first goes alone."""
    bench = make_bench(make_plan(rows, concurrency=concurrency), make_client()).run()

    assert bench.client.max_under_way == most
    assert bench.states() == [ACCEPTED] * rows


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("unsent 108", TAKEN),
        ("unsent silent 108", LOST),
        ("silent unsent 108", LOST),
        ("unsent 109 108", UNDECIDED),
        ("silent unsent 109 unsent 108", UNDECIDED),
    ],
)
def test_a_108_is_read_in_the_light_of_earlier_attempts(make_bench, make_plan, make_client, *, words, state):
    """What the earlier attempts have left behind of a txn_id explains its 108."""
    bench = make_bench(make_plan(2), make_client({1: words})).run()

    assert bench.states() == [ACCEPTED, state]
    assert bench.client.texted == [0]


def test_a_108_is_read_in_the_light_of_earlier_tries(make_bench, make_plan, make_client):
    """What an earlier try may have sent counts as accepted, and nobody is texted again."""
    plan, client = make_plan(3), make_client()
    client.taken = {plan.txn_ids.make(row_key) for _, _, row_key in plan.audience.read_row_keys()}
    bench = make_bench(plan, client, history=TxnIdHistory.MAYBE_ACCEPTED).run()

    assert bench.states() == [LOST] * 3
    assert client.texted == []


def test_an_unsendable_row_is_left_out(make_bench, make_plan, make_client):
    """A row whose request cannot be built is rejected, and the campaign goes on."""

    async def refuse(attempt):
        if attempt == 1:
            raise InvalidMessageError("the URL is too long")

    bench = make_bench(make_plan(3, concurrency=1), make_client(on_send=refuse)).run()

    assert bench.states() == [ACCEPTED, RowState.UNSENDABLE, ACCEPTED]
    assert sorted(bench.codes()) == [0, 2]
    assert bench.cause is None


def test_requests_keep_their_distance(make_bench, make_plan, make_client):
    """With a highest rate requests begin evenly, however many workers there are."""
    moments = []

    async def note_time(_attempt):
        moments.append(bench.seconds)

    bench = make_bench(make_plan(6, concurrency=6, max_rate=4.0), make_client(on_send=note_time))
    bench.run()

    assert bench.states() == [ACCEPTED] * 6
    assert all(moment >= number / 4 for number, moment in enumerate(moments))
    assert bench.seconds == 5 / 4


def test_billed_parts_are_compared_with_estimated_ones(make_bench, make_plan, make_client):
    """Only messages whose bill is known are compared: neither a lost answer nor one without parts."""
    client = make_client({0: "ok3", 1: "ok", 2: "ok0", 3: "lost"})
    bench = make_bench(make_plan(4), client).run()

    assert (bench.loop.answers.estimated_parts, bench.loop.answers.billed_parts) == (2, 4)
    assert [bench.rows.parts(row) for row in range(4)] == [3, 1, None, None]
    assert bench.rows.total_parts == 4


def test_workers_wait_for_the_store(make_bench, make_plan, make_client, store):
    """While the store takes nothing in, rows are begun up to the journal's limit, and the rest afterwards.

    A killed task forgets the chunk under way and what came after it, and no more.
    """
    may_write, begun = threading.Event(), []
    may_write.set()
    write_now = store.set
    store.set = lambda key, value: may_write.wait(5) and write_now(key, value)

    async def release_later():
        for _ in range(500):  # of which each gives every worker a turn
            await asyncio.sleep(0)
        begun.append(len(bench.client.attempts))
        may_write.set()

    async def on_send(attempt):
        if attempt == 10:
            may_write.clear()
            bench.releasing = asyncio.create_task(release_later())

    bench = make_bench(make_plan(6000, concurrency=50), make_client(on_send=on_send))
    bench.run()

    assert begun[0] <= 2 * MAX_UNWRITTEN
    assert bench.states() == [ACCEPTED] * 6000
    assert len(bench.codes()) == 6000


def test_a_store_that_fails_stops_nobody(make_bench, make_plan, make_client, store):
    """Messages go out while the store is away; the next try reads a 108 for each of them."""
    store.left = 3  # that it has started is written, or nothing would be sent
    bench = make_bench(make_plan(5), make_client()).run()

    assert bench.states() == [ACCEPTED] * 5
    assert bench.codes() == {}
    assert bench.journal.is_behind


def test_settled_and_rejected_rows_are_not_asked(make_bench, make_plan, make_client):
    """What an earlier try has settled, and what the audience has rejected, takes no attempt."""
    plan = make_plan(4, rejected=[1])
    first = make_bench(plan, make_client({0: "109! " * 2, 3: "unsent " * 7})).run()
    assert first.states() == [UNDECIDED, RowState.REJECTED, ACCEPTED, UNREACHED]

    second = make_bench(plan, make_client(), history=TxnIdHistory.MAYBE_ACCEPTED, try_number=2).run()

    assert second.client.attempts == [3]
    assert second.states() == [UNDECIDED, RowState.REJECTED, ACCEPTED, ACCEPTED]
