"""The page begins with what was asked for, what was reached, and why the wait ended."""

import pytest

from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.report.numbers import read_format
from airflow_provider_osonsms.delivery.report.translations import Language, read_words
from airflow_provider_osonsms.delivery.report.verdict import Ending, make_verdict
from airflow_provider_osonsms.delivery.summary import DeliverySummary

DEADLINE = 1_795_500_000.0


def judge(decision, *, pending=0, ended=DEADLINE - 1, language="en", count=None):
    """Return the verdict of 533 of 600 messages; 10 others cannot be tracked."""
    summary = DeliverySummary(total=610, delivered=533, failed=67 - pending, pending=pending, untracked=10)
    return make_verdict(
        summary,
        Ending(decision, DEADLINE),
        criteria=DeliveryCriteria(min_delivered=0.95, min_delivered_count=count),
        numbers=read_format(Language(language)),
        ended=ended,
    )


def test_the_sentence():
    """The share is one of the messages that can be tracked, as in the decision itself."""
    verdict = judge(Decision.FAIL)

    assert verdict.sentence == "88.8% of 600 messages delivered, 95% asked for: not reached"
    assert verdict.reason == "Every message has a final status."


@pytest.mark.parametrize(
    ("decision", "pending", "ended", "result", "reason", "kind"),
    [
        (Decision.SUCCEED, 0, DEADLINE - 1, "verdict_reached", "ended_all", "good"),
        (Decision.SUCCEED, 3, DEADLINE + 1, "verdict_reached", "ended_deadline", "good"),
        (Decision.SUCCEED, 3, DEADLINE - 1, "verdict_reached", "ended_early", "good"),
        (Decision.FAIL, 0, DEADLINE + 1, "verdict_not_reached", "ended_all", "bad"),
        (Decision.FAIL, 3, DEADLINE - 1, "verdict_not_reached", "ended_early", "bad"),
        (Decision.TIME_OUT, 3, DEADLINE + 1, "verdict_not_reached", "ended_deadline", "bad"),
        (Decision.ASK_ACCOUNT, 3, DEADLINE + 1, "verdict_unknown", "ended_account", "wait"),
        (None, 3, DEADLINE - 1, "verdict_unknown", "ended_error", "wait"),
    ],
)
@pytest.mark.parametrize("language", list(Language))
def test_every_ending(*, decision, pending, ended, result, reason, kind, language):
    """Each ending has a verdict and a reason of its own, in each language."""
    words = read_words(language)

    verdict = judge(decision, pending=pending, ended=ended, language=language)

    assert verdict.sentence.endswith(f": {words[result]}")
    assert verdict.reason == words[reason].format(pending=pending)
    assert verdict.kind == kind


def test_a_number_is_asked_for():
    """A number of messages is written as one."""
    assert "500 asked for" in judge(Decision.SUCCEED, count=500).sentence
