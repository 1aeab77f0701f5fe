"""The journal in the task's state store: chunks by try, which neither holes nor zombies take away."""

import json

import pytest

from airflow_provider_osonsms.campaign.store_chunks import StoreChunks
from airflow_provider_osonsms.exactly_once.store import KeysChangedError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id

UNUSED, MAYBE_ACCEPTED, MAYBE_CONSUMED = TxnIdHistory
STORE_LIMIT = 64 * 1024
LONGEST_CODE = f"{'9' * 64}/65535/4294967295/255"


def open_chunks(store, *, try_number=1, store_key="c"):
    """Open the chunks of a campaign as one of its tries does, and read them."""
    chunks = StoreChunks(store, store_key=store_key, try_number=try_number)
    chunks.entries = dict(chunks.read())
    return chunks


def make_entries(count, code="7/1/1764072000/1", *, first=0):
    """Make entries of *count* rows."""
    return {make_txn_id(number): code for number in range(first, first + count)}


def shorten(*entries):
    """Return what is read back of *entries*."""
    return {txn_id[:16]: code for chunk in entries for txn_id, code in chunk.items()}


def test_sixteen_characters_name_a_row(make_store):
    """A chunk holds the first 16 characters of each txn_id, and nothing else of the message."""
    store = make_store()
    chunks = open_chunks(store)
    chunks.mark_started(MAYBE_ACCEPTED, {})
    chunks.append(make_entries(3))

    assert store.values == {
        "osonsms_campaigns": ["c"],
        "c_1": {"past": 1, "chunks": 0, "sent": True, "handful": {}},
        "c_1_0": shorten(make_entries(3)),
    }


@pytest.mark.parametrize("code", ["7/1/1764072000/1", LONGEST_CODE, "undecided"])
def test_no_value_exceeds_the_limit_of_the_store(make_store, code):
    """However long the gateway's msg_ids are, and however many rows come at once, each value fits."""
    store = make_store()
    chunks = open_chunks(store)
    chunks.mark_started(MAYBE_ACCEPTED, {})
    chunks.append(make_entries(5000, code))

    assert max(len(json.dumps(value).encode()) for value in store.values.values()) < 0.75 * STORE_LIMIT
    assert open_chunks(store, try_number=2).entries == shorten(make_entries(5000, code))


@pytest.mark.parametrize("missing", [["c_1_0"], ["c_1_1"], ["c_1_0", "c_1_1"], ["c_1_1", "c_1_3"]])
def test_a_hole_hides_nothing_that_follows(make_store, missing):
    """A chunk that is missing takes away what stood in it, and nothing of what was written later."""
    store = make_store()
    chunks = open_chunks(store)
    chunks.mark_started(MAYBE_ACCEPTED, {})
    written = [make_entries(10, first=10 * number) for number in range(5)]
    for entries in written:
        chunks.append(entries)
    for key in missing:
        del store.values[key]

    left = [entries for number, entries in enumerate(written) if f"c_1_{number}" not in missing]
    assert open_chunks(store, try_number=2).entries == shorten(*left)


def test_a_long_hole_is_bridged_as_far_as_the_start_knows(make_store):
    """A try that goes on after a deferral says how many chunks there were: no hole among them ends it."""
    store = make_store()
    chunks = open_chunks(store)
    chunks.mark_started(MAYBE_ACCEPTED, {})
    for number in range(9):
        chunks.append(make_entries(1, first=number))
    open_chunks(store).mark_started(MAYBE_ACCEPTED, {})
    for number in range(1, 8):
        del store.values[f"c_1_{number}"]

    assert open_chunks(store, try_number=2).entries == shorten(make_entries(1), make_entries(1, first=8))


@pytest.mark.parametrize("chunks", [10**12, -1, "9", None, 1.5, True])
def test_a_number_of_chunks_that_is_none_ends_the_reading(make_store, chunks):
    """Whatever the store says of their number, the chunks that are there are read, and the reading ends."""
    store = make_store()
    before = open_chunks(store)
    before.mark_started(MAYBE_ACCEPTED, {})
    before.append(make_entries(2))
    store.values["c_1"] = {"past": 1, "chunks": chunks}

    assert open_chunks(store, try_number=2).entries == shorten(make_entries(2))


def test_a_chunk_that_fails_leaves_no_hole(make_store):
    """The number of a chunk that could not be written is used for the next one."""
    store = make_store(fails_at=[2])
    chunks = open_chunks(store)
    chunks.mark_started(MAYBE_ACCEPTED, {})
    with pytest.raises(ConnectionError):
        chunks.append(make_entries(1))
    chunks.append(make_entries(1, first=1))

    assert store.values["c_1_0"] == shorten(make_entries(1, first=1))


def test_two_tries_at_once_overwrite_nothing(make_store):
    """A try that was taken for dead and goes on writing takes nothing from the one that replaced it."""
    store = make_store()
    zombie = open_chunks(store)
    zombie.mark_started(MAYBE_ACCEPTED, {})
    zombie.append(make_entries(1))
    heir = open_chunks(store, try_number=2)
    assert heir.entries == shorten(make_entries(1))
    heir.mark_started(MAYBE_ACCEPTED, {})
    for number in range(1, 7):
        (zombie, heir)[number % 2].append(make_entries(1, first=number))
    zombie.unmark_started(UNUSED, may_have_sent=False)

    later = open_chunks(store, try_number=3)

    assert later.entries == shorten(make_entries(7))
    assert later.history is MAYBE_ACCEPTED


@pytest.mark.parametrize("rival", [1, 3, 9])
def test_another_try_that_begins_or_goes_further_is_a_rival(make_store, rival):
    """Whoever has marked rows since this try has read may have sent them, and nobody else."""
    store = make_store()
    open_chunks(store).mark_started(UNUSED, {make_txn_id(1): "unanswered"})
    chunks = open_chunks(store, try_number=2)
    chunks.mark_started(UNUSED, {make_txn_id(2): "unanswered"})
    assert not chunks.has_rival()

    open_chunks(store, try_number=rival).mark_started(MAYBE_ACCEPTED, {})

    assert chunks.has_rival()


def test_a_task_that_goes_on_in_the_same_try_appends(make_store):
    """After a deferral the same try writes behind its own chunks."""
    store = make_store()
    chunks = open_chunks(store)
    chunks.mark_started(MAYBE_ACCEPTED, {})
    chunks.append(make_entries(2))
    resumed = open_chunks(store)
    resumed.mark_started(MAYBE_ACCEPTED, {})
    resumed.append(make_entries(2, first=2))

    assert open_chunks(store, try_number=2).entries == shorten(make_entries(4))


@pytest.mark.parametrize("past", [[0, 1], [1, 0], [0, 2, 0]])
def test_the_greatest_doubt_of_all_tries_counts(make_store, past):
    """What any try says of txn_ids that no entry names is believed."""
    store = make_store()
    for try_number, history in enumerate(past, start=1):
        open_chunks(store, try_number=try_number).mark_started(TxnIdHistory(history), {})

    assert open_chunks(store, try_number=9).history == max(past)


@pytest.mark.parametrize(
    "code", ["7/1/1764072000/1", "lost", "unanswered", "undecided"], ids=lambda code: code[:10]
)
def test_people_who_may_have_been_texted_under_other_keys(make_store, code):
    """Under other txn_ids they would be texted again, also where nobody knows for sure: with figures."""
    store = make_store()
    before = open_chunks(store, store_key="production")
    before.mark_started(MAYBE_ACCEPTED, {})
    before.append(make_entries(12, code))
    before.append(make_entries(3, "refused", first=12))

    with pytest.raises(KeysChangedError, match=r"12 messages.*Restore what was changed, and clear this task"):
        open_chunks(store, try_number=2).refuse_other_keys()
    open_chunks(store, try_number=2, store_key="production").refuse_other_keys()


def test_a_row_that_stands_twice_is_one_person(make_store):
    """The figure counts people: an entry that was written again counts once."""
    store = make_store()
    before = open_chunks(store, store_key="production")
    before.mark_started(MAYBE_ACCEPTED, {})
    before.append(make_entries(2, "unanswered"))
    before.append(make_entries(2))

    with pytest.raises(KeysChangedError, match=r"\b2 messages"):
        open_chunks(store, try_number=2).refuse_other_keys()


@pytest.mark.parametrize("code", ["taken", "refused", "strange", 7])
def test_other_keys_that_texted_nobody_are_no_reason_to_stop(make_store, code):
    """Where nobody was texted under the old txn_ids, new ones are harmless."""
    store = make_store()
    before = open_chunks(store, store_key="production")
    before.mark_started(MAYBE_ACCEPTED, {})
    before.append(make_entries(3, "taken"))
    before.unmark_started(MAYBE_ACCEPTED, may_have_sent=False)
    store.values["production_1_0"] = dict.fromkeys(store.values["production_1_0"], code)
    before.unmark_started(MAYBE_ACCEPTED, may_have_sent=False)

    open_chunks(store, try_number=2).refuse_other_keys()


def test_other_keys_of_a_try_that_did_not_end(make_store):
    """A try that was killed before its first chunk may have texted somebody."""
    store = make_store()
    open_chunks(store, store_key="production").mark_started(MAYBE_ACCEPTED, {})

    with pytest.raises(KeysChangedError, match="begun to send"):
        open_chunks(store, try_number=2).refuse_other_keys()


@pytest.mark.parametrize("value", ["text", 7, None, {"a": 1}, [7, None, ["c"], {"c": 1}], True])
def test_a_strange_list_of_campaigns(make_store, value):
    """Whatever stands in place of the list is ignored, and a start can be written."""
    store = make_store(values={"osonsms_campaigns": value})
    chunks = open_chunks(store)
    chunks.refuse_other_keys()
    chunks.mark_started(MAYBE_ACCEPTED, {})

    assert store.values["osonsms_campaigns"] == ["c"]


@pytest.mark.parametrize(
    "meta", ["text", 7, [1], {}, {"past": True}, {"past": "2"}, {"past": 9}, {"chunks": []}]
)
def test_a_strange_meta_says_that_there_was_an_attempt(make_store, meta):
    """Anything but a history counts as a doubt, and the chunks are read all the same."""
    store = make_store(values={"c_1": meta, "c_1_0": shorten(make_entries(2))})

    later = open_chunks(store, try_number=2)

    assert (later.history, later.is_resumed) == (MAYBE_ACCEPTED, True)
    assert later.entries == shorten(make_entries(2))
