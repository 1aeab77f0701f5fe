"""What stops a campaign, and what is left for its next try."""

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.campaign import journal
from airflow_provider_osonsms.campaign import send_loop as sending
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.simulator import Fault


@pytest.fixture
def kill_running(monkeypatch):
    """End the next run as Airflow does, which runs a copy: some time after it has begun to send."""
    send = OsonSmsCampaignOperator._send

    def prepare(*, after: float, how: str = "on_kill") -> None:
        def begin(self, *args, **kwargs):
            monkeypatch.setattr(OsonSmsCampaignOperator, "_send", send)
            end = self.on_kill if how == "on_kill" else lambda: os.kill(os.getpid(), signal.SIGALRM)
            threading.Timer(after, end).start()
            return send(self, *args, **kwargs)

        monkeypatch.setattr(OsonSmsCampaignOperator, "_send", begin)

    return prepare


def test_a_refused_account_stops_at_once(gateway, run_task, make_campaign):
    """A sender of somebody else ends the task without retry, after a request per worker."""
    result = run_task(make_campaign(500, sender="BANK", concurrency=4))

    assert result.state == "failed"
    assert "107" in str(result.error)
    assert gateway.sent == []
    assert len(gateway.refusals) <= 4


def test_a_blocked_account_goes_on_when_it_is_open_again(gateway, run_task, make_campaign):
    """After the account is unblocked a Clear texts everybody."""
    gateway.backend.change_account("demo", is_blocked=True)
    assert run_task(make_campaign(20)).state == "failed"

    gateway.backend.change_account("demo", is_blocked=False)
    assert run_task(make_campaign(20), try_number=2).state == "success"
    assert len(gateway.sent) == 20


def test_another_installation_has_used_the_keys(
    gateway, run_task, make_campaign, supervisor, has_state_store
):
    """Keys that are taken although nothing explains it stop the task and name key_namespace."""
    run_task(make_campaign(5))
    supervisor.store.clear()  # the other installation has a journal of its own

    result = run_task(make_campaign(5, concurrency=1))

    assert result.state == "failed"
    assert "key_namespace" in str(result.error)
    if has_state_store:
        assert "key_namespace" in str(run_task(make_campaign(5), try_number=2).error)
    assert len(gateway.sent) == 5


def test_a_gateway_that_is_away(gateway, run_task, make_campaign):
    """So many failures in a row stop the try; the next one texts everybody."""
    gateway.inject(Fault.CUT_BEFORE, times=None)
    first = run_task(make_campaign(300, max_consecutive_failures=20, concurrency=4))
    assert first.state == "up_for_retry"
    assert "20 attempts failed in a row" in str(first.error)
    assert gateway.requests["send"] < 30

    gateway.clear_faults()
    assert run_task(make_campaign(300), try_number=2).state == "success"
    assert len(gateway.sent) == 300


@pytest.mark.parametrize("how", ["on_kill", "timeout"])
def test_stopped_in_the_middle(gateway, run_task, make_campaign, *, how, has_state_store, kill_running):
    """A task that is killed or out of time notes what is under way, and the next sends the rest."""
    gateway.backend.change_behavior(latency=0.05)
    limit = timedelta(minutes=5) if how == "timeout" else None  # the alarm comes before it
    campaign = make_campaign(400, concurrency=8, execution_timeout=limit)
    kill_running(after=0.4, how=how)
    first = run_task(campaign)
    assert first.state == "up_for_retry"
    sent_first = len(gateway.sent)
    assert 0 < sent_first < 400

    before = gateway.requests["send"]
    gateway.backend.change_behavior(latency=0)
    second = run_task(make_campaign(400), try_number=2)

    assert second.state == "success"
    assert len(gateway.sent) == len({sms.phone for sms in gateway.sent}) == 400
    if has_state_store:
        assert second.xcom["outcomes"]["accepted"] == 400
        assert gateway.requests["send"] - before == 400 - sent_first


def test_the_window_is_closed(gateway, run_task, make_campaign):
    """Outside its window a campaign sends nothing and waits for the opening, in the triggerer."""
    now = datetime.now(UTC)
    later = [(now + timedelta(hours=5 + hours)).strftime("%H:%M") for hours in (2, 4)]  # Asia/Dushanbe is +5
    result = run_task(make_campaign(5, send_window="-".join(later)))

    assert result.state == "deferred"
    assert gateway.sent == []
    moment = datetime.fromisoformat(_trigger_kwargs(result)["moment"])
    assert timedelta(hours=1, minutes=58) < moment - now < timedelta(hours=2, minutes=2)
    assert _trigger_kwargs(result)["was_interrupted"] is False


def test_the_window_closes_in_the_middle(gateway, run_task, make_campaign, monkeypatch):
    """When the window closes the campaign stops, and goes on when it opens."""
    campaign = make_campaign(300, concurrency=2, send_window="09:00-20:00 UTC")
    evening = datetime(2026, 11, 24, 19, 59, tzinfo=UTC)
    campaign._clock = lambda: evening + timedelta(seconds=len(gateway.sent))

    first = run_task(campaign)

    assert first.state == "deferred"
    assert 60 <= len(gateway.sent) < 64
    assert _trigger_kwargs(first) == {"moment": "2026-11-25T09:00:00+00:00", "was_interrupted": True}

    resumed = make_campaign(300, send_window=None)
    resumed.execute = lambda context: resumed.resume(context, {"was_interrupted": True})
    second = run_task(resumed)
    assert second.state == "success", second.error
    assert len(gateway.sent) == len({sms.phone for sms in gateway.sent}) == 300


def test_too_late(gateway, run_task, make_campaign, monkeypatch):
    """A run that was due long ago is skipped."""
    assert run_task(make_campaign(5, max_lateness=timedelta(hours=1))).state == "success"
    assert len(gateway.sent) == 5

    later = datetime.now(UTC) + timedelta(hours=3)
    monkeypatch.setattr(OsonSmsCampaignOperator, "_clock", staticmethod(lambda: later))
    late = run_task(make_campaign(5, max_lateness=timedelta(hours=1)), run_id="run-2")

    assert late.state == "skipped"
    assert len(gateway.sent) == 5


def test_a_journal_that_fails(gateway, run_task, make_campaign, *, supervisor, has_state_store, monkeypatch):
    """A state store that stops working in the middle undoes nothing: everybody is texted, once."""
    if not has_state_store:
        pytest.skip("no journal below Airflow 3.3")
    monkeypatch.setattr(journal, "ENTRIES_PER_FLUSH", 10)
    original, writes = type(supervisor).send, []

    def fail(self, msg):
        if type(msg).__name__ == "SetTaskStateStore":
            writes.append(msg.key)
            if len(writes) > 3:  # that it has started is noted, or nothing would be sent
                raise OSError("the API server is away")
        return original(self, msg)

    monkeypatch.setattr(type(supervisor), "send", fail)
    gateway.backend.change_behavior(latency=0.01)
    result = run_task(make_campaign(200))

    assert len(writes) > 4
    assert (result.state, len(gateway.sent)) == ("success", 200)


def test_the_journal_is_written_meanwhile(
    gateway, run_task, make_campaign, *, supervisor, has_state_store, monkeypatch
):
    """What the journal does not know yet is never more than its limit, however slow it is."""
    if not has_state_store:
        pytest.skip("no journal below Airflow 3.3")
    monkeypatch.setattr(journal, "ENTRIES_PER_FLUSH", 20)
    monkeypatch.setattr(journal, "MAX_UNWRITTEN", 60)
    original, behind = type(supervisor).send, []

    def slow(self, msg):
        if type(msg).__name__ == "SetTaskStateStore":
            time.sleep(0.05)
            known = sum(len(value) for key, value in self.store.items() if key.count("_") == 4)
            behind.append(len(gateway.sent) - known)
        return original(self, msg)

    monkeypatch.setattr(type(supervisor), "send", slow)
    assert run_task(make_campaign(600, concurrency=16)).state == "success"

    assert max(behind) <= 60 + 60
    assert len(behind) > 5


def test_the_loop_gives_up_on_silence(gateway, run_task, make_campaign, monkeypatch, kill_running):
    """A stopped campaign does not wait for ever for answers; the next try asks again."""
    monkeypatch.setattr(sending, "GRACE_SECONDS", 0.2)
    gateway.backend.change_behavior(hang_seconds=20)
    gateway.inject(Fault.HANG_AFTER, times=None)
    campaign = make_campaign(20, concurrency=4, campaign_id="silence")
    kill_running(after=0.3)
    first = run_task(campaign)
    assert "4 no_answer" in str(first.error)

    gateway.clear_faults()
    assert run_task(make_campaign(20, campaign_id="silence"), try_number=2).state == "success"
    assert len(gateway.sent) == 20


def _trigger_kwargs(result):
    return result.msg.trigger_kwargs if isinstance(result.msg.trigger_kwargs, dict) else _decode(result.msg)


def _decode(msg):
    from airflow.sdk.serde import deserialize

    return deserialize(msg.trigger_kwargs)
