"""The first rows of a campaign, and txn_ids that have changed since; by the gateway's ledger."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.simulator import Fault

MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)


def use_namespace(gateway, monkeypatch, namespace):
    """Let the Connection have another key_namespace from now on."""
    connection = gateway.connection_json(timeout=1, key_namespace=namespace)
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", connection)


@pytest.mark.parametrize("taken", [1, 3])
def test_a_window_that_closes_over_a_collision(
    gateway, run_task, make_campaign, *, supervisor, monkeypatch, taken
):
    """Taken txn_ids are a collision also once the window has opened again: nobody's text is lost silently."""
    run_task(make_campaign(20))
    supervisor.store.clear()  # the other installation has a journal of its own
    campaign = make_campaign(20, send_window="09:00-20:00")
    campaign._clock = lambda: MORNING + timedelta(hours=12 * (len(gateway.refusals) >= taken))
    first = run_task(campaign)
    assert (first.state, len(gateway.refusals)) == ("deferred", taken)
    assert "True" not in str(first.msg.trigger_kwargs)  # was_interrupted

    monkeypatch.setattr(OsonSmsCampaignOperator, "_clock", staticmethod(lambda: MORNING))
    resumed = make_campaign(20, send_window="09:00-20:00")
    resumed.execute = lambda context: resumed.resume(context, {"was_interrupted": False})
    second = run_task(resumed)

    assert second.state == "failed"
    assert "key_namespace" in str(second.error)
    assert len(gateway.sent) == 20


def test_a_stop_over_a_collision(
    gateway, run_task, make_campaign, *, supervisor, monkeypatch, has_state_store
):
    """A try that was stopped in its first rows proves nothing about the others."""
    if not has_state_store:
        pytest.skip("below Airflow 3.3 the number of the try alone tells of earlier ones")
    run_task(make_campaign(20))
    supervisor.store.clear()
    send = OsonSmsCampaignOperator._send

    def begin(self, run, settings, context):
        def tell_the_time():
            if len(gateway.refusals) == 2:
                run.stop()
            return MORNING

        run._clock = tell_the_time
        return send(self, run, settings, context)

    with monkeypatch.context() as patch:
        patch.setattr(OsonSmsCampaignOperator, "_send", begin)
        patch.setattr(OsonSmsCampaignOperator, "_clock", staticmethod(lambda: MORNING))
        assert run_task(make_campaign(20, send_window="09:00-20:00")).state == "up_for_retry"
    assert len(gateway.refusals) == 2

    second = run_task(make_campaign(20), try_number=2)
    assert second.state == "failed"
    assert "key_namespace" in str(second.error)


def test_a_killed_try_has_begun_to_send(gateway, run_task, make_campaign, *, monkeypatch, has_state_store):
    """A try that was killed in its first second holds the namespace as well: its rows may be on their way."""
    if not has_state_store:
        pytest.skip("below Airflow 3.3 nothing is remembered")
    with monkeypatch.context() as patch:
        patch.setattr("airflow_provider_osonsms.campaign.run.CampaignJournal.flush", lambda *_: None)
        patch.setattr("airflow_provider_osonsms.campaign.run.CampaignJournal.finish", lambda *_: None)
        run_task(make_campaign(10))
    use_namespace(gateway, monkeypatch, "other")

    result = run_task(make_campaign(10), try_number=2)

    assert (result.state, len(gateway.sent)) == ("failed", 10)
    assert "key_namespace" in str(result.error)


@pytest.mark.parametrize("trouble", ["balance", "away", "sender"])
def test_a_try_that_has_sent_nothing_holds_no_namespace(
    gateway, run_task, make_campaign, *, monkeypatch, trouble
):
    """While nothing can have been sent, another key_namespace is harmless and is not refused."""
    if trouble == "balance":
        gateway.backend.change_account("demo", balance=Decimal(0))
    elif trouble == "away":
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(host="http://127.0.0.1:1"))
    sender = "BANK" if trouble == "sender" else None
    assert run_task(make_campaign(10, sender=sender)).state in {"up_for_retry", "failed"}
    gateway.backend.change_account("demo", balance=Decimal(100))
    use_namespace(gateway, monkeypatch, "other")

    assert run_task(make_campaign(10), try_number=2).state == "success"
    assert len(gateway.sent) == 10


def test_lost_answers_hold_the_namespace(gateway, run_task, make_campaign, *, monkeypatch, has_state_store):
    """Messages whose answers were lost hold the namespace: under another one they would be sent again."""
    if not has_state_store:
        pytest.skip("below Airflow 3.3 nothing is remembered")
    gateway.inject(Fault.CUT_AFTER, times=10)
    run_task(make_campaign(10, concurrency=1, max_consecutive_failures=5))
    sent = len(gateway.sent)
    use_namespace(gateway, monkeypatch, "other")

    assert run_task(make_campaign(10), try_number=2).state == "failed"
    assert len(gateway.sent) == sent > 0


def test_a_mapped_campaign_needs_a_name(gateway, run_task, make_campaign):
    """Without a campaign_id it is refused: the text of its second task would reach nobody, in silence."""
    result = run_task(make_campaign(5), map_index=0)

    assert (result.state, gateway.sent) == ("failed", [])
    assert "campaign_id" in str(result.error)


def test_too_late_for_the_rest(gateway, run_task, make_campaign, monkeypatch):
    """A retry that comes too late does not say that nothing was sent, whatever is remembered."""
    gateway.backend.change_account("demo", balance=Decimal("1.20"))
    assert run_task(make_campaign(40, max_lateness=timedelta(hours=1))).state == "up_for_retry"
    later = datetime.now(UTC) + timedelta(hours=3)
    monkeypatch.setattr(OsonSmsCampaignOperator, "_clock", staticmethod(lambda: later))

    result = run_task(make_campaign(40, max_lateness=timedelta(hours=1)), try_number=2)

    assert result.state == "failed"
    assert "may have texted" in str(result.error)


def test_a_clock_that_is_set_back(gateway, run_task, make_campaign):
    """When the clock is set back to before the opening the campaign stops: it is early in the morning."""
    campaign = make_campaign(50, concurrency=1, send_window="09:00-20:00 UTC")
    opened = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
    campaign._clock = lambda: opened - timedelta(hours=3 * (len(gateway.sent) >= 10))

    assert run_task(campaign).state == "deferred"
    assert len(gateway.sent) == 10
