"""What a later try knows of an earlier one, from whatever backends remember."""

import json
import tracemalloc
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.campaign.acceptance import Acceptance
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id

UNUSED, MAYBE_ACCEPTED, MAYBE_CONSUMED = TxnIdHistory


def load(journal, txn_ids):
    """Return the rows as *journal* knows them."""
    rows = CampaignRows(len(txn_ids), history=journal.history)
    for position in range(len(txn_ids)):
        rows.expect(position)
    rows.vanished = journal.load_rows(rows, enumerate(txn_ids))
    return rows


@pytest.fixture
def write(open_journal):
    """Let a try write *count* rows, and return their txn_ids."""

    def write(store, count, *, code="163938568/2/1764072000/1", try_number=1, path=None):
        journal = open_journal(store, try_number=try_number, path=path)
        txn_ids = [make_txn_id(number) for number in range(count)]
        journal.mark_started()
        for txn_id in txn_ids:
            journal.add(txn_id, code)
        journal.finish(may_have_sent=True)
        return txn_ids

    return write


@pytest.mark.parametrize("places", ["store", "parts", "both"])
@pytest.mark.parametrize("count", [0, 1, 1000, 1001, 2500])
def test_a_later_try_reads_every_row_back(make_store, open_journal, write, *, tmp_path, count, places):
    """What a try has written in any number of chunks, the next one reads back, from either place or both."""
    store = NullStateStore() if places == "parts" else make_store()
    path = None if places == "store" else tmp_path / "results.csv"
    txn_ids = write(store, count, path=path)

    rows = load(open_journal(store, try_number=2, path=path), txn_ids)

    assert rows.count().get(RowState.ACCEPTED, 0) == count
    assert all((rows.msg_id(position), rows.parts(position)) == ("163938568", 2) for position in range(count))
    assert all(rows.accepted_at(position) == 1764072000 for position in range(count))


def test_a_later_entry_of_a_row_counts(make_store, open_journal, write):
    """A row that met 109 in one chunk and was accepted in the next is accepted, in one try or in two."""
    store = make_store()
    (txn_id,) = write(store, 1, code="refused")
    journal = open_journal(store, try_number=1)
    load(journal, [txn_id])
    journal.add(txn_id, "7/1/0/1")
    journal.finish(may_have_sent=True)

    rows = load(open_journal(store), [txn_id])

    assert (store.values["c_1_0"], store.values["c_1_1"]) == (
        {txn_id[:16]: "refused"},
        {txn_id[:16]: "7/1/0/1"},
    )
    assert (rows.state(0), rows.msg_id(0)) == (RowState.ACCEPTED, "7")


def test_a_used_up_txn_id_is_not_forgotten(make_store, open_journal, write):
    """A row that met 109 is open for the next try, which reads a 108 in that light."""
    store = make_store()
    txn_ids = write(store, 1, code="refused")
    rows = load(open_journal(store), txn_ids)

    assert rows.is_open(0)
    assert rows.history(0) is MAYBE_CONSUMED


@pytest.mark.parametrize("order", list(permutations(["refused", "undecided", "unanswered"])))
def test_a_row_that_met_109_and_then_108_stays_undecided(make_store, open_journal, *, order):
    """In whatever order the entries of a row come to be written, it stays one for a person to look at."""
    store, txn_id = make_store(), make_txn_id("a")
    for try_number, code in enumerate(order, start=1):
        journal = open_journal(store, try_number=try_number)
        journal.mark_started()
        journal.add(txn_id, code)
        journal.finish(may_have_sent=True)

    rows = load(open_journal(store, try_number=4), [txn_id])

    assert rows.state(0) is RowState.UNDECIDED


def test_nothing_is_known_before_the_first_try(make_store, open_journal):
    """An empty store says that nobody has tried, so what the try number says counts."""
    journal = open_journal(make_store(), history=UNUSED)

    assert (journal.history, journal.is_resumed, journal.remembers) == (UNUSED, False, True)
    assert open_journal(make_store(), history=MAYBE_ACCEPTED).history is MAYBE_ACCEPTED


@pytest.mark.parametrize("places", ["store", "parts", "both"])
@pytest.mark.parametrize("history", TxnIdHistory)
def test_a_start_is_known_to_the_next_try(make_store, open_journal, *, tmp_path, history, places):
    """After a try has begun to send, a row that no entry names may have been accepted."""
    store = NullStateStore() if places == "parts" else make_store()
    path = None if places == "store" else tmp_path / "results.csv"
    open_journal(store, history=history, path=path).mark_started()

    later = open_journal(store, history=UNUSED, try_number=2, path=path)

    assert later.is_resumed
    assert later.history is max(MAYBE_ACCEPTED, UNUSED if places == "parts" else history)


@pytest.mark.parametrize("places", ["store", "parts", "both"])
def test_a_start_while_the_journal_is_read_is_known(make_store, open_journal, *, tmp_path, places):
    """A try that was taken for dead may begin between the marks and the entries: both count."""
    store = NullStateStore() if places == "parts" else make_store()
    path = None if places == "store" else tmp_path / "results.csv"
    zombie = open_journal(store, path=path)
    later = open_journal(store, try_number=2, path=path)
    zombie.mark_started()
    zombie.add(make_txn_id("a"), "7/1/0/1")
    zombie.flush(zombie.drain())

    rows = load(later, [make_txn_id("a"), make_txn_id("b")])

    assert rows.state(0) is RowState.ACCEPTED
    assert (later.is_resumed, later.history, later.tried) == (True, MAYBE_ACCEPTED, MAYBE_ACCEPTED)


def test_what_tries_have_written_is_never_held_at_once(make_store, open_journal, write):
    """Reading a campaign back takes an index of its rows, and not what all tries have written of them."""
    count = 20_000
    store = make_store()
    txn_ids = write(store, count)
    journal = open_journal(store, try_number=2)
    rows = CampaignRows(count, history=journal.history)
    for position in range(count):
        rows.expect(position)
    store.values = {key: json.dumps(value) for key, value in store.values.items()}
    store.get = lambda key: json.loads(store.values.get(key, "null"))

    tracemalloc.start()
    journal.load_rows(rows, enumerate(txn_ids))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows.count() == {RowState.ACCEPTED: count}
    assert peak < 60 * count, "a dict of entries took 180 bytes a row"


@pytest.mark.parametrize("history", TxnIdHistory)
def test_a_start_can_be_taken_back(make_store, open_journal, history):
    """After a collision the next try knows no more of its txn_ids than this one did."""
    store = make_store()
    journal = open_journal(store, history=history)
    journal.mark_started()
    journal.finish(may_have_sent=False)

    assert open_journal(store, history=MAYBE_CONSUMED, try_number=2).history is history


def test_a_start_is_not_taken_back_while_entries_are_unwritten(make_store, open_journal):
    """As long as the store lacks an entry that a later try needs, it says that rows may be on their way."""
    store = make_store(fails_from=2)
    journal = open_journal(store)
    journal.mark_started()
    journal.add(make_txn_id("a"), "unanswered")
    journal.finish(may_have_sent=False)

    later = open_journal(store, try_number=2)
    assert later.history is MAYBE_ACCEPTED


def test_a_start_that_cannot_be_stored_is_an_error(make_store, open_journal):
    """Nothing is sent unless the next try can know of it."""
    for number in (0, 1):
        with pytest.raises(ConnectionError):
            open_journal(make_store(fails_from=number)).mark_started()


def test_a_start_that_the_storage_does_not_take_is_an_error(open_journal, tmp_path):
    """Where part files cannot be written nothing is sent either."""
    (tmp_path / "results.csv.parts").write_text("a file in place of the folder")

    with pytest.raises(InvalidMessageError, match="parts"):
        open_journal(NullStateStore(), path=tmp_path / "results.csv").mark_started()


def test_rows_that_have_left_the_audience_are_given_back(
    make_store, open_journal, write, *, tmp_path, caplog
):
    """Settled rows that no longer belong to the audience are counted, and those with a msg_id given back.

    Each counts once, though both backends name it; one that is open or capped was not sent.
    """
    store = make_store()
    path = tmp_path / "results.csv"
    kept, _gone = write(store, 2, path=path)
    journal = open_journal(store, try_number=2, path=path)
    load(journal, [kept])
    caplog.clear()
    for name, code in {"open": "refused", "capped": "capped", "lost": "lost", "a": "7/1/0/1"}.items():
        journal.add(make_txn_id(name), code)
    journal.add(make_txn_id("capped"), "unanswered")
    journal.finish(may_have_sent=True)

    rows = load(open_journal(store, try_number=3, path=path), [kept])

    assert sorted(acceptance.msg_id for acceptance in rows.vanished) == ["163938568", "7"]
    assert rows.vanished[0] == Acceptance(msg_id="163938568", parts=2, accepted_at=1764072000, try_number=1)
    assert "3 rows that were sent before are not in the audience any more" in caplog.text


def test_below_airflow_3_3_nothing_is_kept(open_journal):
    """Without a store and a results_path nothing is kept, in memory neither."""
    journal = open_journal(NullStateStore(), history=MAYBE_ACCEPTED)
    journal.mark_started()
    journal.add(make_txn_id("a"), "7/1/0/1")

    assert (journal.remembers, journal.unwritten, journal.drain()) == (False, 0, {})
    assert open_journal(NullStateStore(), history=UNUSED).is_resumed is False


def test_the_results_table_knows_of_an_earlier_try(open_journal):
    """Once the table says that something was sent, a 108 is read as one of ours."""
    journal = open_journal(NullStateStore(), history=UNUSED)
    journal.learn_of_table(may_have_sent=True, has_accepted=True)

    assert (journal.is_resumed, journal.history) == (True, MAYBE_ACCEPTED)


@pytest.mark.parametrize("value", ["text", [1], 7, 1.5, True, {}, {"past": "attempted"}, {"past": [1]}])
def test_a_strange_meta_counts_as_a_try(make_store, open_journal, value):
    """Whatever stands in place of the meta says at least that an earlier try has stored something."""
    journal = open_journal(make_store(values={"c_1": value}), history=UNUSED, try_number=2)

    assert (journal.history, journal.is_resumed) == (MAYBE_ACCEPTED, True)
    journal.mark_started()
    journal.finish(may_have_sent=True)


@pytest.mark.parametrize("value", ["text", [1], 7, 1.5, True, [[{}]]])
def test_a_strange_chunk_is_no_chunk(make_store, open_journal, write, *, value, caplog):
    """Something else in place of a chunk is ignored with one warning, and what follows is read."""
    store = make_store()
    txn_ids = write(store, 1)
    store.values["c_1_1"] = value
    store.values["c_1_2"] = {make_txn_id("b")[:16]: "8/1/0/1"}

    rows = load(open_journal(store, try_number=2), [*txn_ids, make_txn_id("b")])

    assert [rows.msg_id(position) for position in range(2)] == ["163938568", "8"]
    assert [r.getMessage() for r in caplog.records if "not ours" in r.getMessage()] == [
        "1 entries of the journal are not ours, and are ignored"
    ]


STRANGE_CODES = [7, 1.5, ["7/1"], {"msg_id": "7"}, None, [{"a": [None]}], "", "7", "7/many", "7/-1", "7/1/2"]


@pytest.mark.parametrize("code", STRANGE_CODES, ids=repr)
def test_a_strange_code_is_no_code(make_store, open_journal, write, *, code):
    """A row whose code cannot be read is one that may have been accepted, and the task goes on."""
    store = make_store()
    txn_ids = write(store, 1)
    store.values["c_1_0"][txn_ids[0][:16]] = code

    rows = load(open_journal(store, try_number=2), txn_ids)

    assert rows.is_open(0)
    assert rows.history(0) is MAYBE_ACCEPTED


def test_strange_codes_are_told_once(make_store, open_journal, write, caplog):
    """However many values are strange, the log holds one line with their number, and none of them."""
    store = make_store()
    txn_ids = write(store, len(STRANGE_CODES) + 1)
    for txn_id, code in zip(txn_ids, STRANGE_CODES, strict=False):
        store.values["c_1_0"][txn_id[:16]] = code

    rows = load(open_journal(store, try_number=2), txn_ids)

    assert rows.count() == {RowState.ACCEPTED: 1, RowState.NOT_ATTEMPTED: len(STRANGE_CODES)}
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"{len(STRANGE_CODES)} entries of the journal are not ours, and are ignored"
    ]


@given(st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), unique=True, max_size=20))
def test_codes_find_their_rows(make_store, open_journal, txn_ids):
    """Each row gets its own code back; only the first 16 characters of a txn_id are stored."""
    txn_ids = list({txn_id[:16]: txn_id for txn_id in txn_ids}.values())
    store = make_store()
    journal = open_journal(store)
    journal.mark_started()
    for number, txn_id in enumerate(txn_ids, start=1):
        journal.add(txn_id, f"{number}/1/0/1")
    journal.finish(may_have_sent=True)

    rows = load(open_journal(store, try_number=2), txn_ids)

    assert [rows.msg_id(position) for position in range(len(txn_ids))] == [
        str(number) for number in range(1, len(txn_ids) + 1)
    ]


def test_rows_that_share_twelve_characters_are_apart(make_store, open_journal):
    """Two txn_ids that agree in their first twelve characters are two rows: sixteen are looked at."""
    store, txn_ids = make_store(), ["0123456789ab" + end for end in ("0" * 20, "1" * 20)]
    journal = open_journal(store)
    journal.mark_started()
    journal.add(txn_ids[0], "7/1/0/1")
    journal.finish(may_have_sent=True)

    rows = load(open_journal(store, try_number=2), txn_ids)

    assert [rows.is_open(position) for position in range(2)] == [False, True]
