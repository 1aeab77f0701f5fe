"""One try of a campaign: what it tells afterwards, and how it ends."""

from decimal import Decimal

import pytest

from airflow_provider_osonsms.campaign.answers import TooManyFailuresError
from airflow_provider_osonsms.campaign.loop_thread import CampaignStoppedError
from airflow_provider_osonsms.campaign.run import TooManyFailedError, UnsettledRowsError
from airflow_provider_osonsms.preflight.window import read_window
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    FinalRefusalError,
    InvalidMessageError,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.tables.results import read_results

MAYBE_ACCEPTED = TxnIdHistory.MAYBE_ACCEPTED


def outcomes(run):
    """Return the outcomes that occur."""
    return {name: count for name, count in run.count_outcomes().items() if count}


def test_a_campaign_that_goes_well(send, make_plan, make_client):
    """Everybody is texted once, every outcome is counted, and nothing is left for another try."""
    client = make_client()
    run = send(make_plan(5, rejected=[2]), client)

    run.finish(max_failed_ratio=0.0)
    assert sorted(client.texted) == [0, 1, 3, 4]
    assert run.count_outcomes() == {
        "accepted": 4,
        "accepted_untracked": 0,
        "uncertain": 0,
        "capped": 0,
        "refused": 0,
        "rejected": 1,
        "pending": 0,
    }
    assert (run.settled, run.is_resumed, run.is_closed) == (0, False, False)


def test_the_summary(send, make_plan, make_client):
    """The summary holds counts and the bill, and neither phones nor texts; no price makes no cost."""
    run = send(make_plan(5, rejected=[3]), make_client({0: "ok3"}))
    summary = run.summarize(price_per_part=Decimal("0.25"))

    assert summary.pop("seconds") == 0
    assert summary == {
        "campaign_id": "dag/run/task",
        "recipients": 4,
        "outcomes": run.count_outcomes(),
        "rejected": {"too_short": 1},
        "ignored_exclusions": 0,
        "parts": 6,
        "cost": 1.5,
    }
    assert run.summarize(price_per_part=None)["cost"] is None


def test_results_hold_every_row_in_order(send, make_run, make_plan, make_client, tmp_path):
    """The table merges recipients and rejects: one row for every row of the input, in its order."""
    plan = make_plan(5, rejected=[1, 4])
    path = tmp_path / "results.csv"
    client = make_client({0: "ok2", 2: "108"})
    run = send(plan, client, history=MAYBE_ACCEPTED, path=path)
    identity = run.write_results()
    txn_ids = {row: plan.txn_ids.make(key) for row, _, key in plan.audience.read_row_keys()}

    rows = list(read_results(path, expected=identity))

    assert [(row.row, row.outcome, row.reason, row.txn_id, row.msg_id, row.parts) for row in rows] == [
        (1, "accepted", None, txn_ids[0], "7000", 2),
        (2, "rejected", "too_short", None, None, None),
        (3, "accepted_untracked", "answer_lost", txn_ids[2], None, None),
        (4, "accepted", None, txn_ids[3], "7003", 1),
        (5, "rejected", "too_short", None, None, None),
    ]
    assert [row.key for row in rows] == ["992900000000", None, "992900000002", "992900000003", None]
    assert identity.rows == plan.audience.rows
    assert {row.try_ for row in rows if row.outcome != "rejected"} == {1}
    assert [row.accepted_at for row in rows] == [
        "2026-11-24T12:00:00+00:00" if row in {0, 3} else None for row in range(5)
    ]
    assert identity == run.write_results()
    assert make_run(plan, client, try_number=2, path=path).write_results() == identity


def test_messages_are_those_that_were_taken(send, make_plan, make_client):
    """Messages to wait for are the accepted ones, also without a msg_id, and no others."""
    plan = make_plan(4, concurrency=1)
    run = send(plan, make_client({1: "108", 3: "119"}), history=MAYBE_ACCEPTED)
    txn_ids = [plan.txn_ids.make(key) for _, _, key in plan.audience.read_row_keys()]

    assert run.list_messages() == [
        {"txn_id": txn_ids[0], "msg_id": "7000", "parts": 1, "outcome": "accepted"},
        {"txn_id": txn_ids[1], "msg_id": None, "parts": None, "outcome": "accepted_untracked"},
        {"txn_id": txn_ids[2], "msg_id": "7002", "parts": 1, "outcome": "accepted"},
    ]


def test_a_message_that_cannot_be_built_counts_as_rejected(send, make_plan, make_client):
    """A row without a request stands among the rejected ones, with a reason of its own."""

    async def refuse(attempt):
        if attempt == 0:
            raise InvalidMessageError("the URL is too long")

    run = send(make_plan(3, rejected=[2], concurrency=1), make_client(on_send=refuse))

    assert run.summarize(price_per_part=None)["rejected"] == {"too_short": 1, "unsendable": 1}
    assert outcomes(run) == {"accepted": 1, "rejected": 2}


@pytest.mark.parametrize(
    ("word", "error", "match"),
    [
        ("119", BalanceExhaustedError, "top it up"),
        ("106", FinalRefusalError, "hash"),
        ("unsent", TooManyFailuresError, "2 attempts failed in a row"),
    ],
)
def test_what_stopped_the_sending_ends_the_try(send, make_plan, make_client, *, word, error, match):
    """The try ends with the error that stopped it, and the rest waits for a later one."""
    plan = make_plan(6, concurrency=1, max_consecutive_failures=2)
    run = send(plan, make_client({2: word, 3: word}))

    with pytest.raises(error, match=match):
        run.finish(max_failed_ratio=None)
    assert not run.is_closed
    assert outcomes(run)["accepted"] == 2


def test_unsettled_rows_end_the_try(send, make_plan, make_client):
    """Rows that wait for another attempt end the try with an error that a retry mends, by their reasons."""
    run = send(make_plan(3, rounds=1), make_client({0: "unsent unsent", 1: "silent"}))

    with pytest.raises(UnsettledRowsError, match=r"2 of 3 rows .*1 not_reached, 1 no_answer.*cannot text"):
        run.finish(max_failed_ratio=None)


def test_a_stop_ends_the_try_if_rows_are_left(make_run, make_plan, make_client, account):
    """A task that is told to stop says what is left; one that had settled everything is a success."""
    run = make_run(make_plan(3), make_client())
    run.stop()
    run.send(account)
    with pytest.raises(CampaignStoppedError, match="3 not_attempted"):
        run.finish(max_failed_ratio=None)

    late = make_run(make_plan(3), make_client())
    late.send(account)
    late.stop()
    late.finish(max_failed_ratio=None)


def test_a_window_that_closes_is_no_failure(send, make_plan, make_client):
    """A closed window leaves rows for later; the task waits for the window to open."""
    run = send(make_plan(3, window=read_window("09:00-20:00 UTC")), make_client())

    assert run.is_closed
    with pytest.raises(UnsettledRowsError):
        run.finish(max_failed_ratio=None)


@pytest.mark.parametrize(
    ("undecided", "max_failed_ratio", "error"),
    [
        (0, 0.0, None),
        (1, None, None),
        (1, 0.25, None),
        (2, 0.25, "2 of 4 rows"),
        (1, 0.0, "1 of 4 rows"),
        (4, None, "None of 4 rows"),
        (4, 1.0, "None of 4 rows"),
    ],
)
def test_too_many_failed_rows(make_run, make_plan, make_client, *, undecided, max_failed_ratio, error, store):
    """More failed rows than allowed end the campaign for good, and a campaign that reached nobody always."""
    plan = make_plan(4)
    for number, (_, _, row_key) in enumerate(plan.audience.read_row_keys()):
        code = ("undecided", "taken")[number % 2] if number < undecided else "7/1/0/1"
        store.values.setdefault("c_1_0", {})[plan.txn_ids.make(row_key)[:16]] = code
    store.values["c_1"] = {"past": 1, "chunks": 0}
    run = make_run(plan, make_client(), try_number=2)

    if error is None:
        run.finish(max_failed_ratio=max_failed_ratio)
    else:
        with pytest.raises(TooManyFailedError, match=error):
            run.finish(max_failed_ratio=max_failed_ratio)


def test_nobody_to_text(send, make_plan, make_client, store):
    """An audience without recipients sends nothing, stores nothing and is a success."""
    run = send(make_plan(2, rejected=[0, 1]), make_client())

    run.finish(max_failed_ratio=0.0)
    assert store.values == {}
    assert outcomes(run) == {"rejected": 2}


def test_nothing_is_sent_that_the_next_try_could_not_know_of(
    make_run, make_plan, make_client, make_store, account
):
    """If the start cannot be stored no message leaves."""
    client = make_client()

    with pytest.raises(ConnectionError):
        make_run(make_plan(3), client, store=make_store(fails_from=0)).send(account)
    assert client.attempts == []


@pytest.mark.parametrize(("word", "is_told"), [("ok", False), ("ok2", True)])
def test_a_bill_that_differs_is_told(send, make_plan, make_client, *, caplog, word, is_told):
    """The log says when the gateway bills other parts than were estimated."""
    send(make_plan(2), make_client(word))

    assert ("Billed as 4 parts, estimated as 2" in caplog.text) is is_told


def test_an_error_of_our_own_leaves_a_closed_journal(make_run, make_plan, make_client, store, account):
    """When a worker crashes its error comes out, and what was sent is stored all the same."""
    run = make_run(make_plan(3, concurrency=1), make_client({2: "crash"}))

    with pytest.raises(RuntimeError, match="own fault"):
        run.send(account)

    assert len(store.values["c_1_0"]) == 2
    assert store.values["c_1"]["past"] == MAYBE_ACCEPTED


def test_every_outcome_has_a_count(make_run, make_plan, make_client):
    """The counts name every outcome, before anything is sent too."""
    assert make_run(make_plan(1), make_client()).count_outcomes().keys() == set(Outcome)
