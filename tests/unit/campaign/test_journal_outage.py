"""A store that fails for a while: what it misses is written again."""

from itertools import pairwise

import pytest

from airflow_provider_osonsms.campaign import journal as journals
from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import make_txn_id

OUTAGE_WARNING = "fails to write for now"


def load(journal, txn_ids):
    """Return the rows as *journal* knows them."""
    rows = CampaignRows(len(txn_ids), history=journal.history)
    for position in range(len(txn_ids)):
        rows.expect(position)
    journal.load_rows(rows, enumerate(txn_ids))
    return rows


@pytest.fixture
def write_in_turns(open_journal):
    """Let a try write codes, one flush for each, and close."""

    def write(store, *codes, path=None):
        journal = open_journal(store, path=path)
        journal.mark_started()
        for txn_id, code in codes:
            journal.add(txn_id, code)
            journal.flush(journal.drain())
        journal.finish(may_have_sent=True)
        return journal

    return write


@pytest.mark.parametrize("failing", [[2], [2, 3], [3, 4, 5], [6], [2, 6]], ids=str)
def test_a_chunk_that_could_not_be_written_is_written_again(
    make_store, open_journal, write_in_turns, *, failing, caplog
):
    """Whichever flushes fail, also the last one: the next try knows every row."""
    txn_ids = [make_txn_id(number) for number in range(5)]
    store = make_store(fails_at=failing)  # 0 and 1 write the start, 2 to 6 the flushes

    journal = write_in_turns(store, *((txn_id, "7/1/0/1") for txn_id in txn_ids))

    assert not journal.is_behind
    assert load(open_journal(store, try_number=2), txn_ids).count() == {RowState.ACCEPTED: 5}
    outages = 1 + any(b - a > 1 for a, b in pairwise(failing))
    assert caplog.text.count(OUTAGE_WARNING) == outages


def test_what_is_written_late_is_no_step_back(make_store, open_journal, write_in_turns):
    """A row that met 109, then 108, stays undecided also when the chunk that says so came late."""
    txn_id, other = make_txn_id("a"), make_txn_id("b")
    store = make_store(fails_at=[3])

    write_in_turns(store, (txn_id, "refused"), (txn_id, "undecided"), (other, "7/1/0/1"))

    rows = load(open_journal(store, try_number=2), [txn_id, other])
    assert [rows.state(position) for position in range(2)] == [RowState.UNDECIDED, RowState.ACCEPTED]


def test_a_store_that_stays_away_is_told(make_store, write_in_turns, caplog):
    """When the last flush fails too, the log says how many results a later try asks for again."""
    store = make_store(fails_from=2)

    write_in_turns(store, *((make_txn_id(number), "7/1/0/1") for number in range(3)))

    assert "StoreChunks does not hold the last 3 results" in caplog.text
    assert caplog.text.count(OUTAGE_WARNING) == 1


def test_one_backend_fails_and_the_other_knows(make_store, open_journal, write_in_turns, tmp_path):
    """With a results_path, the part files hold what the store has missed for good."""
    txn_ids = [make_txn_id(number) for number in range(3)]
    store, path = make_store(fails_from=2), tmp_path / "results.csv"

    write_in_turns(store, *((txn_id, "7/1/0/1") for txn_id in txn_ids), path=path)

    rows = load(open_journal(store, try_number=2, path=path), txn_ids)
    assert rows.count() == {RowState.ACCEPTED: 3}


def test_the_storage_of_the_table_fails_and_the_store_knows(make_store, open_journal, *, tmp_path):
    """Where the storage fails after the start, the store holds what the part files have missed."""
    store, path = make_store(), tmp_path / "results.csv"
    journal = open_journal(store, path=path)
    journal.mark_started()
    for part in (tmp_path / "results.csv.parts").iterdir():
        part.unlink()
    (tmp_path / "results.csv.parts").rmdir()
    (tmp_path / "results.csv.parts").write_text("in the way")
    journal.add(make_txn_id("a"), "7/1/0/1")
    journal.finish(may_have_sent=True)
    (tmp_path / "results.csv.parts").unlink()

    rows = load(open_journal(store, try_number=2, path=path), [make_txn_id("a")])
    assert rows.count() == {RowState.ACCEPTED: 1}


@pytest.mark.parametrize("attempts_away", [range(40, 120), range(8, 220)], ids=["meanwhile", "to the end"])
def test_all_msg_ids_are_known_after_an_outage(
    send, make_plan, make_client, *, store, monkeypatch, attempts_away
):
    """220 of 220 msg_ids are known to the next try, though the store was away while they came."""
    monkeypatch.setattr(journals, "ENTRIES_PER_FLUSH", 10)
    failed, write_now = [], store.set

    def write(key, value):
        if len(client.attempts) in attempts_away or (len(client.attempts) == 220 and len(failed) < 4):
            failed.append(key)
            raise ConnectionError
        write_now(key, value)

    plan, client = make_plan(220), make_client()
    store.set = write
    send(plan, client)
    client.attempts = []

    second = send(plan, client, try_number=2, history=TxnIdHistory.MAYBE_ACCEPTED)

    assert len(failed) >= 4
    assert client.attempts == []
    assert [second.rows.msg_id(row) for row in range(220)] == [str(7000 + row) for row in range(220)]


def test_part_files_alone_know_all_msg_ids_of_a_killed_try(
    send, make_run, make_plan, make_client, *, tmp_path
):
    """Below Airflow 3.3 a try that never wrote its table leaves every msg_id in the part files."""
    plan, client, path = make_plan(220), make_client(), tmp_path / "results.csv"
    send(plan, client, store=NullStateStore(), path=path)  # no write_results: the process is dead

    run = make_run(plan, client, store=NullStateStore(), try_number=2, path=path)

    assert not path.exists()
    assert run.count_outcomes()["accepted"] == 220
    assert run.is_resumed
    run.write_results()
    assert not (tmp_path / "results.csv.parts").exists()
