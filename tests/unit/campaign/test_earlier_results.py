"""The results table as the second journal: read before anything is sent, and never made poorer."""

import pytest

from airflow_provider_osonsms.campaign.earlier_results import OtherCampaignError, load_earlier_results
from airflow_provider_osonsms.campaign.rows import RowState
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.tables.results import read_results
from airflow_provider_osonsms.tables.rows import RejectRow, ResultRow

UNUSED, MAYBE_ACCEPTED, MAYBE_CONSUMED = TxnIdHistory
NOTHING = NullStateStore()


@pytest.fixture
def path(tmp_path):
    """Where the results are."""
    return tmp_path / "results.csv"


@pytest.fixture
def try_once(make_run, account, path):
    """Make a try without a store send and write its table; return the run and its client."""

    def try_once(plan, client, *, try_number=1, **options):
        history = MAYBE_ACCEPTED if try_number > 1 else UNUSED
        run = make_run(
            plan, client, store=NOTHING, path=path, try_number=try_number, history=history, **options
        )
        run.send(account)
        run.write_results()
        return run

    return try_once


def write_results(path, plan, **cells):
    """Write the table that a try of *plan* would leave if each recipient had these *cells*."""
    rows = [
        ResultRow(position, key, phone, "accepted", None, plan.txn_ids.make(key), str(7000 + position), 1)
        for position, phone, key in plan.audience.read_row_keys()
    ]
    write_table([row._replace(**cells) for row in rows], path, kind=ResultRow)


@pytest.mark.parametrize(
    ("outcome", "reason", "state", "history"),
    [
        ("accepted", None, RowState.ACCEPTED, UNUSED),
        ("accepted_untracked", "answer_lost", RowState.ANSWER_LOST, UNUSED),
        ("uncertain", "undecided", RowState.UNDECIDED, UNUSED),
        ("uncertain", "key_taken", RowState.KEY_TAKEN, UNUSED),
        ("uncertain", "no_answer", RowState.NO_ANSWER, MAYBE_ACCEPTED),
        ("uncertain", "no_answer_after_refusal", RowState.NO_ANSWER, MAYBE_CONSUMED),
        ("pending", "refused_for_now", RowState.REFUSED_FOR_NOW, MAYBE_CONSUMED),
        ("pending", "not_reached", RowState.NOT_ATTEMPTED, UNUSED),
        ("pending", "not_attempted", RowState.NOT_ATTEMPTED, UNUSED),
        ("refused", "account_refused", RowState.NOT_ATTEMPTED, UNUSED),
        ("rejected", "unsendable", RowState.NOT_ATTEMPTED, UNUSED),
    ],
)
def test_what_a_row_of_the_table_says(
    make_run, make_plan, make_client, path, *, outcome, reason, state, history
):
    """Settled rows are settled again, doubts are doubts again, and what was not sent is open."""
    plan = make_plan(2)
    is_accepted = outcome == "accepted"
    write_results(path, plan, outcome=outcome, reason=reason, msg_id="7" if is_accepted else None)

    run = make_run(plan, make_client(), store=NOTHING, path=path, try_number=2)

    was_sent = outcome.startswith("accepted") or outcome == "uncertain" or reason == "refused_for_now"
    assert [run.rows.state(row) for row in range(2)] == [state] * 2
    assert run.rows.history(0) is max(history, MAYBE_ACCEPTED if is_accepted else UNUSED)
    assert run.is_resumed is was_sent


@pytest.mark.parametrize(
    "words", ["109 109", "silent silent", "lost lost", "silent 109", "109 silent", "108 108"]
)
def test_no_table_knows_less_than_the_one_before(try_once, make_plan, make_client, path, words):
    """A try that does not come to a row leaves the doubt about it in the table, as it found it."""
    plan = make_plan(4, concurrency=1, rounds=2)
    try_once(plan, make_client({1: words}), try_number=1)
    before = {row.txn_id: row for row in read_results(path)}
    doubtful = list(before.values())[1]

    second = try_once(plan, make_client("119"), try_number=2)

    assert second.rows.open_rows <= 1
    after = {row.txn_id: row for row in read_results(path)}
    assert after[doubtful.txn_id].outcome == doubtful.outcome
    assert after[doubtful.txn_id].reason == doubtful.reason
    assert {row.msg_id for row in before.values()} == {row.msg_id for row in after.values()}


def test_a_used_up_txn_id_is_known_three_tries_later(try_once, make_plan, make_client):
    """A 108 long after a 109 proves nothing, also where only the table remembers and a try was in between."""
    plan = make_plan(3, concurrency=1, rounds=1)
    client = make_client({1: "109!"})
    try_once(plan, client)
    try_once(plan, make_client("119"), try_number=2)
    client.attempts = []

    third = try_once(plan, client, try_number=3)

    assert third.rows.state(1) is RowState.UNDECIDED
    assert sorted(client.texted) == [0, 2]


def test_rows_that_have_moved_are_found(make_run, make_plan, make_client, path):
    """An audience in another order, with new people in between, finds its results by txn_id."""
    old = make_plan(6)
    write_results(path, old)
    moved = make_plan(9, rejected=[0, 4], names=["x"] * 9)

    run = make_run(moved, make_client(), store=NOTHING, path=path, try_number=2)

    known = {row: run.rows.msg_id(row) for row in range(9) if run.rows.msg_id(row)}
    assert known == {1: "7001", 2: "7002", 3: "7003", 5: "7005"}


def test_who_left_is_written_again_and_again(try_once, make_plan, make_client, path):
    """Rows of people who left stay at the table's end through every later try, once each."""
    try_once(make_plan(4), make_client())
    for try_number in (2, 3, 4):
        try_once(make_plan(2), make_client(), try_number=try_number)
        rows = list(read_results(path))
        assert [row.row for row in rows] == [1, 2, None, None]
        assert [row.msg_id for row in rows] == ["7000", "7001", "7002", "7003"]
    back = try_once(make_plan(4), make_client(), try_number=5)
    assert [row.row for row in read_results(path)] == [1, 2, 3, 4]
    assert back.count_outcomes()["accepted"] == 4


@pytest.mark.parametrize("is_changed", [True, False])
def test_what_another_try_has_written_meanwhile_is_kept(
    make_run, make_plan, make_client, path, *, monkeypatch, is_changed
):
    """A try reads the table again before it writes its own, if anybody has written there since."""
    plan = make_plan(2)
    write_results(path, plan, outcome="pending", reason="not_attempted", msg_id=None)
    run = make_run(plan, make_client(), store=NOTHING, path=path, try_number=2)
    if is_changed:
        write_results(path, plan)
    loads = []
    monkeypatch.setattr(
        "airflow_provider_osonsms.campaign.results.load_earlier_results",
        lambda *given, **options: loads.append(1) or load_earlier_results(*given, **options),
    )

    run.write_results()

    assert len(loads) == is_changed
    msg_ids = ["7000", "7001"] if is_changed else [None, None]
    assert [row.msg_id for row in read_results(path)] == msg_ids


def test_whom_only_the_store_remembers_stays_too(send, make_run, make_plan, make_client, path):
    """A row that left and is known by the store alone stands in the table by its msg_id, and stays there."""
    send(make_plan(3), make_client())  # wrote no table
    run = make_run(make_plan(2), make_client(), path=path, try_number=2)
    run.write_results()
    assert [row.msg_id for row in read_results(path)] == ["7000", "7001", "7002"]

    later = make_run(make_plan(2), make_client(), store=NOTHING, path=path, try_number=3)
    later.write_results()

    rows = list(read_results(path))
    assert [row.msg_id for row in rows] == ["7000", "7001", "7002"]
    assert (rows[2].key, rows[2].outcome) == (None, "accepted")


@pytest.mark.parametrize("may_replace", [True, False])
@pytest.mark.parametrize(
    ("outcome", "reason", "is_refused"),
    [
        ("accepted", None, True),
        ("accepted_untracked", "answer_lost", True),
        ("uncertain", "no_answer", True),
        ("pending", "not_attempted", False),
        ("refused", "account_refused", False),
        ("rejected", "unsendable", False),
    ],
)
def test_the_table_of_another_campaign(
    make_run, make_plan, make_client, path, *, outcome, reason, is_refused, may_replace
):
    """It is refused with figures when it was sent, and replaced on demand, or when nothing was."""
    other = make_plan(3)
    object.__setattr__(other, "txn_ids", TxnIdSeries("dag", "other run", "task", ""))
    write_results(path, other, outcome=outcome, reason=reason, msg_id=None)
    client = make_client()

    if is_refused and not may_replace:
        with pytest.raises(OtherCampaignError, match=r"3 of its 3 rows were sent.*\{\{ run_id \}\}"):
            make_run(make_plan(3), client, store=NOTHING, path=path)
    else:
        run = make_run(make_plan(3), client, store=NOTHING, path=path, may_replace=may_replace)
        assert (run.settled, run.is_resumed, run.rows.history(0)) == (0, False, UNUSED)
    assert client.attempts == []


@pytest.mark.parametrize("content", ["", "key,phone\n1,2\n", "\x00", "row,key\n"], ids=repr)
def test_a_file_that_is_no_table_is_not_overwritten(make_run, make_plan, make_client, path, content):
    """Something else at results_path stops the task before it sends: nobody's file is overwritten."""
    path.write_text(content)

    with pytest.raises(InvalidMessageError):
        make_run(make_plan(3), make_client(), store=NOTHING, path=path)
    assert path.read_text() == content


def test_the_rejects_of_another_task_are_not_overwritten(make_run, make_plan, make_client, path):
    """The table of rejects at the same path is refused too."""
    write_table([RejectRow(0, "•", "empty", None)], path, kind=RejectRow)

    with pytest.raises(InvalidMessageError, match="results_path"):
        make_run(make_plan(3), make_client(), store=NOTHING, path=path)


@pytest.mark.parametrize(
    "cells",
    [
        {"accepted_at": "yesterday"},
        {"accepted_at": "2026-11-24"},
        {"accepted_at": "1969-01-01T00:00:00+00:00"},
        {"accepted_at": "2999-01-01T00:00:00+00:00"},
        {"parts": -1},
        {"parts": 10**12},
        {"try_": -1},
        {"try_": 1000},
    ],
    ids=str,
)
@pytest.mark.parametrize("outcome", ["accepted", "accepted_untracked", "uncertain"])
def test_strange_cells_cost_no_row(make_run, make_plan, make_client, path, *, cells, outcome):
    """A table that somebody has edited is still believed about who was sent to."""
    plan = make_plan(2)
    reason = {"accepted": None, "accepted_untracked": "answer_lost", "uncertain": "undecided"}[outcome]
    write_results(path, plan, outcome=outcome, reason=reason, **cells)

    run = make_run(plan, make_client(), store=NOTHING, path=path, try_number=2)

    assert run.rows.open_rows == 0
    run.write_results()


@pytest.mark.parametrize("code", ["7/1/9999999999/1", "7/99999/0/999"])
def test_strange_numbers_in_the_journal_cost_no_row(make_run, make_plan, make_client, store, code):
    """A code whose numbers are too large for a row is still one of an accepted row."""
    plan = make_plan(1)
    store.values |= {"c_1": {"past": 1, "chunks": 1}, "c_1_0": {plan.txn_ids.make("992900000000")[:16]: code}}

    run = make_run(plan, make_client(), try_number=2)

    assert run.rows.state(0) is RowState.ACCEPTED
