"""Campaigns through a gateway that asks to slow down: everybody is texted once, and no task fails for it."""

import multiprocessing
from collections import Counter
from decimal import Decimal

import pytest

from airflow_provider_osonsms.simulator import Fault

THROTTLES = (Fault.TOO_MANY_REQUESTS, Fault.UNAVAILABLE, Fault.UNAVAILABLE_AFTER)


def count_texts(gateway):
    """Return how many people were texted so many times."""
    return Counter(Counter(sms.phone for sms in gateway.sent).values())


@pytest.mark.parametrize("fault", THROTTLES)
def test_it_is_no_failure(gateway, run_task, make_campaign, fault):
    """Where a single failure would stop it, rows that are turned away do not, and all are texted once."""
    gateway.inject(fault, times=2, every=4)

    result = run_task(make_campaign(12, max_consecutive_failures=1))

    assert result.state == "success", result.error
    assert count_texts(gateway) == {1: 12}
    outcomes = result.xcom["outcomes"]
    assert outcomes["accepted"] + outcomes["accepted_untracked"] == 12
    assert bool(outcomes["accepted_untracked"]) is (fault is Fault.UNAVAILABLE_AFTER)


@pytest.mark.parametrize("status", [429, 503])
def test_four_parts_at_once(gateway, run_task, make_campaign, *, monkeypatch, status):
    """Four tasks that know of no limit share a gateway that has one: no task fails, all are texted once."""
    # four processes at once on a busy machine: connecting may take longer than a second
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(timeout=60))
    gateway.backend.change_behavior(max_rate=150, throttle_status=status)
    fork = multiprocessing.get_context("fork")

    def send(index, states):
        campaign = make_campaign(make_people(index), campaign_id="one", max_consecutive_failures=1)
        states.put(run_task(campaign, map_index=index).state)

    def make_people(index):
        return [{"phone": f"99290{index}{row:06}", "name": f"N{row}"} for row in range(100)]

    states = fork.SimpleQueue()
    parts = [fork.Process(target=send, args=(index, states)) for index in range(4)]
    for part in parts:
        part.start()
    for part in parts:
        part.join(60)

    assert [states.get() for _ in parts if not states.empty()] == ["success"] * 4
    assert count_texts(gateway) == {1: 400}
    assert {refusal.http_status for refusal in gateway.refusals} == {status}


def test_a_killed_task_goes_on(gateway, run_task, make_campaign, tmp_path):
    """What was accepted before a 503 is not sent again by the next try, and what was turned away is."""
    gateway.inject(Fault.UNAVAILABLE_AFTER, times=3, every=5)
    gateway.backend.change_account("demo", balance=Decimal("1.50"))
    options = {"results_path": str(tmp_path / "results.csv"), "concurrency": 1}
    first = run_task(make_campaign(30, **options))
    gateway.backend.change_account("demo", balance=Decimal(100))

    second = run_task(make_campaign(30, **options), try_number=2)

    assert (first.state, second.state) == ("up_for_retry", "success")
    assert count_texts(gateway) == {1: 30}


class TestShares:
    """The Connection's rate is that of the account: a mapped campaign says what part of it is its own."""

    @pytest.fixture(autouse=True)
    def limited(self, gateway, monkeypatch):
        """A Connection with a rate."""
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(timeout=1, max_rate=200))

    def test_a_mapped_campaign_says_its_share(self, gateway, run_task, make_campaign):
        """Without a share each task would take all of it: it is refused before a request."""
        result = run_task(make_campaign(5, campaign_id="one"), map_index=0)

        assert (result.state, sum(gateway.requests.values())) == ("failed", 0)
        assert "rate_share" in str(result.error)
        assert "200 a second" in str(result.error)

    @pytest.mark.parametrize(
        "options",
        [{"rate_share": "1/4"}, {"rate_share": "{{ 0.25 }}"}, {"max_rate": 50}, {"rate_share": 1.0}],
    )
    def test_with_a_share_or_a_rate_it_sends(self, gateway, run_task, make_campaign, caplog, options):
        """The rate of the task is its share of the Connection's, or its own."""
        caplog.set_level("INFO")
        result = run_task(make_campaign(5, campaign_id="one", **options), map_index=0)

        assert result.state == "success", result.error
        assert count_texts(gateway) == {1: 5}
        assert f"at most {200 if options.get('rate_share') == 1.0 else 50} a second" in caplog.text

    def test_a_single_campaign_takes_all_of_it(self, run_task, make_campaign, caplog):
        """A task that is not mapped needs no share."""
        caplog.set_level("INFO")

        assert run_task(make_campaign(5)).state == "success"
        assert "at most 200 a second" in caplog.text


def test_a_share_of_nothing(gateway, run_task, make_campaign):
    """A share of a rate that is not set would be ignored: it is refused."""
    result = run_task(make_campaign(5, rate_share=0.5))

    assert (result.state, sum(gateway.requests.values())) == ("failed", 0)
    assert "max_rate, which is not set" in str(result.error)


@pytest.mark.parametrize("share", ["1/4", "{{ params.share }}"])
def test_a_share_and_a_rate(make_campaign, share):
    """Both say how fast a task is: giving both breaks the DAG."""
    with pytest.raises(ValueError, match="give one of them"):
        make_campaign(5, rate_share=share, max_rate=10)
