"""Which requests meet a fault."""

import pytest
from pydantic import ValidationError

from airflow_provider_osonsms.simulator import Fault, SimulatedGateway
from airflow_provider_osonsms.simulator.faults import FaultRule, FaultRules
from airflow_provider_osonsms.simulator.ledger.records import Call


def choose(rules: FaultRules, requests: int, call: Call = Call.SEND) -> list[Fault | None]:
    """Return what so many requests meet."""
    return [rules.choose(call) for _ in range(requests)]


def test_times_and_order() -> None:
    """Rules are met in the order in which they were added, each as often as it says, by its own call only."""
    rules = FaultRules()
    rules.add(FaultRule(fault=Fault.CUT_AFTER, times=2))
    rules.add(FaultRule(fault=Fault.EMPTY))
    rules.add(FaultRule(fault=Fault.GARBAGE, call=Call.QUERY))

    assert choose(rules, 4) == [Fault.CUT_AFTER, Fault.CUT_AFTER, Fault.EMPTY, None]
    assert choose(rules, 2, Call.QUERY) == [Fault.GARBAGE, None]
    assert rules.list_rules() == []


def test_every() -> None:
    """Each n-th request meets the fault, for ever when told so."""
    rules = FaultRules()
    rules.add(FaultRule.model_validate({"fault": "cut_before", "every": 3, "times": "always"}))

    hits = [number for number, fault in enumerate(choose(rules, 10), start=1) if fault]
    assert hits == [3, 6, 9]


def test_probability_is_reproducible() -> None:
    """One seed gives the same faults again, another seed others, both about as many as asked for."""

    def draw(seed: int) -> list[Fault | None]:
        rules = FaultRules(seed)
        rules.add(FaultRule(fault=Fault.CUT_AFTER, times=None, probability=0.2))
        return choose(rules, 1000)

    assert draw(7) == draw(7) != draw(8)
    assert 150 < 1000 - draw(7).count(None) < 250


def test_what_waits_can_be_seen_and_cleared() -> None:
    """The rules in force are shown with the times that are left, and can be taken back."""
    rules = FaultRules()
    rules.add(FaultRule(fault=Fault.CUT_AFTER, times=3))
    choose(rules, 1)
    assert [rule.times for rule in rules.list_rules()] == [2]

    rules.clear()
    assert choose(rules, 1) == [None]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"fault": "flood"}, "fault"),
        ({"fault": "cut_after", "every": 0}, "every"),
        ({"fault": "cut_after", "times": 0}, "times"),
        ({"fault": "cut_after", "probability": 1.5}, "probability"),
        ({"fault": "cut_after", "call": "fax"}, "call"),
        ({"fault": "not_stored_but_used_up", "call": "query"}, "only a send can use up its txn_id"),
    ],
)
def test_a_rule_that_cannot_be(rule: dict[str, object], problem: str) -> None:
    """A rule that nothing could meet is refused by name."""
    with pytest.raises(ValidationError, match=problem):
        SimulatedGateway().inject(**rule)
