"""What a wait hands to the next step: the undelivered, and Asset events."""

import csv
from pathlib import Path

import pytest
from airflow.sdk import Asset

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.simulator import Fault

MODES = ("poke", "reschedule", "deferrable")
PEOPLE = [
    {"phone": f"9929000{row:03}{ending}", "name": ending} for row, ending in enumerate(("01", "93", "96"))
]


@pytest.fixture
def undelivered(tmp_path):
    """Where the undelivered are listed."""
    return tmp_path / "undelivered.csv"


@pytest.fixture
def text_the_rest(run_task, undelivered):
    """Run the next campaign, by SMS, over those whom the first one did not reach."""

    def text(people):
        operator = OsonSmsCampaignOperator(
            task_id="sms", recipients=people, only=str(undelivered), message="{name}"
        )
        return run_task(operator)

    return text


@pytest.fixture
def campaign(gateway, run_task, tmp_path):
    """A campaign over Telegram to somebody who reads it, somebody who cannot, and somebody who is away."""
    options = {"message": "Салом, {name}!", "channel": "telegram", "results_path": str(tmp_path / "sent.csv")}
    result = run_task(OsonSmsCampaignOperator(task_id="telegram", recipients=PEOPLE, **options))
    assert result.state == "success"
    return result.xcom


@pytest.mark.parametrize("mode", MODES)
def test_the_undelivered_feed_the_next_campaign(mode, campaign, wait, text_the_rest, undelivered):
    """Whom Telegram did not reach is listed with key and status, and by choice whom it may still reach."""
    waited = wait(
        mode,
        messages=campaign,
        timeout=1,
        min_delivered=0.0,
        undelivered_path=str(undelivered),
        include_unknown=True,
    )

    assert (waited.state, waited.xcom["undelivered_path"]) == ("success", str(undelivered))
    with undelivered.open(encoding="utf-8") as file:
        rows = {row["key"]: (row["status"], row["reach"]) for row in csv.DictReader(file)}
    assert rows == {
        PEOPLE[1]["phone"]: ("UNDELIVERABLE", "not_reached"),
        PEOPLE[2]["phone"]: ("ACCEPTED", "on_its_way"),
    }
    assert text_the_rest(PEOPLE).xcom["rejected"] == {"not_chosen": 1}


def test_the_rest_is_texted_over_another_channel(gateway, campaign, wait, text_the_rest, undelivered):
    """Only who was surely not reached is texted by SMS, also where a table names the messages."""
    assert "messages" not in campaign
    wait("deferrable", messages=campaign, timeout=1, min_delivered=0.0, undelivered_path=str(undelivered))
    text_the_rest(PEOPLE)

    channels = [(sms.phone, sms.channel) for sms in gateway.sent]
    assert channels[3:] == [(PEOPLE[1]["phone"], None)]


def test_nobody_is_left(gateway, run_task, wait, text_the_rest, undelivered):
    """Where everybody was reached, the next campaign is skipped."""
    options = {"message": "Салом, {name}!", "results_path": str(undelivered.with_name("sent.csv"))}
    sent = run_task(OsonSmsCampaignOperator(task_id="telegram", recipients=PEOPLE[:1], **options)).xcom

    waited = wait("poke", messages=sent, undelivered_path=str(undelivered), min_delivered=0.0)

    assert waited.xcom["delivered"] == 1
    assert text_the_rest(PEOPLE[:1]).state == "skipped"
    assert len(gateway.sent) == 1


def test_what_one_part_delivered_is_not_undelivered_by_another(campaign, wait, tmp_path):
    """A row that a second part met as taken, and so cannot track, was reached if the first part's was."""
    second = tmp_path / "second.csv"
    rows = Path(campaign["results_path"]).read_text(encoding="utf-8").splitlines()
    lost = [row.split(",") for row in rows[1:]]
    for row in lost:
        row[3], row[4], row[6], row[7] = "accepted_untracked", "answer_lost", "", ""
    second.write_text("\n".join([rows[0], *map(",".join, lost)]) + "\n", encoding="utf-8")
    path = tmp_path / "undelivered.csv"

    wait(
        "poke", messages=[campaign, {"results_path": str(second)}], timeout=0.5, min_delivered=0.0,
        undelivered_path=str(path), include_unknown=True,
    )  # fmt: skip

    with path.open(encoding="utf-8") as file:
        assert {row["key"] for row in csv.DictReader(file)} == {PEOPLE[1]["phone"], PEOPLE[2]["phone"]}


@pytest.mark.parametrize("mode", MODES)
def test_the_undelivered_need_a_table_of_people(gateway, mode, campaign, wait, tmp_path):
    """A msg_id alone names nobody: the wait fails before it begins, and says what it needs."""
    result = wait(mode, messages=[campaign, "100000001"], undelivered_path=str(tmp_path / "undelivered.csv"))

    assert result.state == "failed"
    assert "results_path" in str(result.error)
    assert gateway.requests["query"] == 0


@pytest.mark.parametrize("mode", ["poke", "deferrable"])
def test_a_missing_table_of_undelivered_is_no_success(
    mode, gateway, campaign, wait, *, undelivered, monkeypatch
):
    """The next step would read an old table, so a table that cannot be written fails the try."""
    serve = gateway.backend.query

    def serve_and_obstruct(*args, **kwargs):
        undelivered.mkdir(exist_ok=True)
        return serve(*args, **kwargs)

    monkeypatch.setattr(gateway.backend, "query", serve_and_obstruct)
    options = {"timeout": 0.5, "min_delivered": 0.0, "undelivered_path": str(undelivered)}

    result = wait(mode, messages=campaign, retries=1, **options)

    assert result.state == "up_for_retry"
    assert "The next try writes it again" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_a_folder_where_the_list_should_be(mode, gateway, campaign, wait, undelivered):
    """A folder of that name is found before the wait."""
    undelivered.mkdir()

    result = wait(mode, messages=campaign, undelivered_path=str(undelivered), retries=1)

    assert (result.state, gateway.requests["query"]) == ("failed", 0)
    assert "undelivered_path: a folder stands where the file" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_who_could_not_be_asked_for_is_not_texted_again(gateway, mode, campaign, wait, undelivered):
    """Whoever gave no answer may have been reached: nothing is listed, and the retry asks again."""
    gateway.inject(Fault.EMPTY, call="query", times=None)
    options = {"messages": campaign, "min_delivered": 0.0, "undelivered_path": str(undelivered), "retries": 3}
    first = wait(mode, timeout=0.5, **options)
    gateway.clear_faults()
    second = wait(mode, timeout=0.5, **options)

    assert first.state == "up_for_retry"
    assert "3 messages had no answer" in str(first.error)
    assert second.state == "success"
    assert len(undelivered.read_text().splitlines()) == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_late_try_asks_everybody(gateway, mode, campaign, wait, undelivered):
    """A try that begins at the deadline asks for everybody all the same, however slowly."""
    result = wait(
        mode,
        messages=campaign,
        timeout=0.01,
        min_delivered=0.0,
        max_rate=2,
        undelivered_path=str(undelivered),
    )

    assert result.state == "success"
    assert result.xcom["delivered"] == 1
    assert len(undelivered.read_text().splitlines()) == 2


@pytest.mark.parametrize("name", ["only", "exclude"])
def test_a_choice_that_came_out_as_none(gateway, run_task, name):
    """A list of people that is None, as of a step that did not run, texts nobody instead of everybody."""
    operator = OsonSmsCampaignOperator(
        task_id="sms", recipients=PEOPLE, message="Салом", **{name: lambda context, jinja_env: None}
    )

    result = run_task(operator)

    assert result.state == "failed"
    assert f"{name} came out as None" in str(result.error)
    assert gateway.sent == []


@pytest.mark.parametrize("mode", MODES)
def test_asset_events_carry_counts(mode, send, wait):
    """Where the user gave outlets, their events tell what was delivered, and name nobody."""
    result = wait(mode, messages=send("01"), outlets=[Asset("reminders_delivered")], timeout=20)

    (event,) = result.msg.outlet_events
    assert event["dest_asset_key"]["name"] == "reminders_delivered"
    assert event["extra"]["delivered"] == 1
    assert set(event["extra"]) == {"total", "delivered", "failed", "pending", "untracked", "by_status"}


def test_asset_events_of_a_campaign(gateway, run_task):
    """The same holds for a campaign: counts by outcome."""
    operator = OsonSmsCampaignOperator(
        task_id="sms", recipients=PEOPLE, message="Салом", outlets=[Asset("reminded")]
    )

    (event,) = run_task(operator).msg.outlet_events

    assert event["extra"]["outcomes"]["accepted"] == 3
    assert "messages" not in event["extra"]


def test_keys_like_formulas(gateway, run_task, wait, undelivered, tmp_path):
    """A key that a spreadsheet would run is harmless in every file, and still names its person."""
    keys = ("=1+1", "'=2", "@x", "-1")
    people = [{"phone": f"99290000{row:02}93", "id": key} for row, key in enumerate(keys)]
    options = {"recipients": people, "key_column": "id", "message": "x"}
    first = OsonSmsCampaignOperator(task_id="one", results_path=str(tmp_path / "sent.csv"), **options)
    waited = wait(
        "poke",
        messages=run_task(first).xcom,
        timeout=60,
        min_delivered=0.0,
        undelivered_path=str(undelivered),
    )
    for path in (tmp_path / "sent.csv", undelivered):
        with path.open(encoding="utf-8", newline="") as file:
            assert [row["key"] for row in csv.DictReader(file)] == ["'=1+1", "''=2", "'@x", "-1"]

    second = run_task(OsonSmsCampaignOperator(task_id="two", only=str(undelivered), **options))

    assert (waited.state, second.state) == ("success", "success")
    assert sorted(sms.phone for sms in gateway.sent) == sorted(2 * [one["phone"] for one in people])
