"""When a waiting task asks again."""

import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.delivery.polling import PollSettings


@given(st.floats(0, 1e9), st.floats(0.01, 3600), st.floats(0.01, 3600), st.floats(0, 1))
def test_pauses_are_bounded(age, poll_interval, max_poll_interval, jitter):
    """A pause is never much shorter than the interval, and never longer than the longest one."""
    pause = PollSettings(poll_interval=poll_interval, max_poll_interval=max_poll_interval).plan_pause(
        age, jitter=jitter
    )

    assert 0.89 * poll_interval <= pause <= max(poll_interval, max_poll_interval)


def test_old_messages_are_asked_less_often():
    """Without jitter the ages at which a message is asked for are 10, 30, 90 s, then every minute."""
    ages, age = [], 0.0
    for _ in range(6):
        age += PollSettings().plan_pause(age)
        ages.append(age)

    assert ages == [10, 30, 90, 150, 210, 270]


def test_ten_thousand_messages_cost_few_questions():
    """Delivered within a log-normal five minutes: at most 8 questions each, the last noticed in a minute."""
    source = random.Random(6)
    polling = PollSettings()
    wishes = sorted(source.lognormvariate(0, 0.5) for _ in range(10_000))
    average = mean(wishes)
    deliveries = [wish * 300 / average for wish in wishes]

    age, asked, noticed = 6.0, 0, 0  # as the trigger, which first looks after 6 s
    while noticed < len(deliveries):
        asked += len(deliveries) - noticed
        noticed = sum(delivered <= age for delivered in deliveries)
        seen_at = age
        age += polling.plan_pause(age, jitter=source.random())

    assert asked / len(deliveries) <= 8
    assert seen_at - deliveries[-1] <= 60


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"poll_interval": 0}, "poke_interval"),
        ({"max_poll_interval": -1}, "max_poll_interval"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 2.5}, "concurrency"),
        ({"max_rate": 0}, "max_rate"),
    ],
)
def test_wrong_paces(fields, name):
    """A pace that never comes to an end, or asks nobody, is refused by name."""
    with pytest.raises(ValueError, match=name):
        PollSettings(**fields)
