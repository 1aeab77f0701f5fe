"""When the journal is written, and who waits for it."""

import asyncio
import threading

import pytest

from airflow_provider_osonsms.campaign import journal as journals
from airflow_provider_osonsms.campaign.journal import (
    ENTRIES_PER_FLUSH,
    MAX_UNWRITTEN,
    CampaignJournal,
    JournalFlusher,
    JournalUnavailableError,
)
from airflow_provider_osonsms.campaign.store_chunks import StoreChunks
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id


def run_flusher(store, use, *, reserve=16, before_flush=lambda: None):
    """Let *use* add entries to a flusher while it lasts, and return the journal."""
    chunks = StoreChunks(store, store_key="c", try_number=1)
    journal = CampaignJournal([chunks], history=TxnIdHistory.UNUSED)

    async def main():
        async with JournalFlusher(journal, reserve=reserve, before_flush=before_flush) as flusher:
            await use(flusher)

    asyncio.run(main())
    return journal


def add_many(flusher, count):
    """Add *count* new entries."""
    start = flusher._journal.unwritten
    for number in range(start, start + count):
        flusher.add(make_txn_id(number), "7/1/0/1")


def test_the_rest_is_flushed_at_the_end(make_store):
    """When the block ends, what was added in it is written, however little."""
    store = make_store()

    async def use(flusher):
        await asyncio.sleep(0)
        add_many(flusher, 3)

    journal = run_flusher(store, use)

    assert len(store.values["c_1_0"]) == 3
    assert journal.unwritten == 0


def test_what_is_found_out_before_a_flush_is_in_it(make_store):
    """Answers that nobody has read yet are read before each flush, the last one too."""
    store = make_store()
    unread = [7, 8]
    flushers = []

    def read():
        while unread:
            flushers[0].add(make_txn_id(unread.pop()), "7/1/0/1")

    async def use(flusher):
        flushers.append(flusher)
        await asyncio.sleep(0)

    journal = run_flusher(store, use, before_flush=read)

    assert len(store.values["c_1_0"]) == 2
    assert journal.unwritten == 0


def test_what_comes_too_late_for_the_flusher_is_written_at_the_close(make_store):
    """Entries that come while the last chunk is written, or before the flusher runs, wait for the close."""
    store = make_store()

    async def use(flusher):
        add_many(flusher, 3)

    journal = run_flusher(store, use)
    journal.finish(may_have_sent=True)

    assert len(store.values["c_1_0"]) == 3


def test_a_full_chunk_is_flushed_at_once(make_store):
    """A thousand entries are written without waiting for the second to end, and fewer are not."""
    store = make_store()
    seen = []

    async def use(flusher):
        is_written, loop = asyncio.Event(), asyncio.get_running_loop()
        write_now = store.set

        def set_and_tell(key, value):
            write_now(key, value)
            loop.call_soon_threadsafe(is_written.set)

        store.set = set_and_tell
        add_many(flusher, ENTRIES_PER_FLUSH - 1)
        for _ in range(10):
            await asyncio.sleep(0)
        seen.append(dict(store.values))
        add_many(flusher, 1)
        await is_written.wait()
        seen.append(dict(store.values))

    run_flusher(store, use)

    assert seen[0] == {}
    assert len(seen[1]["c_1_0"]) == ENTRIES_PER_FLUSH


def test_what_comes_just_before_a_flush_makes_no_other_one_due(make_store, monkeypatch):
    """A flush that is due takes in what is read before it, in one value."""
    monkeypatch.setattr(journals, "SECONDS_BETWEEN_FLUSHES", 60)
    store, flushers = make_store(), []

    def read():
        if len(flushers) == 1:
            add_many(flushers[0], 5)
            flushers.append(None)

    async def use(flusher):
        flushers.append(flusher)
        add_many(flusher, ENTRIES_PER_FLUSH)
        for _ in range(2000):
            if "c_1_0" in store.values:
                break
            await asyncio.sleep(0.001)
        add_many(flusher, 1)
        await asyncio.sleep(0.05)
        assert "c_1_1" not in store.values

    run_flusher(store, use, before_flush=read)

    assert len(store.values["c_1_0"]) == ENTRIES_PER_FLUSH + 5
    assert len(store.values["c_1_1"]) == 1


def test_nobody_waits_for_a_flush_that_is_not_due(make_store, monkeypatch):
    """What lets the workers wait is written at once, even if it fills no chunk: so many may be under way."""
    monkeypatch.setattr(journals, "SECONDS_BETWEEN_FLUSHES", 60)
    store = make_store()

    async def use(flusher):
        add_many(flusher, 936)
        assert not flusher.is_ready.is_set()
        await asyncio.wait_for(flusher.is_ready.wait(), 5)

    run_flusher(store, use, reserve=1064)

    assert len(store.values["c_1_0"]) == 936


def test_workers_wait_for_a_slow_store(make_store):
    """While the store is too far behind it is not ready; what is under way fits below the limit."""
    store = make_store()
    may_write = threading.Event()
    write_now = store.set
    store.set = lambda key, value: may_write.wait() and write_now(key, value)
    readiness = []

    async def use(flusher):
        add_many(flusher, MAX_UNWRITTEN - 17)
        readiness.append(flusher.is_ready.is_set())
        add_many(flusher, 1)
        readiness.append(flusher.is_ready.is_set())
        add_many(flusher, 16)
        await asyncio.sleep(0)
        readiness.append(flusher.is_ready.is_set())
        may_write.set()
        await flusher.is_ready.wait()
        readiness.append(flusher.is_ready.is_set())

    journal = run_flusher(store, use, reserve=16)

    assert readiness == [True, False, False, True]
    assert sum(len(value) for _, value in store.written) == MAX_UNWRITTEN
    assert journal.unwritten == 0


def test_the_flusher_outlives_a_store_that_fails(make_store):
    """Workers are let on again when a chunk could not be written: the messages come first."""
    store = make_store(fails_from=0)

    async def use(flusher):
        add_many(flusher, MAX_UNWRITTEN)
        await asyncio.wait_for(flusher.is_ready.wait(), 1)

    journal = run_flusher(store, use)

    assert (journal.unwritten, journal.is_behind) == (0, True)


def test_the_next_rows_are_named_after_all_results(store):
    """The mark of a group takes the place of the one before, so the results of that are written first."""
    chunks = StoreChunks(store, store_key="c", try_number=1)
    journal = CampaignJournal([chunks])

    async def run() -> None:
        async with JournalFlusher(journal, reserve=0, before_flush=lambda: None) as flusher:
            await flusher.mark_next(["a" * 32, "b" * 32])
            flusher.add("a" * 32, "lost_or_capped")
            await flusher.mark_next(["c" * 32])
            assert store.values["c_1"]["handful"] == {"c" * 16: "unanswered"}
            assert store.values["c_1_0"] == {"a" * 16: "lost_or_capped"}

    asyncio.run(run())


def test_rows_are_not_named_before_their_results(store, monkeypatch):
    """While results cannot be written, no other rows are named, and none of them is sent."""
    monkeypatch.setattr(journals, "PAUSES_FOR_BACKENDS", (0.0,))
    chunks = StoreChunks(store, store_key="c", try_number=1)
    journal = CampaignJournal([chunks])
    journal.mark_next(["a" * 32])
    journal.add("a" * 32, "capped")

    def fail(_entries: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(chunks, "append", fail)
    with pytest.raises(JournalUnavailableError):
        journal.mark_next(["b" * 32])
    assert store.values["c_1"]["handful"] == {"a" * 16: "unanswered"}


@pytest.mark.parametrize(
    ("result", "known"),
    [("capped", ["capped"]), ("refused", ["refused", "unanswered"]), ("7/1/2/1", ["7/1/2/1"])],
)
def test_a_result_settles_the_mark_of_its_own_try(store, result, known):
    """The rows of a killed group are in doubt; those that the same try has settled are not."""
    journal = CampaignJournal([StoreChunks(store, store_key="c", try_number=1)])
    journal.mark_next(["a" * 32, "b" * 32])
    journal.flush({"a" * 32: result})

    entries = list(StoreChunks(store, store_key="c", try_number=2).read())

    assert sorted(code for key, code in entries if key == "a" * 16) == known
    assert [code for key, code in entries if key == "b" * 16] == ["unanswered"]
