"""Turns to begin a request: evenly spread, fewer when the gateway asks for it, then more again."""

import math
from collections import Counter

import pytest

from airflow_provider_osonsms.client.rate import RateLimiter


class Time:
    """Seconds that go by only while somebody waits."""

    def __init__(self):
        self.now = 0.0

    def read(self):
        """Return the seconds."""
        return self.now

    async def sleep(self, seconds):
        """Let them go by."""
        self.now += seconds


def take_turn(limiter):
    """Wait for a turn, by a clock that lets nobody wait for an event loop."""
    waiting = limiter.take_turn()
    try:
        waiting.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something else than the clock")


@pytest.fixture
def time():
    """A clock at 0."""
    return Time()


@pytest.fixture
def make_limiter(time):
    """Make a limiter with this clock."""

    def make(max_rate=None, **options):
        return RateLimiter(max_rate, clock=time.read, sleep=time.sleep, **options)

    return make


def test_turns_are_evenly_spread(make_limiter, time):
    """Between two turns is the same time, and who comes late after a pause has no burst."""
    limiter, moments = make_limiter(4), []
    for pause in (0, 0, 0, 10, 0):
        time.now += pause
        take_turn(limiter)
        moments.append(time.now)

    assert moments == [0, 0.25, 0.5, 10.5, 10.75]


def test_a_timer_that_is_late_costs_no_turns(make_limiter, time):
    """A turn that comes some milliseconds late leaves the next one where it was."""
    limiter = make_limiter(10)
    for _ in range(100):
        take_turn(limiter)
        time.now += 0.015

    assert time.now == pytest.approx(9.9 + 0.015)


def test_without_a_limit_nobody_waits(make_limiter, time):
    """Without a limit there is none until the gateway shows one."""
    limiter = make_limiter()
    for _ in range(1000):
        take_turn(limiter)
        limiter.count_answer()

    assert (time.now, limiter.rate) == (0, math.inf)


def answer(limiter, time, number, *, seconds=0.0):
    """Let some requests be answered, one after the other."""
    for _ in range(number):
        take_turn(limiter)
        time.now += seconds
        limiter.count_answer()


def test_the_measured_rate_is_halved(make_limiter, time):
    """The first 429 halves the rate that was accepted, without a pause between two rounds."""
    limiter = make_limiter()
    answer(limiter, time, 3)
    time.now += 3600
    answer(limiter, time, 101, seconds=0.01)
    limiter.slow_down(0, retry_after=0, status=429)

    assert limiter.rate == pytest.approx(50, rel=0.02)


def test_requests_of_one_moment_tell_one_thing(make_limiter, time):
    """Sixteen requests that are under way together halve the rate once."""
    limiter = make_limiter(32)
    numbers = [take_turn(limiter) for _ in range(16)]
    for number in numbers:
        limiter.slow_down(number, retry_after=0, status=429)

    assert (limiter.rate, limiter.throttled) == (16, 16)
    limiter.slow_down(take_turn(limiter), retry_after=0, status=429)
    assert limiter.rate == 8


@pytest.mark.parametrize(("max_rate", "lowest"), [(100, 1), (0.5, 0.5), (None, 1)])
def test_there_is_a_lowest_rate(make_limiter, time, *, max_rate, lowest):
    """However often the gateway says no, it is asked each second, or as rarely as the user wants."""
    limiter = make_limiter(max_rate)
    for _ in range(20):
        limiter.slow_down(take_turn(limiter), retry_after=0, status=503)

    assert limiter.rate == lowest


def test_it_grows_by_the_second_and_not_above_the_limit(make_limiter, time):
    """After a 429 at 40 a second it grows by 4 in each second, up to the limit that is set."""
    limiter = make_limiter(40)
    answer(limiter, time, 40)
    limiter.slow_down(take_turn(limiter), retry_after=0, status=429)
    began, rates = time.now, {}
    while time.now < began + 8:
        answer(limiter, time, 1)
        rates[int(time.now - began)] = limiter.rate

    assert rates[1] == pytest.approx(28, abs=1)
    assert rates[3] == pytest.approx(36, abs=1)
    assert rates[7] == 40


def test_it_does_not_grow_while_something_else_holds_the_requests_up(make_limiter, time):
    """A slow gateway below the rate says nothing about a higher one."""
    limiter = make_limiter(40)
    limiter.slow_down(take_turn(limiter), retry_after=0, status=429)
    answer(limiter, time, 2, seconds=3)
    rate = limiter.rate
    answer(limiter, time, 50, seconds=3)

    assert limiter.rate == rate


def test_after_an_outage_it_comes_back_soon(make_limiter, time):
    """A gateway that was away for minutes tells nothing about the rate: half of it is back in seconds."""
    limiter = make_limiter(100)
    answer(limiter, time, 100)
    for _ in range(300):
        limiter.slow_down(take_turn(limiter), retry_after=0, status=503)
    assert limiter.rate == 1
    began = time.now
    while limiter.rate < 50:
        answer(limiter, time, 1)

    assert time.now - began < 10


def test_nobody_begins_before_the_end_of_the_pause(make_limiter, time):
    """A pause holds for all, also for who waits already; a stop ends it within a second."""
    limiter = make_limiter(10, is_over=lambda: time.now > 100)
    limiter.slow_down(take_turn(limiter), retry_after=30, status=429)
    take_turn(limiter)
    assert time.now == 30

    limiter.slow_down(0, retry_after=10_000, status=429)
    take_turn(limiter)
    assert 100 < time.now <= 101.5


def test_how_long_everything_is_turned_away(make_limiter, time):
    """The seconds are counted from the first refusal after the last answer."""
    limiter = make_limiter(10)
    time.now = 50
    assert limiter.seconds_throttled == 0
    for _ in range(3):
        limiter.slow_down(0, retry_after=0, status=429)
        time.now += 20
    assert limiter.seconds_throttled == 60
    limiter.count_answer()
    assert limiter.seconds_throttled == 0


class Bucket:
    """A gateway's limit by its own clock: so many a second, and so many at once."""

    def __init__(self, rate, *, burst):
        self._rate, self._burst, self._tokens, self._at = rate, burst, burst, 0.0

    def admit(self, now):
        """Say whether a request at *now* is accepted."""
        self._tokens = min(self._tokens + (now - self._at) * self._rate, self._burst)
        self._at = now
        is_admitted = self._tokens >= 1
        self._tokens -= is_admitted
        return is_admitted


def share(bucket, tasks, seconds, *, latency, retry_after=0.0, max_rate=None):
    """Let *tasks* send through *bucket* as fast as their limiters let them, 16 requests at a time each.

    Returns:
        The moments of acceptance of each task, and how many requests were turned away.
    """
    time = Time()

    class NotYetError(Exception):
        pass

    async def wait(_seconds):
        raise NotYetError

    limiters = [RateLimiter(max_rate, clock=time.read, sleep=wait) for _ in range(tasks)]
    under_way = [[] for _ in range(tasks)]
    accepted, turned_away = [[] for _ in range(tasks)], 0
    while time.now < seconds:
        for task, limiter in enumerate(limiters):
            while under_way[task] and under_way[task][0][0] <= time.now:
                _, number, is_accepted = under_way[task].pop(0)
                if is_accepted:
                    limiter.count_answer()
                else:
                    limiter.slow_down(number, retry_after=retry_after, status=429)
            while len(under_way[task]) < 16:
                try:
                    number = take_turn(limiter)
                except NotYetError:
                    break
                is_accepted = bucket.admit(time.now)
                turned_away += not is_accepted
                if is_accepted:
                    accepted[task].append(time.now)
                under_way[task].append((time.now + latency, number, is_accepted))
        time.now += 0.001
    return accepted, turned_away


@pytest.mark.parametrize("latency", [0.005, 0.05, 0.3])
@pytest.mark.parametrize("burst", [5, 50])
@pytest.mark.parametrize("tasks", [1, 4])
def test_tasks_share_a_gateway_of_50_a_second(*, tasks, burst, latency):
    """Without a rate that is set they come to at least 40 a second together, and each has its share."""
    accepted, turned_away = share(Bucket(50, burst=burst), tasks, 60, latency=latency)

    late = [[moment for moment in moments if moment >= 10] for moments in accepted]
    assert sum(map(len, late)) >= 40 * 50
    assert min(map(len, late)) >= 0.3 * max(map(len, late))
    assert turned_away < 0.3 * sum(map(len, accepted))


def test_shares_of_a_limit_are_not_turned_away(time):
    """Tasks that divide the limit among them use it up, and no request is turned away."""
    accepted, turned_away = share(Bucket(50, burst=5), 4, 20, latency=0.05, max_rate=12.5)

    assert turned_away == 0
    assert Counter(len(moments) // 10 for moments in accepted) == {25: 4}
