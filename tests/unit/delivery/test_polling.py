"""When a waiting task asks again."""

import random
import re
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.delivery.polling import PollSettings

DOCS = Path(__file__).parents[3] / "docs" / "delivery.md"
WAITS = {"a minute": 60, "an hour": 3600, "a day": 86_400}


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


def count_questions(seconds, *, jitter, **settings):
    """Count the rounds of a wait with this timeout, from its first look to the one at the deadline."""
    polling, age, rounds = PollSettings(**settings), 0.0, 1
    while seconds - age > 0.001:  # not the rest of a sum of floats
        age += polling.plan_pause_until(seconds, began=0.0, now=age, jitter=jitter)
        rounds += 1
    return rounds


@pytest.mark.parametrize("wait", WAITS)
def test_the_docs_know_the_number_of_questions(wait):
    """The table of questions in docs/delivery.md is the computed one."""
    (line,) = re.findall(rf"^\| {wait} \|(.*)\|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)

    assert [int(cell) for cell in line.split("|")] == [
        count_questions(WAITS[wait], jitter=0.0),
        count_questions(WAITS[wait], jitter=1.0),
        count_questions(WAITS[wait], jitter=0.0, max_poll_interval=900),
    ]


@given(st.floats(0, 1))
def test_a_day_is_a_hundred_questions(jitter):
    """A message that stays on its way for a day costs at most 100 questions, however chance has it."""
    assert count_questions(86_400, jitter=jitter) <= count_questions(86_400, jitter=1.0) <= 100
