"""What a wait hands to the next step: the undelivered, Asset events, and a link for people."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import Asset

from airflow_provider_osonsms.links.osonsms import OsonSmsDeliveryReportLink, find_report_url
from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor
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
    """Whom Telegram did not reach in time is listed with key and status, and texted again."""
    waited = wait(mode, messages=campaign, timeout=1, min_delivered=0.0, undelivered_path=str(undelivered))

    assert (waited.state, waited.xcom["undelivered_path"]) == ("success", str(undelivered))
    with undelivered.open(encoding="utf-8") as file:
        rows = {row["key"]: row["status"] for row in csv.DictReader(file)}
    assert rows == {PEOPLE[1]["phone"]: "UNDELIVERABLE", PEOPLE[2]["phone"]: "ACCEPTED"}
    assert text_the_rest(PEOPLE).xcom["rejected"] == {"not_chosen": 1}


def test_the_rest_is_texted_over_another_channel(gateway, campaign, wait, text_the_rest, undelivered):
    """Only they are texted by SMS, under keys of their own, also where a table names the messages."""
    assert "messages" not in campaign
    wait("deferrable", messages=campaign, timeout=1, min_delivered=0.0, undelivered_path=str(undelivered))
    text_the_rest(PEOPLE)

    channels = [(sms.phone, sms.channel) for sms in gateway.sent]
    assert sorted(channels[3:]) == [(PEOPLE[1]["phone"], None), (PEOPLE[2]["phone"], None)]


def test_nobody_is_left(gateway, campaign, wait, text_the_rest, undelivered):
    """Where everybody was reached, the next campaign is skipped."""
    options = {"timeout": 1, "min_delivered": 0.0, "accepted_is_delivered": True}
    waited = wait("poke", messages=campaign, undelivered_path=str(undelivered), **options)

    assert waited.xcom["delivered"] == 2
    assert text_the_rest(PEOPLE[:1]).state == "skipped"
    assert len(gateway.sent) == 3


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
        undelivered_path=str(path),
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
def test_a_missing_table_of_undelivered_is_no_success(mode, campaign, wait, tmp_path):
    """The next step would read an old table, so a table that cannot be written fails the try."""
    path = tmp_path / "undelivered.csv"
    path.mkdir()

    result = wait(
        mode, messages=campaign, timeout=0.5, min_delivered=0.0, undelivered_path=str(path), retries=1
    )

    assert result.state == "up_for_retry"
    assert "The next try writes it again" in str(result.error)


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
    assert len(undelivered.read_text().splitlines()) == 3


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
    assert len(undelivered.read_text().splitlines()) == 3


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


@pytest.mark.parametrize("mode", MODES)
def test_the_link_opens_the_report(monkeypatch, mode, send, wait, tmp_path):
    """The page of a wait, a failed one too, has a link where the folder has a URL."""
    monkeypatch.setenv("AIRFLOW__OSONSMS__REPORT_ROOT", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__OSONSMS__REPORT_BASE_URL", "https://reports.example.tj/sms/")

    result = wait(mode, messages=send("93"), report_path=str(tmp_path / "monday"), timeout=20)

    assert result.state == "failed"
    link = OsonSmsDeliveryReportLink().get_link(result.ti.task, ti_key=None)
    assert link == "https://reports.example.tj/sms/monday/delivery.html"


@pytest.mark.parametrize(
    ("root", "path", "url"),
    [
        ("", None, ""),
        ("", "/data/x/delivery.html", "https://r.tj/data/x/delivery.html"),
        ("/data", "/data/x/delivery.html", "https://r.tj/x/delivery.html"),
        ("s3://bucket/sms", "s3://bucket/sms/x.html", "https://r.tj/x.html"),
        ("/data", "/database/x.html", ""),
        ("/data", "/data/100% +1#.html", "https://r.tj/100%25%20%2B1%23.html"),
        ("/data", "https://files.tj/x.html", "https://files.tj/x.html"),
    ],
)
def test_where_a_browser_finds_a_page(monkeypatch, root, path, url):
    """A URL is its own link; below the root the base URL takes its place; elsewhere there is no link."""
    monkeypatch.setenv("AIRFLOW__OSONSMS__REPORT_ROOT", root)
    monkeypatch.setenv("AIRFLOW__OSONSMS__REPORT_BASE_URL", "https://r.tj")

    assert find_report_url(path) == url


def test_no_link_without_a_report():
    """A task that wrote no page, or has no URL for it, has an empty link and no error."""
    sensor = OsonSmsDeliverySensor(task_id="wait", messages="1")

    assert OsonSmsDeliveryReportLink().get_link(sensor, ti_key=None) == ""
    assert OsonSmsDeliveryReportLink().get_link(SimpleNamespace(page_path="/x.html"), ti_key=None) == ""
