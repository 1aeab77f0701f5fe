"""What tries of a campaign know of each other: cases that the model (``tests/model``) has found."""

import pytest
from model_campaign import Campaign, Settings
from model_gateway import Event, Fault
from model_people import PHONES, Kind, Person

from airflow_provider_osonsms.campaign.earlier_results import OtherCampaignError
from airflow_provider_osonsms.campaign.send_loop import RivalTryError, TxnIdsTakenError
from airflow_provider_osonsms.exactly_once.cap import Cap
from airflow_provider_osonsms.exactly_once.store import KeysChangedError

ONE = (Person(PHONES[0]),)
HANDFUL_AND_ROUND = 3
"""Requests of a first try of two rows in one round: the first row goes alone before it."""
TWO = (Person(PHONES[0]), Person(PHONES[1]))


@pytest.fixture
def begin(monkeypatch):
    """Begin a campaign, with a store or with a results table."""
    monkeypatch.setattr("airflow_provider_osonsms.protocol.flows.FIRST_PAUSE", 0.0)

    def begin(people, memories, *, rounds=1, **settings):
        return Campaign(Settings(memories=memories, rounds=rounds, **settings), people)

    return begin


def run_try(campaign, *script, inner=()):
    """Run a try of the first task."""
    return campaign.run_try(campaign.tasks[0], script, inner)


def outcomes(attempt):
    """Return outcome and reason of each row of the try's table."""
    return [(row.outcome, row.reason) for row in attempt.table]


@pytest.mark.parametrize("memory", ["store", "table"])
@pytest.mark.parametrize("refusal", [Fault.NO_MONEY, Fault.BLOCKED])
def test_a_lost_answer_of_an_earlier_try_is_not_pending(begin, memory, refusal):
    """A row that may be accepted stays uncertain in a try that stops before it, or is refused the account."""
    campaign = begin(TWO, memory)
    run_try(campaign, *HANDFUL_AND_ROUND * [Fault.LOST])

    second = run_try(campaign, refusal)

    assert outcomes(second) == [("uncertain", "no_answer")] * 2


def test_a_lost_answer_of_an_earlier_try_is_not_rejected(begin):
    """A row that may be accepted is undecided when its text cannot be sent any more."""
    campaign = begin(ONE, "table")
    run_try(campaign, *HANDFUL_AND_ROUND * [Fault.LOST])
    campaign.people = (Person(PHONES[0], Kind.LONG),)

    assert outcomes(run_try(campaign)) == [("uncertain", "undecided")]


def test_a_refusal_outlives_a_try_that_stops_before_its_row(begin):
    """A txn_id that may be used up is not forgotten by the table of a try that has not come to its row."""
    campaign = begin(TWO, "table")
    run_try(campaign, *HANDFUL_AND_ROUND * [Fault.CONSUMED_109])
    run_try(campaign, Fault.NO_MONEY)

    assert outcomes(run_try(campaign)) == [("uncertain", "undecided")] * 2


@pytest.mark.parametrize("memory", ["store", "table", "store and table"])
@pytest.mark.parametrize("script", [[Fault.NO_MONEY], [Fault.BLOCKED], [Event.STOP, Fault.NOT_SENT]])
def test_a_killed_try_outlives_tries_that_accept_nothing(begin, memory, script):
    """Messages of a try that was killed before it wrote any result are ours, also two tries later."""
    campaign = begin(TWO, memory)
    run_try(campaign, Fault.ANSWERED, Fault.KILL_AFTER)
    for _ in range(2):
        run_try(campaign, *script)

    last = run_try(campaign)

    assert last.end is None
    assert outcomes(last) == [("accepted_untracked", "answer_lost")] * 2
    assert not [path for path in campaign.files.contents if ".parts" in path]


@pytest.mark.parametrize("memory", ["store", "table", "store and table"])
def test_a_killed_try_outlives_a_refusal_of_every_row(begin, memory):
    """Rows that a refused account has left are attempted again, so what explains their 108 is kept."""
    campaign = begin(TWO, memory, concurrency=2)
    run_try(campaign, Fault.ANSWERED, Fault.KILL_AFTER)
    refused = run_try(campaign, Fault.BLOCKED, Fault.BLOCKED)
    assert outcomes(refused) == [("refused", "account_refused")] * 2

    assert outcomes(run_try(campaign)) == [("accepted_untracked", "answer_lost")] * 2


def test_another_namespace_is_refused_after_a_killed_try_and_a_refusal(begin):
    """A table that says of each row that it was refused hides no try that may have sent them."""
    campaign = begin(TWO, "table", concurrency=2)
    run_try(campaign, Fault.ANSWERED, Fault.KILL_AFTER)
    run_try(campaign, Fault.BLOCKED, Fault.BLOCKED)
    campaign.namespace = "staging"

    later = run_try(campaign)

    assert isinstance(later.end, OtherCampaignError)
    assert later.line.attempts == []


@pytest.mark.parametrize("script", [[Fault.NO_MONEY], [Fault.BLOCKED], [Event.STOP, Fault.NOT_SENT]])
def test_a_table_that_was_removed_is_missed_by_all_later_tries(begin, script):
    """A later try that finds no table does not write one that says that no try before it has sent."""
    campaign = begin(TWO, "table")
    run_try(campaign)
    campaign.files.wipe("/results")
    for _ in range(2):
        run_try(campaign, *script)

    last = run_try(campaign)

    assert outcomes(last) == [("accepted_untracked", "answer_lost")] * 2
    assert not [path for path in campaign.files.contents if ".parts" in path]


@pytest.mark.parametrize("memory", ["store", "table", "store and table"])
@pytest.mark.parametrize("inner", [[], [Fault.KILL_AFTER], [Fault.ANSWERED, Fault.KILL_AFTER]])
def test_messages_of_a_newer_try_are_not_somebody_elses(begin, memory, inner):
    """A try that was taken for dead finds its first txn_ids taken by the next one, which may be killed."""
    campaign = begin(ONE if len(inner) == 1 else TWO, memory)

    older = run_try(campaign, Event.OVERLAP, inner=inner)

    assert isinstance(older.end, RivalTryError)
    assert {reason for _, reason in outcomes(run_try(campaign))} <= {None, "answer_lost"}


@pytest.mark.parametrize("memory", ["store", "table", "store and table"])
def test_a_later_row_that_a_newer_try_may_have_sent_is_not_somebody_elses(begin, memory):
    """After the first rows, too, a 108 proves nothing while another try is at work."""
    campaign = begin(TWO, memory)

    run_try(campaign, Fault.ANSWERED, Event.OVERLAP, inner=[Fault.ANSWERED, Fault.KILL_AFTER])

    assert outcomes(run_try(campaign)) == [("accepted", None), ("uncertain", "undecided")]


def test_doubts_of_two_tries_add_up(begin):
    """What one try has left unanswered and another was refused is uncertain, and a 108 proves nothing."""
    campaign = begin(ONE, "store", has_own_campaign_id=True)
    run_try(campaign, Event.OVERLAP, Fault.CONSUMED_109, inner=[Fault.SILENT])

    assert outcomes(run_try(campaign, Fault.NO_MONEY)) == [("uncertain", "no_answer_after_refusal")]
    assert outcomes(run_try(campaign)) == [("uncertain", "undecided")]


def test_a_refusal_that_one_try_knows_undoes_the_explanation_of_another(begin):
    """A 108 that a try has taken for a lost answer is undecided where another try knows of a 109."""
    campaign = begin(TWO, "table", has_own_campaign_id=True)

    first = run_try(campaign, Fault.CONSUMED_109, Event.OVERLAP)

    assert outcomes(campaign.tries[1])[0] == ("accepted_untracked", "answer_lost")
    assert outcomes(first)[0] == ("uncertain", "undecided")


def test_a_try_that_was_taken_for_dead_writes_no_smaller_table(begin):
    """A try that ends after a newer one takes over what that one has found out."""
    campaign = begin(ONE, "table")

    first = run_try(campaign, Event.OVERLAP)

    assert first.table == campaign.tries[1].table
    assert outcomes(first) == [("accepted", None)]


def test_a_try_that_was_taken_for_dead_leaves_the_parts_of_a_newer_one(begin):
    """The msg_ids of a newer try that was killed are in its parts until a later try has read them."""
    campaign = begin(TWO, "table", has_own_campaign_id=True)
    run_try(campaign, Event.OVERLAP, inner=[Fault.ANSWERED, Event.FLUSH, Fault.KILL_BEFORE])

    assert outcomes(run_try(campaign)) == [("accepted", None)] * 2


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.SILENT])
def test_another_namespace_is_refused_after_a_lost_answer(begin, fault):
    """The store counts what may be accepted, also without a msg_id, before it lets other keys be used."""
    campaign = begin(ONE, "store")
    run_try(campaign, fault)
    campaign.namespace = "staging"

    second = run_try(campaign)

    assert isinstance(second.end, KeysChangedError)
    assert second.line.attempts == []


def test_another_namespace_is_refused_by_the_parts(begin):
    """The parts of a killed try stop another namespace, and are no rows of its table."""
    campaign = begin(TWO, "table")
    run_try(campaign, Fault.ANSWERED, Event.FLUSH, Fault.KILL_BEFORE)
    campaign.namespace = "staging"

    second = run_try(campaign)

    assert isinstance(second.end, OtherCampaignError)
    assert second.line.attempts == []


def test_somebody_who_comes_back_is_listed_once(begin):
    """A message that was listed by its msg_id alone is listed with its row when that is there again."""
    campaign = begin(TWO, "store and table")
    run_try(campaign)
    campaign.files.wipe("/results")
    campaign.people = TWO[1:]
    run_try(campaign)
    campaign.people = TWO

    last = run_try(campaign)

    assert [(row.row, row.msg_id) for row in last.table] == [(1, "7000001"), (2, "7000002")]


def test_somebody_who_left_stops_another_namespace(begin):
    """A message that is listed by its msg_id alone is not replaced by the table of another namespace."""
    campaign = begin(TWO, "table", has_own_campaign_id=True)
    run_try(campaign, Fault.ANSWERED, Event.FLUSH, Fault.KILL_BEFORE)
    campaign.people = (Person(PHONES[1], Kind.LONG),)
    run_try(campaign)
    campaign.namespace = "staging"

    assert isinstance(run_try(campaign).end, OtherCampaignError)


SIX = tuple(map(Person, PHONES))


@pytest.fixture
def begin_collision(begin, monkeypatch):
    """Begin a campaign of six, whose txn_ids another installation has used; the first two rows go alone."""
    monkeypatch.setattr("airflow_provider_osonsms.campaign.send_loop._HANDFUL", 2)

    def begin_collision(memories, *, is_foreign=True):
        campaign = begin(SIX, memories)
        for txn_id in campaign.txn_ids("").values() if is_foreign else ():
            campaign.gateway.take_foreign(txn_id)
        return campaign

    return begin_collision


@pytest.mark.parametrize("memories", ["store", "table", "store and table"])
@pytest.mark.parametrize("asked", [0, 1])
def test_a_kill_among_the_first_rows_hides_no_collision(begin_collision, *, memories, asked):
    """Later tries doubt the rows that went alone, and know that nothing of ours has used the others."""
    campaign = begin_collision(memories)
    run_try(campaign, *asked * [Fault.ANSWERED], Fault.KILL_BEFORE)

    for _ in range(2):
        later = run_try(campaign)
        assert isinstance(later.end, TxnIdsTakenError)
        assert len(later.line.attempts) == 2
        assert outcomes(later) == [("uncertain", "no_answer")] * 2 + [("pending", "not_attempted")] * 4
    assert not any(message.is_ours for message in campaign.gateway.messages.values())


@pytest.mark.parametrize("memories", ["store", "table", "store and table"])
def test_a_clear_after_a_collision_is_one_again(begin_collision, memories):
    """Whatever remembers, a table that says that nothing was sent explains no 108 of the next try."""
    campaign = begin_collision(memories)

    for _ in range(3):
        attempt = run_try(campaign)
        assert isinstance(attempt.end, TxnIdsTakenError)
        assert outcomes(attempt) == [("pending", "not_attempted")] * 6


@pytest.mark.parametrize("memories", ["store", "table", "store and table"])
@pytest.mark.parametrize("kill", [Fault.KILL_BEFORE, Fault.KILL_AFTER])
@pytest.mark.parametrize("answered", range(5))
def test_a_kill_among_the_first_rows_costs_nobody_a_text(begin_collision, *, memories, kill, answered):
    """Where no other installation is, everybody is texted once, wherever the first try is killed."""
    campaign = begin_collision(memories, is_foreign=False)
    run_try(campaign, *answered * [Fault.ANSWERED], kill)

    later = run_try(campaign)

    assert later.end is None
    assert {outcome for outcome, _ in outcomes(later)} <= {"accepted", "accepted_untracked"}
    assert len(campaign.gateway.messages) == 6


def test_a_try_that_was_taken_for_dead_tells_what_the_next_one_has_begun(begin):
    """The older of two tries writes its table last, and the newer one was killed: its rows are in doubt."""
    campaign = begin(TWO, "table", cap=Cap(category="marketing", period="2026-W48"))

    older = run_try(campaign, Event.OVERLAP, Fault.NO_MONEY, inner=[Fault.KILL_AFTER])

    assert outcomes(older)[0] == ("uncertain", "no_answer")
    assert campaign.files.contents.keys() > {"/results/0.csv"}, "the marks of the newer try are left to it"


def test_a_try_that_was_taken_for_dead_tells_what_the_next_one_has_sent(begin):
    """What the newer try has found out before it was killed stands in the table of the older one."""
    campaign = begin(TWO, "table")

    killed = [Fault.ANSWERED, Event.FLUSH, Fault.KILL_BEFORE]
    older = run_try(campaign, Event.OVERLAP, Fault.NO_MONEY, inner=killed)

    assert outcomes(older) == [("accepted", None), ("pending", "not_attempted")]
