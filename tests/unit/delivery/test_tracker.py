"""A watch over many messages, without a gateway: the client's answers are a table."""

import asyncio
from datetime import UTC, datetime

import pytest

from airflow_provider_osonsms.delivery.criteria import Decision
from airflow_provider_osonsms.delivery.tracker import MAX_CONSECUTIVE_FAILURES, DeliveryTracker, MessageStatus
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    OutcomeUnknownError,
    RequestNotSentError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.msg_ids import MsgIds

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Answers:
    """Answers each msg_id's questions in turn, and counts how many are under way at once."""

    def __init__(self, **answers):
        self.answers = {msg_id: iter(sequence) for msg_id, sequence in answers.items()}
        self.asked = []
        self.under_way = self.most = 0

    async def query_status(self, msg_id):
        """Answer with the next of *msg_id*'s answers."""
        self.asked.append(msg_id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        answer = next(self.answers[msg_id])
        if isinstance(answer, Exception):
            raise answer
        return DeliveryStatus[answer]


def poll(tracker, client, *, rounds=1):
    """Poll *rounds* times."""
    for _ in range(rounds):
        asyncio.run(tracker.poll(client))
    return tracker.summarize()


def track(*msg_ids, **options):
    """Track *msg_ids*."""
    return DeliveryTracker(MsgIds(msg_ids), **options)


def test_finished_messages_are_not_asked_again():
    """A message with a final status is dropped; the others are asked again."""
    client = Answers(a=["DELIVERED"], b=["ENROUTE", "ACCEPTED", "EXPIRED"])

    summary = poll(track("a", "b"), client, rounds=4)

    assert client.asked == ["a", "b", "b", "b"]
    assert (summary.delivered, summary.failed, summary.pending) == (1, 1, 0)
    assert summary.by_status == {"DELIVERED": 1, "EXPIRED": 1}


@pytest.mark.parametrize(
    ("answers", "pending"),
    [
        (["UNKNOWN", "UNKNOWN", "UNKNOWN"], 0),
        (["UNKNOWN", "UNKNOWN", "ENROUTE", "UNKNOWN", "UNKNOWN"], 1),
        (["UNKNOWN", "UNKNOWN", OutcomeUnknownError("cut"), "UNKNOWN"], 0),
        (["UNKNOWN", UnknownMessageError("107", code=107), "UNKNOWN"], 1),
        ([UnknownMessageError("107", code=107)] * 3, 0),
        (["UNRECOGNIZED"] * 5, 1),
    ],
)
def test_doubt_needs_three_sightings_in_a_row(answers, pending):
    """Doubtful statuses count in a row; an unanswered question neither counts nor breaks the row."""
    assert poll(track("a"), Answers(a=answers), rounds=len(answers)).pending == pending


def test_sightings_can_be_carried_over():
    """A new watch goes on counting where another stopped."""
    first = track("a")
    poll(first, Answers(a=["UNKNOWN", "UNKNOWN"]), rounds=2)
    second = track("a", unconfirmed=first.unconfirmed)

    assert poll(second, Answers(a=["UNKNOWN"])).failed == 1


def test_concurrency_is_bounded():
    """No more questions than allowed are under way at once."""
    client = Answers(**{f"m{number}": ["DELIVERED"] for number in range(50)})

    summary = poll(track(*client.answers, concurrency=4), client)

    assert summary.delivered == 50
    assert client.most == 4


def test_slow_round_is_cut():
    """A round that takes too long is cut, and goes on with the others; but everybody is asked once first."""

    class Slow:
        asked = ()

        async def query_status(self, msg_id):
            self.asked += (msg_id,)
            await asyncio.sleep(0.02)
            return DeliveryStatus.ENROUTE

    slow, tracker = Slow(), track("a", "b", "c", concurrency=1)
    asyncio.run(tracker.poll(slow, time_limit=0.0))
    assert slow.asked == ("a", "b", "c")

    asyncio.run(tracker.poll(slow, time_limit=0.01))
    asyncio.run(tracker.poll(slow, time_limit=1))
    assert slow.asked[3:] == ("a", "b", "c", "a")
    assert tracker.summarize().pending == 3


def test_refused_account_stops_the_round():
    """A final refusal is raised as itself."""
    with pytest.raises(FinalRefusalError):
        poll(track("a", "b"), Answers(a=[FinalRefusalError("105", code=105)], b=["DELIVERED"]))


def test_description_says_all():
    """The one line for people holds every count."""
    tracker = DeliveryTracker(MsgIds(("a", "b")), untracked=3)
    summary = poll(tracker, Answers(a=["DELIVERED"], b=["ACCEPTED"]))

    assert summary.describe() == (
        "1 of 5 messages delivered, 0 failed, 1 pending, 3 untracked (statuses: 1 ACCEPTED, 1 DELIVERED)"
    )
    assert summary.describe_examples() == "; not delivered: msg_id b ACCEPTED"
    assert tracker.decide(now=LONG_AGO, deadline=LONG_AGO) is Decision.TIME_OUT


def test_a_gateway_that_is_down_is_not_hammered():
    """A round ends after many questions in a row without an answer; the next round asks everybody again."""
    answers = {f"m{number}": [RequestNotSentError("down"), "DELIVERED"] for number in range(500)}
    client = Answers(**answers)
    tracker = track(*answers, concurrency=4)

    poll(tracker, client)
    asked = len(client.asked)
    poll(tracker, Answers(**{msg_id: ["DELIVERED"] for msg_id in answers}))

    assert MAX_CONSECUTIVE_FAILURES <= asked < MAX_CONSECUTIVE_FAILURES + 4
    assert tracker.summarize().delivered == 500


def test_each_message_is_told_about():
    """First and last answer, their number and the status are known of each message, and of nobody else."""
    now = [1000.0]
    tracker = track("7", "x", clock=lambda: now[0])
    client = Answers(**{"7": ["ENROUTE", "DELIVERED"], "x": [OutcomeUnknownError("cut")] * 2})
    poll(tracker, client)
    now[0] += 30
    poll(tracker, client)

    assert tracker.read_status(0) == MessageStatus(
        "DELIVERED", 1000.0, 1030.0, 2, is_delivered=True, is_final=True
    )
    assert tracker.read_status(1) == MessageStatus(None, None, None, 0, is_delivered=False, is_final=False)


def test_a_cut_round_goes_on_where_it_stopped():
    """Messages that never get an answer do not keep those behind them from being asked."""
    size = MAX_CONSECUTIVE_FAILURES + 50
    stuck = {str(number): [OutcomeUnknownError("cut")] * 9 for number in range(1000, 1000 + size)}
    client = Answers(**stuck, **{"9000": ["DELIVERED"]})
    tracker = track(*stuck, "9000", concurrency=1)

    assert poll(tracker, client).delivered == 0
    assert poll(tracker, client).delivered == 1
    assert client.asked[MAX_CONSECUTIVE_FAILURES] == str(1000 + MAX_CONSECUTIVE_FAILURES)


def test_sightings_go_on_in_another_process():
    """What is carried to the next watch holds messages that are believed too, or they would begin anew."""
    unconfirmed = {}
    for _ in range(4):
        tracker = track("a", "b", unconfirmed=unconfirmed)
        poll(tracker, Answers(a=["UNKNOWN"], b=["UNKNOWN" if unconfirmed else "ENROUTE"]))
        unconfirmed = tracker.unconfirmed

    assert unconfirmed == {"a": (DeliveryStatus.UNKNOWN, 4), "b": (DeliveryStatus.UNKNOWN, 3)}
    assert tracker.summarize().failed == 2


def test_times_count_from_the_beginning_of_the_wait():
    """A watch that goes on with the wait of another process tells times since that began."""
    tracker = track("a", began=400.0, clock=lambda: 1000.0)
    poll(tracker, Answers(a=["DELIVERED"]))

    assert (tracker.began, tracker.read_status(0).first_seen) == (400.0, 1000.0)


def test_rate_is_bounded():
    """Each question waits for its turn."""
    turns = []

    async def acquire():
        turns.append(1)

    poll(track("a", "b", acquire=acquire), Answers(a=["DELIVERED"], b=["DELIVERED"]))

    assert len(turns) == 2
