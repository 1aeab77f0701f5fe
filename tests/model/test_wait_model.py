"""A wait in every mode, under any sequence of answers, lags, kills, retries, Clears and lost memories."""

from math import inf

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model_settings import choose_settings
from model_wait import (
    DOUBTS,
    FAILURES,
    REFUSED,
    REJECTED,
    TRACKED,
    UNSENT,
    UNTOLD,
    Mode,
    Settings,
    Wait,
    World,
)

from airflow_provider_osonsms.delivery import tracker
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria, Reach
from airflow_provider_osonsms.delivery.polling import PollSettings
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

_DELIVERED = ((0, DeliveryStatus.DELIVERED),)
_OPEN = (DeliveryStatus.ENROUTE, DeliveryStatus.ACCEPTED, DeliveryStatus.UNRECOGNIZED, *DOUBTS, REFUSED)
_FATES = st.builds(
    lambda first, times, last: tuple(zip((0, *sorted(times)), (*first, last), strict=False)),
    st.lists(st.sampled_from(_OPEN), max_size=2),
    st.sets(st.sampled_from([20, 70, 200, 520, 2000, 9500]), min_size=2, max_size=2),
    st.sampled_from([*[DeliveryStatus.DELIVERED] * 4, *FAILURES * 2, *_OPEN]),
)
_ROWS = st.tuples(
    st.sampled_from("123"),
    st.sampled_from(["992900000001", "992900000002"]),
    st.sampled_from([*[TRACKED] * 12, UNSENT, REJECTED, *UNTOLD]),
    _FATES,
)
_CAMPAIGNS = st.tuples(
    st.sampled_from([None, "order"]),
    st.sampled_from([0, 100, None]),
    st.lists(_ROWS, min_size=1, max_size=3, unique_by=lambda row: row[0]),
)
_CRITERIA = st.builds(
    DeliveryCriteria,
    min_delivered=st.sampled_from([0.0, 0.5, 1.0]),
    accepted_is_delivered=st.sampled_from([*[False] * 4, True]),
    unknown_after=st.sampled_from([0.2, 60.2, 300.2]),
    stop_early=st.sampled_from([*[False] * 4, True]),
)
_SETTINGS = st.builds(
    Settings,
    timeout=st.sampled_from([100.0, 900.0, 9000.0]),
    polling=st.builds(
        PollSettings, poll_interval=st.sampled_from([30.0, 60.0]), concurrency=st.integers(1, 3)
    ),
    criteria=_CRITERIA,
    latency=st.sampled_from([0.0, 0.0, 0.0, 0.125, 20.0]),
    is_lasting=st.booleans(),
)
_WHEN = st.tuples(st.sets(st.sampled_from(Mode), min_size=1), st.sampled_from([0, 0, 30, 400]))


class WaitMachine(RuleBasedStateMachine):
    """Waits for the same messages, one in each mode, and all that happens meanwhile."""

    waits = ()

    @initialize(
        campaigns=st.lists(_CAMPAIGNS, min_size=1, max_size=3),
        lag=st.sampled_from([0] * 5 + [20, 150, 1500, inf]),
        settings=_SETTINGS,
        is_calm=st.booleans(),
    )
    def begin(self, campaigns, lag, settings, is_calm):
        """Choose what stays: a wrong account is a lag without an end; a calm world disturbs nobody."""
        self.world, self.settings = World(campaigns, lag=lag), settings
        self.waits = [Wait(mode, self.world, settings) for mode in Mode]
        self.seconds, self.back, self.is_calm, self.is_disturbed = 0.0, 0.0, is_calm, False
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(tracker, "MAX_CONSECUTIVE_FAILURES", 3)

    @rule(seconds=st.sampled_from([30, 100, 400, 1000, 4000]))
    def advance(self, seconds):
        """Let the waits go on; what ends tells the truth."""
        self.seconds += seconds
        for wait in self.waits:
            was_running = wait.is_running
            wait.run_until(self.seconds)
            if was_running and not wait.is_running:
                _check_decision(wait)
                _check_lists(wait)
                _check_questions(wait)

    @rule(when=_WHEN, after=st.none() | st.integers(0, 3), is_hard=st.booleans())
    def kill(self, when, after, is_hard):
        """Kill processes, now or after some more questions; one that is cancelled keeps what it knows."""
        for wait in self._disturb(*when):
            if after is None and wait.is_running:
                wait.kill()
            wait.kill_after, wait.is_killed_hard = after, is_hard

    @rule(when=_WHEN, is_clear=st.booleans())
    def retry(self, when, is_clear):
        """Retry or clear tasks."""
        for wait in self._disturb(*when):
            wait.start_try(is_clear=is_clear)

    @rule(when=_WHEN, writings=st.integers(0, 3), is_wiped=st.booleans())
    def fail(self, when, writings, is_wiped):
        """Let the next writings fail, or memories forget everything."""
        for wait in self._disturb(*when):
            wait.store.failures = wait.files.failures = writings
            wait.losses += 2 * writings
            if is_wiped:
                wait.store.wipe()
                wait.files.wipe("memory")

    @rule(when=_WHEN, seconds=st.sampled_from([-90, 500, 5000]))
    def jump(self, when, seconds):
        """Set the clock on the wall."""
        self.back -= min(seconds, 0)
        for wait in self._disturb(*when):
            wait.loop.wall += seconds

    @rule(when=_WHEN, msg_id=st.sampled_from(["10000", "10001", "20000"]), times=st.integers(1, 100))
    def lose(self, when, msg_id, times):
        """Let the next answers for a message be lost."""
        for wait in self._disturb(*when):
            wait.lost[msg_id] += times

    @rule(seconds=st.sampled_from([30, 400, 5000]))
    def go_down(self, seconds):
        """Let the gateway be down for a while."""
        self.world.downs.append((self.seconds, self.seconds + seconds))

    def teardown(self):
        """Each wait ends, and those that nothing has disturbed end alike; so does one more try of each."""
        try:
            self._end()
            if self.waits and not self.is_disturbed and _is_steady(self.world, self.settings):
                first, *others = (wait for wait in self.waits if wait.mode is not Mode.FORGETFUL)
                assert all(wait.decision is first.decision for wait in others)
                assert all(wait.lists[False] == first.lists[False] for wait in others)
            for wait in self.waits:
                wait.start_try()
            self._end()
        finally:
            for wait in self.waits:
                self.patch.undo()
                wait.loop.close()

    def _disturb(self, modes, seconds):
        self.advance(seconds)
        self.is_disturbed |= not self.is_calm
        for wait in self.waits:
            if wait.mode in modes and not self.is_calm:
                wait.losses += 1
                yield wait

    def _end(self):
        for wait in self.waits:
            wait.kill_after, wait.store.failures, wait.files.failures = None, 0, 0
        if self.waits:
            self.advance(self.settings.timeout + self.back + 3900)
        assert not any(wait.is_running for wait in self.waits)


def _is_steady(world, settings):
    """Whether it does not matter when exactly a wait asks, as long as it asks at the deadline."""
    criteria, doubt_end = settings.criteria, settings.criteria.unknown_after - 100
    if settings.latency or criteria.stop_early or criteria.accepted_is_delivered:
        return False
    if any(end >= settings.timeout and begin <= settings.timeout + 3700 for begin, end in world.downs):
        return False
    lag = [((0, DeliveryStatus.NOT_FOUND), (world.lag, ""))] if world.lag else []
    for fate in (*world.fates.values(), *lag):
        for (since, status), (end, _) in zip(fate, (*fate[1:], (inf, "")), strict=True):
            is_lasting = since == 0 and end == inf and not world.downs
            is_fickle = status in DOUBTS and end > doubt_end and not is_lasting
            if is_fickle or (status is REFUSED and since):
                return False
    return True


def _check_decision(wait):
    seen, tracked = wait.known.values(), len(wait.world.fates)
    is_strange = sum(one.status is DeliveryStatus.NOT_FOUND for one in seen) > tracked / 5
    assert (wait.decision is Decision.ASK_ACCOUNT) == is_strange
    needed = wait.settings.criteria.min_delivered * tracked
    is_enough = sum(one.reach is Reach.REACHED for one in seen) >= needed
    assert is_strange or (wait.decision is Decision.SUCCEED) == is_enough


def _check_lists(wait):
    """With the unknown, a list has everybody who is not known as reached; without, those known as not."""
    reaches = {}
    for person, parts in wait.world.people.items():
        known = {wait.known[msg_id].reach for _, msg_id in parts if msg_id in wait.known}
        unasked = {
            Reach.NOT_REACHED if sent is UNSENT else Reach.NOT_KNOWN
            for sent, _ in parts
            if sent is not TRACKED
        }
        reaches[person] = known | unasked
    is_unsure = any(msg_id not in wait.known for msg_id in wait.world.fates)
    assert not is_unsure or wait.loop.read_clock() >= wait.end
    is_silent = is_unsure or wait.decision is Decision.ASK_ACCOUNT or _has_strange_campaign(wait)
    for include_unknown, (rows, problem) in wait.lists.items():
        assert (rows is None) == (is_silent or problem is not None)
        assert is_silent or problem is None or "ConnectionError" in problem
        listed = {(row.key_column, row.key, row.phone): row.reach for row in rows or ()}
        assert len(listed) == len(rows or ())
        for person, some in reaches.items() if rows is not None else ():
            is_failed = some == {Reach.NOT_REACHED}
            is_wanted = is_failed or (include_unknown and Reach.REACHED not in some)
            assert (person in listed) == is_wanted
            assert not is_wanted or listed[person] in (some if is_failed else some - {Reach.NOT_REACHED})


def _has_strange_campaign(wait):
    """Whether the gateway knows less than half of one campaign of several."""
    unknown = {msg_id for msg_id, seen in wait.known.items() if seen.status is DeliveryStatus.NOT_FOUND}
    some = [[row.msg_id for row in rows if row.key is not None] for _, _, rows in wait.world.tables]
    return len(some) > 1 and any(2 * len(unknown & set(msg_ids)) > len(msg_ids) for msg_ids in some)


def _check_questions(wait):
    """A message is asked for once a round; after the deadline, that is the last one if there is an answer."""
    settings, age, rounds = wait.settings, 0.0, 1
    while age < settings.timeout:
        age += settings.polling.plan_pause(age)
        rounds += 1
    rounds += wait.tries * (3600 // settings.polling.poll_interval + 1)
    spare = wait.losses * (2 + 90 // settings.polling.poll_interval)
    is_forgetful = wait.mode is Mode.FORGETFUL
    per_round = settings.criteria.unknown_limit if is_forgetful else 1
    assert max(wait.questions.values(), default=0) <= per_round * rounds + spare
    latest = max(wait.late.values(), default=0)
    assert is_forgetful or latest <= 1 + (settings.latency > 0) + wait.losses


def _wait_for(fates, mode, **settings):
    rows = [(str(number), f"9929{number:08}", TRACKED, fate) for number, fate in enumerate(fates)]
    return Wait(mode, World([(None, 0, rows)]), Settings(**settings))


@pytest.mark.parametrize("is_lasting", [True, False])
def test_each_question_is_answered_once(is_lasting):
    """A lost answer among 200 questions costs one more question, and not another 2,000."""
    wait = _wait_for([_DELIVERED] * 2000, Mode.RESCHEDULE, is_lasting=is_lasting)
    wait.lost.update(list(wait.world.fates)[::199])

    wait.run_until(1000)
    wait.loop.close()

    assert wait.decision is Decision.SUCCEED
    assert wait.questions.total() <= 2020
    assert wait.lists[False] == ([], None)


@pytest.mark.parametrize("mode", [Mode.RESCHEDULE, Mode.FORGETFUL])
def test_refusals_hide_nobody(mode):
    """120 messages that are answered with an unlisted code for ever do not hide 180 others."""
    polling = PollSettings(poll_interval=60.0)
    wait = _wait_for([((0, REFUSED),)] * 120 + [_DELIVERED] * 180, mode, timeout=300.0, polling=polling)

    wait.run_until(4000)
    wait.loop.close()

    assert wait.decision is Decision.TIME_OUT
    assert wait.tracker.summarize().delivered == 180
    assert wait.lists[False][0] is None


def test_each_deadline_has_a_last_round():
    """A retry with a deadline of its own asks for everybody once more when that has come."""
    fate = ((0, DeliveryStatus.ENROUTE), (5095, DeliveryStatus.DELIVERED))
    polling = PollSettings(poll_interval=30.0)
    wait = _wait_for([fate], Mode.RESCHEDULE, timeout=100.0, is_lasting=False, polling=polling)
    wait.world.downs.append((0, 4000))

    wait.run_until(5000)
    wait.start_try()
    wait.run_until(9000)
    wait.loop.close()

    assert wait.decision is Decision.SUCCEED


TestWait = WaitMachine.TestCase
TestWait.settings = choose_settings(share=1 / 4)
