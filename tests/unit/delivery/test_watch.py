"""A watch over many messages, without a gateway: the client's answers are a table."""

import asyncio
from datetime import UTC, datetime

import pytest

from airflow_provider_osonsms.delivery.decision import Decision
from airflow_provider_osonsms.delivery.messages import TrackedMessages, read_messages
from airflow_provider_osonsms.delivery.watch import Watch, describe, describe_examples
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    InvalidMessageError,
    OutcomeUnknownError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

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


def look(watch, client, *, rounds=1):
    """Look *rounds* times."""
    for _ in range(rounds):
        asyncio.run(watch.look(client))
    return watch.summarise()


def watch_over(*msg_ids, **options):
    """Start a watch over *msg_ids*."""
    return Watch(TrackedMessages(msg_ids=msg_ids, untracked=0), **options)


def test_finished_messages_are_not_asked_again():
    """A message with a final status is dropped; the others are asked again."""
    client = Answers(a=["DELIVERED"], b=["ENROUTE", "ACCEPTED", "EXPIRED"])

    summary = look(watch_over("a", "b"), client, rounds=4)

    assert client.asked == ["a", "b", "b", "b"]
    assert (summary["delivered"], summary["failed"], summary["pending"]) == (1, 1, 0)
    assert summary["by_status"] == {"DELIVERED": 1, "EXPIRED": 1}


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
    assert look(watch_over("a"), Answers(a=answers), rounds=len(answers))["pending"] == pending


def test_sightings_can_be_carried_over():
    """A new watch goes on counting where another stopped."""
    first = watch_over("a")
    look(first, Answers(a=["UNKNOWN", "UNKNOWN"]), rounds=2)
    second = watch_over("a", doubts=first.doubts)

    assert look(second, Answers(a=["UNKNOWN"]))["failed"] == 1


def test_concurrency_is_bounded():
    """No more questions than allowed are under way at once."""
    client = Answers(**{f"m{number}": ["DELIVERED"] for number in range(50)})

    summary = look(watch_over(*client.answers, concurrency=4), client)

    assert summary["delivered"] == 50
    assert client.most == 4


def test_slow_round_is_cut():
    """A round ends when patience does; whoever was not asked stays pending."""

    class Silence(Answers):
        async def query_status(self, msg_id):
            self.asked.append(msg_id)
            await asyncio.sleep(60)

    watch = watch_over("a", "b", concurrency=1)
    asyncio.run(watch.look(Silence(), patience=0.01))

    assert watch.summarise()["pending"] == 2


def test_refused_account_stops_the_round():
    """A final refusal is raised as itself."""
    with pytest.raises(FinalRefusalError):
        look(watch_over("a", "b"), Answers(a=[FinalRefusalError("105", code=105)], b=["DELIVERED"]))


def test_description_says_all():
    """The one line for people holds every count."""
    watch = Watch(TrackedMessages(msg_ids=("a", "b"), untracked=3))
    summary = look(watch, Answers(a=["DELIVERED"], b=["ACCEPTED"]))

    assert describe(summary) == (
        "1 of 5 messages delivered, 0 failed, 1 pending, 3 untracked (statuses: 1 ACCEPTED, 1 DELIVERED)"
    )
    assert describe_examples(summary) == "; not delivered: msg_id b ACCEPTED"
    assert watch.decide(now=LONG_AGO, deadline=LONG_AGO) is Decision.TIME_OUT


@pytest.mark.parametrize(
    ("messages", "msg_ids", "untracked"),
    [
        ("5", ("5",), 0),
        (5, ("5",), 0),
        ({"msg_id": "5"}, ("5",), 0),
        ({"msg_id": None}, (), 1),
        ([5, "5", "6"], ("5", "6"), 0),
        ([[{"msg_id": 7}], [{"msg_id": None}, {"msg_id": None}]], ("7",), 2),
        ([], (), 0),
    ],
)
def test_messages_are_read(messages, msg_ids, untracked):
    """Ids, outputs of sends and lists of them give unique ids and a count of untracked messages."""
    assert read_messages(messages) == TrackedMessages(msg_ids=msg_ids, untracked=untracked)


@pytest.mark.parametrize(
    "messages", [None, 1.5, True, {"992900000001": 1}, "992900000001", "a b", "", [None], object()]
)
def test_other_things_are_refused(messages):
    """Anything else, a phone among it, is an error that says what is accepted and repeats nothing."""
    with pytest.raises(InvalidMessageError, match="messages") as raised:
        read_messages(messages)

    assert "992900000001" not in str(raised.value)
