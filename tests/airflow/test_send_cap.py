"""A single message under a cap: one of its category in a period, whoever sends it; by the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk import DAG

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator, OsonSmsSendOperator
from airflow_provider_osonsms.simulator import Fault

CAP = {"once_per": "week", "category": "marketing"}
PHONE = "992900000101"
SUNDAY = datetime(2026, 11, 29, 18, 58, tzinfo=UTC)
MONDAY = SUNDAY + timedelta(minutes=3)


@pytest.fixture
def make_send(monkeypatch):
    """Make a send operator of a DAG of its own, with a cap; the run is due when it is made first."""
    due = {}
    monkeypatch.setattr(
        "airflow_provider_osonsms.operators.capped.find_due",
        lambda context: due.get(context["ti"].dag_id, SUNDAY),
    )

    def make(dag_id, *, now=SUNDAY, **options):
        send = OsonSmsSendOperator(
            **{"task_id": "send", "phone": PHONE, "message": "Салом!", "retries": 5, **CAP, **options}
        )
        send.dag = DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
        send._clock = lambda: now
        due.setdefault(dag_id, now)
        return send

    return make


def test_the_second_message_of_a_week_is_skipped(gateway, run_task, make_send, has_state_store):
    """Whoever comes second sends nothing, and so does a Clear; another category is not touched."""
    states = [run_task(make_send(name)).state for name in ("first", "second")]
    asked = gateway.requests["send"]
    states.append(run_task(make_send("second"), try_number=2).state)

    # Without a store a second try cannot tell whether the first one has sent the message.
    assert states == ["success", "skipped", "skipped" if has_state_store else "failed"]
    assert (len(gateway.sent), gateway.requests["send"] - asked <= 1) == (1, True)
    assert run_task(make_send("third", category="orders")).state == "success"
    assert len(gateway.sent) == 2


@pytest.mark.parametrize("first", ["send", "campaign"])
def test_campaigns_and_single_messages_share_a_cap(gateway, run_task, make_send, first):
    """A person gets one message of a category, be it of a campaign or a single one."""
    campaign = OsonSmsCampaignOperator(
        task_id="campaign", recipients=[PHONE], message="Салом!", on_empty="success", **CAP
    )
    campaign._clock = lambda: SUNDAY
    tasks = [make_send("first"), campaign]
    for task in tasks if first == "send" else reversed(tasks):
        run_task(task)

    assert len(gateway.sent) == 1


def test_a_lost_answer_is_ours_or_anothers(gateway, run_task, make_send):
    """A message that may have been sent is not called capped, and a Clear does not send it again."""
    gateway.inject(Fault.CUT_AFTER)

    result = run_task(make_send("dag"))

    assert result.state == "failed"
    assert "mark this task as success" in str(result.error)
    again = run_task(make_send("dag"), try_number=2)
    assert (again.state, len(gateway.sent)) == ("failed", 1)


def test_a_retry_in_the_next_week(gateway, run_task, make_send, has_state_store):
    """A message of Sunday night is not sent again on Monday; one that was not sent is Monday's."""
    if not has_state_store:
        pytest.skip("no state store below Airflow 3.3")
    gateway.inject(Fault.CUT_BEFORE, times=3)
    assert run_task(make_send("uncertain", now=SUNDAY)).state == "up_for_retry"
    assert run_task(make_send("uncertain", now=MONDAY), try_number=2).state == "success"
    assert run_task(make_send("of_monday", now=MONDAY)).state == "success"  # the other one is of Sunday

    assert len(gateway.sent) == 2
    assert run_task(make_send("uncertain", now=MONDAY), try_number=3).state == "success"
    assert len(gateway.sent) == 2


def test_a_retry_in_the_next_week_without_memory(gateway, run_task, make_send, supervisor):
    """Where nothing tells in which week a try has sent, nothing is sent."""
    run_task(make_send("dag", now=SUNDAY))
    supervisor.store.clear()

    result = run_task(make_send("dag", now=MONDAY), try_number=2)

    assert (result.state, gateway.requests["send"] <= 1) == ("failed", True)


@pytest.mark.parametrize("change", [{"category": "news"}, {"once_per": None, "category": None}], ids=str)
def test_a_cap_that_is_changed_after_it_has_sent(gateway, run_task, make_send, *, change, has_state_store):
    """Another cap makes another txn_id, so the same person would be texted again: refused."""
    if not has_state_store:
        pytest.skip("no state store below Airflow 3.3")
    run_task(make_send("dag"))

    result = run_task(make_send("dag", **change), try_number=2)

    assert (result.state, len(gateway.sent)) == ("failed", 1)
    assert "category or once_per" in str(result.error)


def test_two_keys_break_the_dag(make_send):
    """A txn_id of the user's and a cap are two keys of one message."""
    with pytest.raises(ValueError, match="txn_id and once_per"):
        make_send("dag", txn_id="mine")
