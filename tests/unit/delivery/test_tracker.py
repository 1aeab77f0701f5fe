"""A watch over many messages, without a gateway: the client's answers are a table."""

import asyncio
import zlib
from itertools import count

import pytest

from airflow_provider_osonsms.client.rate import RateLimiter
from airflow_provider_osonsms.delivery import tracker as module
from airflow_provider_osonsms.delivery.criteria import UNKNOWN_AFTER, Decision, DeliveryCriteria, Reach
from airflow_provider_osonsms.delivery.tracker import (
    MAX_CONSECUTIVE_FAILURES,
    SECONDS_AFTER_DEADLINE,
    DeliveryTracker,
    MessageStatus,
)
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    InvalidMessageError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
    TooManyRequestsError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.tables.msg_ids import MsgIds

LONG_AGO = 1000.0
LATER = LONG_AGO + UNKNOWN_AFTER
"""Old enough for a doubt to be final."""


class Answers:
    """Answers each msg_id's questions in turn, and counts how many are under way at once."""

    def __init__(self, **answers):
        self.answers = {msg_id: iter(sequence) for msg_id, sequence in answers.items()}
        self.asked = []
        self.under_way = self.most = 0

    def build_query(self, msg_id):
        """Let the msg_id stand for the question."""
        return msg_id

    async def ask(self, msg_id):
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
    tracker = track("a", accepted=LONG_AGO)

    assert poll(tracker, Answers(a=answers), rounds=len(answers)).pending == pending


@pytest.mark.parametrize(
    ("began", "accepted", "final"),
    [
        (LONG_AGO, LONG_AGO, True),
        (LATER, LONG_AGO, True),
        (LATER, None, False),
        (LONG_AGO, LATER, True),  # the clock of the machine that sent them is wrong
        (LATER, LONG_AGO + 1, False),
    ],
)
def test_doubt_needs_time_since_the_acceptance(began, accepted, final):
    """Before, the gateway may only be late; where the acceptance is not known, the wait's start counts."""
    tracker = track("a", began=began, accepted=accepted, clock=lambda: LATER)

    summary = poll(tracker, Answers(a=["UNKNOWN"] * 3), rounds=3)

    assert (summary.failed, summary.pending) == ((1, 0) if final else (0, 1))


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

        def build_query(self, msg_id):
            """Let the msg_id stand for the question."""
            return msg_id

        async def ask(self, msg_id):
            self.asked += (msg_id,)
            await asyncio.sleep(0.02)
            return DeliveryStatus.ENROUTE

    slow, tracker = Slow(), track("a", "b", "c", concurrency=1, clock=lambda: LONG_AGO)
    asyncio.run(tracker.poll(slow, deadline=LONG_AGO - 1))
    assert slow.asked == ("a", "b", "c")

    tracker = track("a", "b", "c", concurrency=1, clock=lambda: LONG_AGO)
    asyncio.run(tracker.poll(slow))
    asyncio.run(tracker.poll(slow, deadline=LONG_AGO + 0.01))
    asyncio.run(tracker.poll(slow, deadline=LONG_AGO + 1))
    assert slow.asked[6:] == ("a", "b", "c", "a")
    assert tracker.summarize().pending == 3


def test_the_last_round_begins_at_the_deadline():
    """After it, only messages without any answer are asked, again and again for an hour."""
    now = [LONG_AGO]
    client = Answers(
        a=["ENROUTE"] * 2, b=[OutcomeUnknownError("cut")] * 3 + ["DELIVERED"], c=["ENROUTE", "EXPIRED"]
    )
    tracker = track("a", "b", "c", clock=lambda: now[0], concurrency=1)
    decisions = []
    for _ in range(4):
        asyncio.run(tracker.poll(client, deadline=LONG_AGO + 10))
        decisions.append(tracker.decide(deadline=LONG_AGO + 10, needs_answers=True))
        now[0] += 10

    assert client.asked == ["a", "b", "c", "a", "b", "c", "b", "b"]
    assert decisions == [Decision.WAIT, Decision.WAIT, Decision.WAIT, Decision.TIME_OUT]


def test_a_try_that_begins_late_has_its_hour():
    """A retry an hour after the deadline asks for those without any answer all the same."""
    late = LONG_AGO + 3 * SECONDS_AFTER_DEADLINE
    tracker = track("a", began=LONG_AGO, opened=late, clock=lambda: late)

    assert tracker.decide(deadline=LONG_AGO + 10, needs_answers=True) is Decision.WAIT


def test_a_new_deadline_begins_a_new_last_round():
    """A retry that has a deadline of its own asks for everybody until then, whatever the try before did."""
    first = track("a", "b", clock=lambda: LONG_AGO)
    asyncio.run(first.poll(Answers(a=["ENROUTE"], b=[OutcomeUnknownError("cut")]), deadline=LONG_AGO))
    second = track("a", "b", clock=lambda: LONG_AGO + 60)
    assert second.restore(first.dump("wait"), "wait")
    client = Answers(a=["DELIVERED"], b=["DELIVERED"])

    asyncio.run(second.poll(client, deadline=LONG_AGO + 600))

    assert client.asked == ["a", "b"]


def test_a_final_doubt_stays_final():
    """Times are kept in whole seconds, and a new try begins later: neither takes a conclusion back."""
    options = {"accepted": LONG_AGO, "began": LONG_AGO}
    first = track("a", clock=lambda: LATER + 0.4, **options)
    poll(first, Answers(a=["UNKNOWN"] * 3), rounds=3)
    second = track("a", clock=lambda: LATER, **{**options, "began": LONG_AGO + 100, "accepted": None})
    assert second.restore(first.dump("wait"), "wait")

    assert first.read_status(0).reach is second.read_status(0).reach is Reach.NOT_KNOWN


def test_a_wait_without_a_list_ends_at_the_deadline():
    """Messages without any answer are waited for only where they would be listed, and for an hour only."""
    tracker = track("a", began=0.0, clock=lambda: LONG_AGO)

    assert tracker.decide(deadline=LONG_AGO, needs_answers=False) is Decision.TIME_OUT
    assert tracker.decide(deadline=LONG_AGO, needs_answers=True) is Decision.WAIT
    tracker = track("a", began=0.0, clock=lambda: LONG_AGO + SECONDS_AFTER_DEADLINE)
    an_hour_ago = LONG_AGO
    assert tracker.decide(deadline=an_hour_ago, needs_answers=True) is Decision.TIME_OUT


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
    assert tracker.decide(deadline=LONG_AGO, needs_answers=True) is Decision.TIME_OUT


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

    assert tracker.read_status(0) == MessageStatus("DELIVERED", 1000.0, 1030.0, 2, Reach.REACHED)
    assert tracker.read_status(1) == MessageStatus(None, None, None, 0, Reach.NOT_KNOWN)


def test_a_cut_round_goes_on_where_it_stopped():
    """Messages that never get an answer do not keep those behind them from being asked."""
    size = MAX_CONSECUTIVE_FAILURES + 50
    stuck = {str(number): [OutcomeUnknownError("cut")] * 9 for number in range(1000, 1000 + size)}
    client = Answers(**stuck, **{"9000": ["DELIVERED"]})
    tracker = track(*stuck, "9000", concurrency=1)

    assert poll(tracker, client).delivered == 0
    assert poll(tracker, client).delivered == 1
    assert client.asked[MAX_CONSECUTIVE_FAILURES] == str(1000 + MAX_CONSECUTIVE_FAILURES)


def test_refusals_of_a_living_gateway_hide_nobody():
    """A gateway that answers each question with a code of its own is not down."""
    refused = {str(number): [TemporaryRefusalError("130", code=130)] for number in range(1000, 1120)}
    others = {str(number): ["DELIVERED"] for number in range(2000, 2180)}

    assert poll(track(*refused, *others), Answers(**refused, **others)).delivered == 180


def test_another_process_goes_on():
    """What one process has seen is known to the next: statuses, doubts, times, and where a round was cut."""
    options = {"accepted": LONG_AGO - UNKNOWN_AFTER, "began": LONG_AGO, "clock": lambda: LONG_AGO + 5}
    first = track("7", "8", "x", **options)
    poll(first, Answers(**{"7": ["DELIVERED"], "8": ["UNKNOWN"] * 2, "x": ["ENROUTE"] * 2}), rounds=2)
    dumped = first.dump("wait")

    second = track("7", "8", "x", **{**options, "began": LONG_AGO + 2})
    assert second.restore(dumped, "wait")
    client = Answers(**{"8": ["UNKNOWN"], "x": ["DELIVERED"]})
    summary = poll(second, client)

    assert client.asked == ["8", "x"]
    assert (summary.delivered, summary.failed, summary.examples) == (2, 1, {"8": "UNKNOWN"})
    assert second.read_status(0) == first.read_status(0)


@pytest.mark.parametrize("place", range(8))
def test_what_is_kept_during_a_round_is_believed_where_it_is_whole(monkeypatch, place):
    """Answers that come while the statuses are written make no message final with the status before."""
    options = {"began": LONG_AGO, "clock": lambda: LONG_AGO}
    first = track("7", "8", **options)
    client = Answers(**{"7": ["ENROUTE", "DELIVERED"], "8": [OutcomeUnknownError("cut"), "DELIVERED"]})
    poll(first, client)
    make_packer, pieces = zlib.compressobj, []

    class Packer:
        """Lets a round of answers come before the piece at *place* is read."""

        def __init__(self, **choice):
            self.packer = make_packer(**choice)

        def compress(self, piece):
            if len(pieces) == place:
                poll(first, client)
            pieces.append(piece)
            return self.packer.compress(piece)

        def flush(self):
            return self.packer.flush()

    monkeypatch.setattr(zlib, "compressobj", Packer)
    dumped = first.dump("wait")
    assert len(pieces) == 7
    second = track("7", "8", **options)
    assert second.restore(dumped, "wait")

    assert second.summarize().failed == 0
    assert poll(second, Answers(**{"7": ["DELIVERED"], "8": ["DELIVERED"]})).delivered == 2


@pytest.mark.parametrize(
    ("msg_ids", "wait_id", "criteria"),
    [
        (("a", "c"), "wait", DeliveryCriteria()),
        (("a", "b"), "another", DeliveryCriteria()),
        (("a", "b"), "wait", DeliveryCriteria(accepted_is_delivered=True)),
    ],
    ids=["messages", "wait", "criteria"],
)
def test_another_wait_does_not_go_on(msg_ids, wait_id, criteria):
    """What was seen of other messages, by a wait before a Clear, or under other rules is not believed."""
    first = track("a", "b")
    poll(first, Answers(a=["DELIVERED"], b=["DELIVERED"]))
    second = track(*msg_ids, criteria=criteria)

    assert not second.restore(first.dump("wait"), wait_id)
    assert second.unanswered == 2


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-9], lambda _: b"", lambda _: None, lambda _: b"x" * 99]
)
def test_a_damaged_memory_is_no_memory(damage):
    """Half a file, or another one, is ignored: everybody is asked again."""
    first = track("a", "b")
    poll(first, Answers(a=["DELIVERED"], b=["DELIVERED"]))
    second = track("a", "b")

    assert not second.restore(damage(first.dump("wait")), "wait")
    assert second.unanswered == 2


def test_a_question_that_cannot_be_built_is_no_answer():
    """A msg_id that no request can hold, as of an edited table, leaves the others their answers."""

    class Strict(Answers):
        def build_query(self, msg_id):
            if len(msg_id) > 2:
                raise InvalidMessageError("too long")
            return msg_id

    client = Strict(a=["DELIVERED"], b=["DELIVERED"])
    tracker = track("a", "long", "b")

    summary = poll(tracker, client)

    assert (summary.delivered, summary.pending, tracker.unanswered) == (2, 1, 1)
    assert client.asked == ["a", "b"]


def test_only_open_doubts_are_confirmed():
    """A doubt that has become final, or that another answer has ended, needs no confirmation any more."""
    tracker = track("a", "b", "c", accepted=0.0, clock=lambda: LATER)
    client = Answers(
        a=["UNKNOWN", "DELIVERED"], b=["UNKNOWN", "UNKNOWN", "UNKNOWN"], c=["ACCEPTED", "ACCEPTED"]
    )
    seen = []
    for _ in range(3):
        asyncio.run(tracker.poll(client, only_unconfirmed=bool(seen)))
        later = track("a", "b", "c", accepted=0.0, clock=lambda: LATER)
        assert later.restore(tracker.dump("wait"), "wait")
        seen.append([one.may_confirm(deadline=LATER + 1) for one in (tracker, later)])

    assert seen == [[True, True], [True, True], [False, False]]
    assert client.asked == ["a", "b", "c", "a", "b", "b"]


def test_others_have_their_turn_while_messages_are_counted(monkeypatch):
    """Before the first question and between two rounds, nothing looks at all messages in one piece."""
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 10)
    msg_ids = [str(number) for number in range(1000, 1100)]
    tracker = track(*msg_ids, concurrency=1)
    client = Answers(**{msg_id: ["ACCEPTED", "DELIVERED"] for msg_id in msg_ids})
    turns = []

    async def main():
        for _ in range(2):
            over, asked = asyncio.create_task(tracker.poll(client)), len(client.asked)
            turns.append(0)
            while not over.done() and len(client.asked) == asked:
                turns[-1] += 1
                await asyncio.sleep(0)
            await over

    asyncio.run(main())

    assert min(turns) >= 10
    assert tracker.summarize().delivered == 100


def test_a_hundred_thousand_messages_are_kept_in_little_space():
    """What is kept of a message is a few bytes, without its msg_id."""
    msg_ids = [str(10**9 + number) for number in range(100_000)]
    tracker = track(*msg_ids)
    poll(tracker, Answers(**{msg_id: ["DELIVERED"] for msg_id in msg_ids}))

    dumped = tracker.dump("wait")

    assert len(dumped) < 300_000
    assert msg_ids[5].encode() not in dumped


def test_times_count_from_the_beginning_of_the_wait():
    """A watch that goes on with the wait of another process tells times since that began."""
    tracker = track("a", began=400.0, clock=lambda: 1000.0)
    poll(tracker, Answers(a=["DELIVERED"]))

    assert (tracker.began, tracker.read_status(0).first_seen) == (400.0, 1000.0)


def test_rate_is_bounded():
    """Each question waits for its turn."""
    now, moments = [0.0], []

    async def sleep(seconds):
        now[0] += seconds

    class Timed(Answers):
        async def ask(self, msg_id):
            moments.append(now[0])
            return await super().ask(msg_id)

    limiter = RateLimiter(0.5, clock=lambda: now[0], sleep=sleep)
    poll(track("a", "b", "c", limiter=limiter), Timed(a=["DELIVERED"], b=["DELIVERED"], c=["DELIVERED"]))

    assert moments == [0.0, 2.0, 4.0]


def test_each_question_has_a_nonce_of_its_own():
    """Also one that is asked again because the gateway has turned it away."""
    now, nonces, asked = [0.0], count(), []

    async def sleep(seconds):
        now[0] += seconds

    class Busy(Answers):
        def build_query(self, msg_id):
            return msg_id, next(nonces)

        async def ask(self, query):
            asked.append(query)
            return await super().ask(query[0])

    turned_away = TooManyRequestsError("429", status=429)
    client = Busy(a=[turned_away, turned_away, "DELIVERED"], b=["DELIVERED"])
    limiter = RateLimiter(clock=lambda: now[0], sleep=sleep)

    assert poll(track("a", "b", limiter=limiter), client).delivered == 2
    assert sorted(msg_id for msg_id, _ in asked) == ["a", "a", "a", "b"]
    assert len(set(asked)) == 4
