"""What a later try knows of an earlier one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.campaign.journal import MAX_ENTRIES_PER_CHUNK, CampaignJournal
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id

UNUSED, MAYBE_ACCEPTED, MAYBE_CONSUMED = TxnIdHistory
STORE_LIMIT = 64 * 1024
LONGEST_MSG_ID = "9" * 64


def open_journal(store, *, history=UNUSED):
    """Open the journal of one campaign, as each of its tries does."""
    return CampaignJournal(store, store_key="c", history=history)


def write(store, count, *, code="163938568/2"):
    """Let a try write *count* rows, and return their txn_ids."""
    journal = open_journal(store)
    txn_ids = [make_txn_id(number) for number in range(count)]
    for txn_id in txn_ids:
        journal.add(txn_id, code)
    journal.close(seconds=1.0)
    return txn_ids


def load(journal, txn_ids):
    """Return the rows as *journal* knows them."""
    rows = CampaignRows(len(txn_ids), history=journal.history)
    for position, txn_id in enumerate(txn_ids):
        rows.expect(position)
        journal.load_row(rows, position, txn_id)
    return rows


@pytest.mark.parametrize("count", [0, 1, MAX_ENTRIES_PER_CHUNK, MAX_ENTRIES_PER_CHUNK + 1, 2500])
def test_a_later_try_reads_every_row_back(make_store, count):
    """What a try has written in any number of chunks, the next one reads back."""
    store = make_store()
    txn_ids = write(store, count)

    rows = load(open_journal(store), txn_ids)

    assert rows.count().get(RowState.ACCEPTED, 0) == count
    assert all((rows.msg_id(position), rows.parts(position)) == ("163938568", 2) for position in range(count))
    assert len(store.values) == 1 + -(-count // MAX_ENTRIES_PER_CHUNK)


def test_a_value_is_far_below_the_limit(make_store):
    """A full chunk takes less than 40 KB with usual msg_ids, and fits with the longest numbers of 64 bits."""
    usual, longest = make_store(), make_store()
    write(usual, MAX_ENTRIES_PER_CHUNK, code="163938568412/10")
    write(longest, MAX_ENTRIES_PER_CHUNK, code=f"{2**63 - 1}/65535")

    assert len(json.dumps(usual.values["c_0"])) < 40_000
    assert len(json.dumps(longest.values["c_0"])) < 0.75 * STORE_LIMIT


@pytest.mark.xfail(strict=True, reason="a chunk is cut by entries: 1,000 msg_ids of 64 characters are 84 KB")
def test_a_value_of_the_longest_msg_ids_is_below_the_limit(make_store):
    """A full chunk fits into the store, however long the gateway's msg_ids are."""
    store = make_store()
    write(store, MAX_ENTRIES_PER_CHUNK, code=f"{LONGEST_MSG_ID}/65535")

    assert max(len(json.dumps(value)) for value in store.values.values()) < STORE_LIMIT


def test_a_later_entry_of_a_row_counts(make_store):
    """A row that met 109 in one chunk and was accepted in the next is accepted, in one try or in two."""
    store = make_store()
    (txn_id,) = write(store, 1, code="refused")
    journal = open_journal(store)
    journal.add(txn_id, "7/1")
    journal.close(seconds=1.0)

    rows = load(open_journal(store), [txn_id])

    assert (store.values["c_0"], store.values["c_1"]) == ({txn_id[:12]: "refused"}, {txn_id[:12]: "7/1"})
    assert (rows.state(0), rows.msg_id(0)) == (RowState.ACCEPTED, "7")


def test_a_used_up_txn_id_is_not_forgotten(make_store):
    """A row that met 109 is open for the next try, which reads a 108 in that light."""
    store = make_store()
    txn_ids = write(store, 1, code="refused")
    rows = load(open_journal(store), txn_ids)

    assert rows.is_open(0)
    assert rows.history(0) is MAYBE_CONSUMED


def test_nothing_is_known_before_the_first_try(make_store):
    """An empty store says that nobody has tried, so what the try number says counts."""
    journal = open_journal(make_store(), history=UNUSED)

    assert (journal.history, journal.is_resumed, journal.remembers) == (UNUSED, False, True)
    assert open_journal(make_store(), history=MAYBE_ACCEPTED).history is MAYBE_ACCEPTED


@pytest.mark.parametrize("history", TxnIdHistory)
def test_a_start_is_known_to_the_next_try(make_store, history):
    """After a try has begun to send, a row that no chunk names may have been accepted."""
    store = make_store()
    open_journal(store, history=history).mark_started()

    later = open_journal(store, history=UNUSED)

    assert later.is_resumed
    assert later.history is max(history, MAYBE_ACCEPTED)


@pytest.mark.parametrize("history", TxnIdHistory)
def test_a_start_can_be_taken_back(make_store, history):
    """After a collision the next try knows no more of its txn_ids than this one did."""
    store = make_store()
    journal = open_journal(store, history=history)
    journal.mark_started()
    journal.unmark_started()

    assert open_journal(store, history=MAYBE_CONSUMED).history is history


def test_a_start_that_cannot_be_stored_is_an_error(make_store):
    """Nothing is sent unless the next try can know of it."""
    with pytest.raises(ConnectionError):
        open_journal(make_store(fails_from=0)).mark_started()


def test_seconds_stand_in_the_meta(make_store):
    """What all tries have taken together is stored with the campaign, beside its history."""
    store = make_store()
    journal = open_journal(store)
    journal.mark_started()
    journal.close(seconds=12.5)

    assert store.values == {"c_meta": {"past": MAYBE_ACCEPTED, "seconds": 12.5}}
    assert open_journal(store).meta["seconds"] == 12.5


def test_rows_that_have_left_the_audience_are_counted(make_store):
    """Settled rows that no longer belong to the audience are counted once, and let go of."""
    store = make_store()
    kept, _gone = write(store, 2)
    journal = open_journal(store)
    journal.add(make_txn_id("open"), "refused")
    journal.close(seconds=1.0)

    later = open_journal(store)
    load(later, [kept])

    assert (later.discard_unknown(), later.discard_unknown()) == (1, 0)


def test_below_airflow_3_3_nothing_is_kept():
    """Without a store nothing is kept, in memory neither."""
    journal = open_journal(NullStateStore(), history=MAYBE_ACCEPTED)
    journal.mark_started()
    journal.add(make_txn_id("a"), "7/1")

    assert (journal.remembers, journal.unwritten, journal.drain()) == (False, 0, {})
    assert open_journal(NullStateStore(), history=UNUSED).is_resumed is False


def test_a_store_that_fails_undoes_nothing(make_store):
    """A chunk that cannot be written is no error: the messages are sent, and a 108 will say so."""
    store = make_store(fails_from=0)
    write(store, 2500)

    assert store.values == {}


@pytest.mark.xfail(strict=True, reason="a chunk that could not be written is dropped, and not written again")
def test_a_chunk_that_could_not_be_written_is_written_again(make_store):
    """When the store works again it takes in what it did not take before."""
    store = make_store(fails_at=[0])
    journal = open_journal(store)
    journal.add(make_txn_id("a"), "7/1")
    journal.flush(journal.drain())
    journal.close(seconds=1.0)

    assert load(open_journal(store), [make_txn_id("a")]).msg_id(0) == "7"


@pytest.mark.xfail(strict=True, reason="reading ends at the first chunk that is missing")
def test_a_hole_hides_nothing(make_store):
    """A missing chunk takes away what stood in it, and not what stands in later ones."""
    store = make_store()
    txn_ids = write(store, 2500)
    del store.values["c_1"]

    assert load(open_journal(store), txn_ids).count()[RowState.ACCEPTED] == 1500


@pytest.mark.parametrize("value", ["text", [1], 7, 1.5, True, {}, {"past": "attempted"}, {"past": [1]}])
def test_a_strange_meta_is_read(make_store, value):
    """Whatever stands in place of the meta, the campaign can begin."""
    journal = open_journal(make_store(values={"c_meta": value}), history=MAYBE_ACCEPTED)

    assert journal.history is MAYBE_ACCEPTED
    journal.mark_started()
    journal.close(seconds=1.0)


@pytest.mark.xfail(strict=True, reason="a meta that is no mapping is read as if no try had been")
@pytest.mark.parametrize("value", ["text", [1], 7])
def test_a_strange_meta_counts_as_a_try(make_store, value):
    """Whatever stands in place of the meta says at least that an earlier try has stored something."""
    assert open_journal(make_store(values={"c_meta": value}), history=UNUSED).history is MAYBE_ACCEPTED


@pytest.mark.parametrize("value", ["text", [1], 7, 1.5, True])
def test_a_strange_chunk_is_no_chunk(make_store, value):
    """Something else in place of a chunk ends the reading and is no error."""
    store = make_store()
    txn_ids = write(store, 1)
    store.values["c_1"] = value

    assert load(open_journal(store), txn_ids).state(0) is RowState.ACCEPTED


@pytest.mark.parametrize("code", ["", "7", "strange"])
def test_a_text_without_parts_is_a_msg_id(make_store, code):
    """Any text in place of a code settles its row: it was written after an answer, so nobody is texted."""
    store = make_store()
    txn_ids = write(store, 1, code=code)

    assert not load(open_journal(store), txn_ids).is_open(0)


@pytest.mark.xfail(strict=True, reason="a code that is no text, or has no number of parts, ends the task")
@pytest.mark.parametrize("code", [7, 1.5, ["7/1"], {"msg_id": "7"}, "7/many", "7/-1", "7/1/2"])
def test_a_strange_code_is_no_code(make_store, code):
    """A row whose code cannot be read is one that may have been accepted, and the task goes on."""
    store = make_store()
    txn_ids = write(store, 1, code=code)

    rows = load(open_journal(store, history=MAYBE_ACCEPTED), txn_ids)

    assert rows.is_open(0)
    assert rows.history(0) >= MAYBE_ACCEPTED


@given(st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), unique=True, max_size=20))
def test_codes_find_their_rows(make_store, txn_ids):
    """Each row gets its own code back; only the first 12 characters of a txn_id are stored."""
    txn_ids = list({txn_id[:12]: txn_id for txn_id in txn_ids}.values())
    store = make_store()
    journal = open_journal(store)
    for number, txn_id in enumerate(txn_ids, start=1):
        journal.add(txn_id, f"{number}/1")
    journal.close(seconds=0)

    rows = load(open_journal(store), txn_ids)

    assert [rows.msg_id(position) for position in range(len(txn_ids))] == [
        str(number) for number in range(1, len(txn_ids) + 1)
    ]
