"""A campaign texts everybody once, whatever happens; asserted on the gateway's ledger."""

from collections import Counter
from decimal import Decimal

import pandas as pd
import pytest

from airflow_provider_osonsms.simulator import Fault

FAULTS = (
    Fault.HANG_AFTER,
    Fault.CUT_AFTER,
    Fault.CUT_BEFORE,
    Fault.NOT_STORED,
    Fault.NOT_STORED_BUT_USED_UP,
    Fault.NOT_SENT,
    Fault.SMSC_UNREACHABLE,
    Fault.BAD_GATEWAY,
    Fault.GARBAGE,
    Fault.GARBAGE_AFTER,
    Fault.TRUNCATED,
    Fault.EMPTY,
)


def texted(gateway) -> Counter:
    """Count the messages by phone."""
    return Counter(sms.phone for sms in gateway.sent)


def test_everybody_gets_a_text_of_their_own(gateway, run_task, make_campaign):
    """One message each, with the row's text, in one run; the XCom says so without phones and texts."""
    result = run_task(make_campaign(50))

    assert result.state == "success"
    assert {sms.phone: sms.text for sms in gateway.sent} == {
        f"99290{row:07}": f"Салом, N{row}!" for row in range(50)
    }
    assert len(gateway.sent) == 50
    assert result.xcom["outcomes"] == {
        "accepted": 50,
        "accepted_untracked": 0,
        "uncertain": 0,
        "capped": 0,
        "refused": 0,
        "rejected": 0,
        "pending": 0,
    }
    assert result.xcom["parts"] == 50
    assert sorted(one["msg_id"] for one in result.xcom["messages"]) == sorted(
        str(sms.msg_id) for sms in gateway.sent
    )
    assert "N7" not in str(result.xcom)
    assert "992900000007" not in str(result.xcom)


def test_faults_on_every_path(gateway, run_task, make_campaign, has_state_store, tmp_path):
    """With a fault at every fifth call, within five tries nobody has two messages or is lost."""
    gateway.backend.change_account("demo", balance=Decimal(100_000))
    gateway.backend.change_behavior(hang_seconds=0.5)
    for fault in FAULTS:
        gateway.inject(fault, times=None, probability=0.2 / len(FAULTS))
    results = tmp_path / "results.csv"
    tries = []
    for number in range(1, 6):
        campaign = make_campaign(10_000, results_path=str(results), concurrency=64)
        tries.append(run_task(campaign, try_number=number))
        if tries[-1].state == "success":
            break

    assert tries[-1].state == "success", tries[-1].error
    table = pd.read_csv(results, dtype=str, keep_default_na=False)
    sent = texted(gateway)
    assert len(table) == 10_000
    assert max(sent.values()) == 1
    for phone, outcome, reason in zip(table["phone"], table["outcome"], table["reason"], strict=True):
        if outcome == "uncertain":
            assert reason == "undecided"
        else:
            assert outcome in {"accepted", "accepted_untracked"}
            assert sent[phone] == 1 or (outcome == "accepted_untracked" and not has_state_store)
    ids = {sms.phone: str(sms.msg_id) for sms in gateway.sent}
    accepted = table[table["outcome"] == "accepted"]
    assert [ids[phone] for phone in accepted["phone"]] == list(accepted["msg_id"])
    assert len(accepted) > 7000


def test_a_finished_campaign_that_is_cleared(gateway, run_task, make_campaign, has_state_store):
    """Clearing a finished campaign sends nothing, and with a journal asks nothing."""
    first = run_task(make_campaign(30))
    before = gateway.requests

    again = run_task(make_campaign(30), try_number=2)

    assert (again.state, len(gateway.sent)) == ("success", 30)
    if has_state_store:
        assert again.xcom == first.xcom
        assert gateway.requests == before
    else:
        assert again.xcom["outcomes"]["accepted_untracked"] == 30


@pytest.mark.parametrize("gone", ["nothing", "store", "table", "both"])
def test_cleared_after_something_is_gone(
    gateway, run_task, make_campaign, *, make_people, supervisor, has_state_store, caplog, tmp_path, gone
):
    """Store or table alone bring the summary back, and who has left; else the log says what is lost."""
    table = tmp_path / "sent.csv"
    first = run_task(make_campaign(30, results_path=str(table)))

    def lose() -> None:
        if gone in {"store", "both"}:
            supervisor.store.clear()
        if gone in {"table", "both"}:
            table.unlink()

    lose()
    again = run_task(make_campaign(30, results_path=str(table)), try_number=2)
    lose()
    smaller = run_task(make_campaign(make_people(20), results_path=str(table)), try_number=3)

    is_lost = gone == "both" or (gone == "table" and not has_state_store)
    assert (again.state, smaller.state, len(gateway.sent)) == ("success", "success", 30)
    assert (again.xcom == first.xcom) is not is_lost
    assert gateway.requests["send"] == (30 + 30 + 20 if is_lost else 30)
    assert ("Nothing is remembered of earlier tries" in caplog.text) is is_lost
    lost = "30 messages were accepted, and their msg_ids, parts and times are unknown"
    assert (lost in caplog.text) is is_lost
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    left = rows[rows["row"] == ""]
    assert len(left) == (0 if is_lost else 10)
    assert (left["msg_id"] != "").all()
    assert (left["phone"] == "").all() if gone == "table" else (left["phone"] != "").all()


def test_the_balance_runs_out(gateway, run_task, make_campaign):
    """A campaign stops when the balance is used up, and after a top-up texts the others."""
    gateway.backend.change_account("demo", balance=Decimal("1.20"))
    first = run_task(make_campaign(40, concurrency=4))
    assert first.state == "up_for_retry"
    assert len(gateway.sent) == 12
    assert len(gateway.refusals) <= 4

    gateway.backend.change_account("demo", balance=Decimal(100))
    second = run_task(make_campaign(40, concurrency=4), try_number=2)

    assert second.state == "success"
    assert set(texted(gateway).values()) == {1}
    assert len(gateway.sent) == 40


def test_split_otherwise(gateway, run_task, make_campaign, make_people):
    """The same campaign in other parts sends nothing twice, and texts the new ones."""
    people = make_people(30)
    for index, part in enumerate((people[:10], people[10:20])):
        campaign = make_campaign(part, campaign_id="one")
        assert run_task(campaign, map_index=index).state == "success"

    for index, part in enumerate((people[5:25], people[:5] + people[25:])):
        campaign = make_campaign(part, campaign_id="one")
        assert run_task(campaign, map_index=index, try_number=2).state == "success"

    assert texted(gateway) == {person["phone"]: 1 for person in people}


def test_a_changed_audience(gateway, run_task, make_campaign, make_people, ear):
    """Between tries rows may come and go: the new ones are texted, the known ones not again."""
    gateway.inject(Fault.CUT_BEFORE, times=None, probability=1.0)
    assert run_task(make_campaign(make_people(10))).state == "up_for_retry"
    gateway.clear_faults()
    assert run_task(make_campaign(make_people(10)), try_number=2).state == "success"

    result = run_task(make_campaign(make_people(10, first=5)), try_number=3)

    assert result.state == "success"
    assert texted(gateway) == {f"99290{row:07}": 1 for row in range(15)}


@pytest.mark.parametrize("channel", [None, "telegram"])
def test_channels_are_apart(gateway, run_task, make_campaign, channel):
    """Another channel is another message; the same one is not."""
    run_task(make_campaign(3, campaign_id="both"))
    run_task(make_campaign(3, campaign_id="both", channel=channel), run_id="run-2")

    assert len(gateway.sent) == (6 if channel else 3)


def test_a_key_column(gateway, run_task, make_campaign):
    """With a key column one phone gets a message for each key, and each key one."""
    rows = [{"phone": "992900000101", "name": f"N{key}", "invoice": key} for key in (1, 2, 2)]
    result = run_task(make_campaign(rows, key_column="invoice"))

    assert sorted(sms.text for sms in gateway.sent) == ["Салом, N1!", "Салом, N2!"]
    assert result.xcom["rejected"] == {"duplicate": 1}
