"""Whose txn_ids they are: two installations on one account, and keys that are changed in the middle."""

import csv
from collections import Counter
from decimal import Decimal

import pytest

from airflow_provider_osonsms.simulator import Fault


@pytest.fixture
def use_namespace(gateway, monkeypatch):
    """Let the Connection have a key_namespace."""

    def use(name, **extra):
        extra = {**extra, "key_namespace": name} if name else extra
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(timeout=1, **extra))

    return use


@pytest.fixture
def other_installation(run_task, make_campaign, supervisor, gateway):
    """Let staging send the same campaign to some people: it shares the account, and no memory with us."""

    def send(people):
        assert run_task(make_campaign(people)).state == "success"
        supervisor.store.clear()
        return len(gateway.sent)

    return send


def texted(gateway):
    """Count the messages by phone."""
    return Counter(sms.phone for sms in gateway.sent)


@pytest.mark.parametrize("has_table", [True, False], ids=["table", "no table"])
def test_the_advice_of_a_collision_followed(
    gateway, run_task, make_campaign, other_installation, use_namespace, *, has_table, tmp_path
):
    """All of the first are taken: nothing is sent; with the namespace that is advised, each is, once."""
    path = str(tmp_path / "results.csv") if has_table else None
    before, asked = other_installation(12), gateway.requests["send"]

    stopped = run_task(make_campaign(12, results_path=path, concurrency=8))

    assert stopped.state == "failed"
    assert "the first 5 new rows" in str(stopped.error)
    assert "Nothing was sent" in str(stopped.error)
    assert "set another 'key_namespace' in the extra of this installation's Connection" in str(stopped.error)
    assert len(gateway.sent) == before
    assert gateway.requests["send"] == asked + 5

    use_namespace("production")
    result = run_task(make_campaign(12, results_path=path), try_number=2)

    assert result.state == "success", result.error
    assert result.xcom["outcomes"]["accepted"] == 12
    assert set(texted(gateway).values()) == {2}  # one of each installation


def test_a_collision_that_is_cleared_without_a_change(
    gateway, run_task, make_campaign, other_installation, *, has_state_store, tmp_path
):
    """Whoever clears the task without following the advice is told again, where the task can know."""
    before = other_installation(8)
    for try_number in (1, 2, 3) if has_state_store else (1,):
        result = run_task(make_campaign(8), try_number=try_number)
        assert result.state == "failed"
        assert "key_namespace" in str(result.error)
    assert len(gateway.sent) == before


def test_some_are_taken(gateway, run_task, make_campaign, other_installation, *, make_people, tmp_path):
    """Single taken rows are uncertain, for a person to look at, and everybody else is texted."""
    other_installation(make_people(20)[3:6])
    path = tmp_path / "results.csv"

    result = run_task(make_campaign(20, results_path=str(path)))

    assert result.state == "success", result.error
    assert (result.xcom["outcomes"]["accepted"], result.xcom["outcomes"]["uncertain"]) == (17, 3)
    with path.open(encoding="utf-8") as file:
        reasons = {int(row["row"]): row["reason"] for row in csv.DictReader(file)}
    assert {row for row, reason in reasons.items() if reason == "key_taken"} == {4, 5, 6}
    assert set(texted(gateway).values()) == {1}

    again = run_task(make_campaign(20, results_path=str(path)), try_number=2)
    assert again.xcom["outcomes"] == result.xcom["outcomes"]


def test_the_first_are_taken_and_the_next_is_not(
    gateway, run_task, make_campaign, other_installation, make_people
):
    """Four taken rows at the beginning do not stop the campaign."""
    other_installation(make_people(4))

    result = run_task(make_campaign(20))

    assert (result.xcom["outcomes"]["accepted"], result.xcom["outcomes"]["uncertain"]) == (16, 4)


CHANGES = {
    "key_namespace": ({}, "other"),
    "campaign_id": ({"campaign_id": "spring"}, None),
    "channel": ({"channel": "telegram"}, None),
    "once_per": ({"once_per": "week", "category": "marketing"}, None),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("memory", ["store", "table", "both"])
@pytest.mark.parametrize("answers", ["known", "lost", "awaited"])
def test_changed_keys_are_refused(
    gateway,
    run_task,
    make_campaign,
    use_namespace,
    *,
    has_state_store,
    supervisor,
    tmp_path,
    change,
    memory,
    answers,
):
    """Under other keys the same people would be texted again: refused with figures; restored, all is well."""
    if memory == "store" and not has_state_store:
        pytest.skip("no journal below Airflow 3.3")
    path = None if memory == "store" else str(tmp_path / "results.csv")
    options, namespace = CHANGES[change]
    gateway.backend.change_account("demo", balance=Decimal("1.20"))
    if answers != "known":
        gateway.inject(Fault.CUT_AFTER, times=12 if answers == "lost" else None)
    run_task(make_campaign(20, results_path=path, max_consecutive_failures=12, concurrency=2))
    gateway.clear_faults()
    gateway.backend.change_account("demo", balance=Decimal(100))
    if memory == "table":
        supervisor.store.clear()
    before, asked = len(gateway.sent), gateway.requests["send"]
    assert before >= 10

    use_namespace(namespace)
    refused = run_task(make_campaign(20, results_path=path, **options), try_number=2)

    assert refused.state == "failed", refused.error
    assert "key_namespace, campaign_id, channel, category or once_per" in str(refused.error).replace(
        "\n", " "
    )
    assert "Nothing was sent now" in str(refused.error)
    assert f" {before} " in str(refused.error)
    assert gateway.requests["send"] == asked

    use_namespace(None)  # restore what was changed, and clear this task
    result = run_task(make_campaign(20, results_path=path), try_number=3)

    assert result.state == "success", result.error
    assert set(texted(gateway).values()) == {1}
    assert len(gateway.sent) == 20


def test_two_campaigns_of_two_tasks_are_no_change(gateway, run_task, make_campaign):
    """Two tasks of a run with campaign_ids of their own have nothing to do with each other."""
    for task_id in ("spring", "summer"):
        assert run_task(make_campaign(5, task_id=task_id, campaign_id=task_id)).state == "success"

    assert len(gateway.sent) == 10


def test_another_run_is_no_change(gateway, run_task, make_campaign, use_namespace):
    """A namespace may be changed between two runs."""
    run_task(make_campaign(5))
    use_namespace("production")

    assert run_task(make_campaign(5), run_id="run-2").state == "success"
    assert len(gateway.sent) == 10
