"""Who has had enough messages lately, by the tables of all campaigns; asserted on the ledger."""

import csv
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from airflow.sdk import DAG

from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.operators.osonsms import OsonSmsSendOperator
from airflow_provider_osonsms.simulator import Fault
from airflow_provider_osonsms.tables.rows import ResultRow

A, B, C = "992900000001", "992900000002", "992900000003"
LIMIT = {"category": "marketing", "at_most": 1, "within": timedelta(days=7)}
COLUMNS = tuple(name.rstrip("_") for name in ResultRow._fields)


@pytest.fixture
def write_table(tmp_path):
    """Write a results table of some rows into the folder of the history."""
    folder = tmp_path / "sent"
    folder.mkdir()

    def write(*rows, name="earlier.csv"):
        now = datetime.now(UTC).isoformat()
        defaults = {"outcome": "accepted", "accepted_at": now, "category": "marketing", "txn_id": "t"}
        table = pd.DataFrame([{**dict.fromkeys(COLUMNS, ""), **defaults, **row} for row in rows])
        table.to_csv(folder / name, index=False)
        return folder

    return write


def ago(time):
    """Return a moment before now, as a table writes it."""
    return (datetime.now(UTC) - time).isoformat()


def read(path):
    """Read a results table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        ({}, True),
        ({"outcome": "accepted_untracked", "accepted_at": ""}, True),
        ({"outcome": "uncertain", "accepted_at": ""}, True),
        ({"outcome": "pending", "reason": "refused_for_now", "accepted_at": ""}, True),
        ({"outcome": "pending", "reason": "not_attempted", "accepted_at": ""}, False),
        ({"outcome": "capped", "accepted_at": ""}, False),
        ({"outcome": "refused", "accepted_at": ""}, False),
        ({"outcome": "rejected", "accepted_at": "", "phone": "992•••••001"}, False),
        ({"accepted_at": timedelta(days=6, hours=23)}, True),
        ({"accepted_at": timedelta(days=7, hours=1)}, False),
        ({"accepted_at": "some day"}, True),
        ({"category": "orders"}, False),
        ({"category": ""}, False),
    ],
    ids=str,
)
def test_what_counts(gateway, run_task, make_audience_task, write_table, *, row, counts, texted):
    """What was accepted, or may have been, within the time counts; other rows do not."""
    if isinstance(row.get("accepted_at"), timedelta):
        row = {**row, "accepted_at": ago(row["accepted_at"])}
    folder = write_table({"phone": A, **row})

    result = run_task(make_audience_task(recipients=[A, B], history=str(folder), **LIMIT))

    assert result.state == "success", result.error
    if result.ti.task.task_type == "OsonSmsCampaignPreviewOperator":
        assert result.xcom["recipients"] == (1 if counts else 2)
    else:
        assert texted() == ([B] if counts else [A, B])


@pytest.mark.parametrize(("at_most", "is_full"), [(1, True), (2, True), (3, False)])
def test_how_many_are_enough(run_task, make_audience_task, write_table, *, at_most, is_full, texted):
    """So many messages are enough, over all tables of the folder."""
    write_table({"phone": A}, name="one.csv")
    folder = write_table({"phone": A}, {"phone": B}, name="two.csv")
    task = make_audience_task(recipients=[A, C], history=str(folder), **{**LIMIT, "at_most": at_most})

    result = run_task(task)

    assert result.state == "success"
    if result.ti.task.task_type == "OsonSmsCampaignPreviewOperator":
        assert result.xcom["recipients"] == (1 if is_full else 2)
    else:
        assert (A in texted()) is not is_full


def test_a_row_without_a_time_is_about_as_old_as_its_table(gateway, run_task, make_campaign, write_table):
    """It counts as a day younger than the newest row; in a table without any time it always counts."""
    lost = {"outcome": "uncertain", "accepted_at": ""}
    write_table({"phone": A, **lost}, {"phone": B, "accepted_at": ago(timedelta(days=9))}, name="old.csv")
    write_table(
        {"phone": B, **lost}, {"phone": C, "accepted_at": ago(timedelta(days=7.5))}, name="recent.csv"
    )
    folder = write_table({"phone": C, **lost}, name="timeless.csv")

    run_task(make_campaign([{"phone": one, "name": "N"} for one in (A, B, C)], history=str(folder), **LIMIT))

    assert [sms.phone for sms in gateway.sent] == [A]


def test_campaigns_fill_the_history_of_each_other(gateway, run_task, make_campaign, *, tmp_path):
    """The next campaign texts who has had too few; its own retry does not count its own rows."""
    options = {"history": str(tmp_path), "results_path": str(tmp_path / "{{ run_id }}.csv"), **LIMIT}
    (tmp_path / "other").mkdir()
    gateway.inject(Fault.CUT_BEFORE, times=None, probability=0.5)
    first = run_task(make_campaign(10, max_consecutive_failures=2, concurrency=1, **options))
    assert first.state == "up_for_retry"
    gateway.clear_faults()
    first = run_task(make_campaign(10, **options), try_number=2)
    second = run_task(make_campaign(15, **options), run_id="run-2")
    again = run_task(make_campaign(15, **options), run_id="run-2", try_number=2)

    assert first.xcom["outcomes"]["accepted"] == 10
    assert (second.xcom["outcomes"]["accepted"], second.xcom["outcomes"]["capped"]) == (5, 10)
    assert again.xcom == second.xcom
    assert len(gateway.sent) == 15
    assert {row["reason"] for row in read(tmp_path / "run-2.csv")} == {"", "capped"}


def test_a_killed_campaign_is_history(gateway, run_task, make_campaign, *, tmp_path, monkeypatch):
    """Its part files say who may have been texted, as long as its table does not."""
    options = {
        "history": str(tmp_path / "*.csv"),
        "results_path": str(tmp_path / "{{ run_id }}.csv"),
        **LIMIT,
    }

    def die(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(CampaignRun, "write_results", die)
        run_task(make_campaign(10, **options))
    assert len(gateway.sent) == 10

    second = run_task(make_campaign(15, **options), run_id="run-2")
    first = run_task(make_campaign(10, **options), try_number=2)
    third = run_task(make_campaign(15, **options), run_id="run-3")

    assert second.xcom["outcomes"]["accepted"] == 5
    assert first.state == "success", first.error
    assert third.state == "skipped"
    assert len(gateway.sent) == 15


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rejects.csv", "row,phone,reason,column\n1,992•••••001,empty,\n", "rejects.csv cannot be read"),
        ("broken.csv", "", "broken.csv cannot be read"),
        ("odd.csv", ",".join(COLUMNS) + "\n1,k,1,sent,,t,,,,,marketing,,\n", "odd.csv cannot be read"),
        ("odd.csv", ",".join(COLUMNS) + "\n1,k,1,accepted,,t,,,,,marketing,,\n", "odd.csv cannot be read"),
    ],
)
def test_a_table_that_cannot_be_read_stops_the_task(
    gateway, run_task, make_audience_task, write_table, *, name, content, words
):
    """Nobody is texted while a table of the history is no results table; the error names it."""
    folder = write_table({"phone": A})
    (folder / name).write_text(content, encoding="utf-8")

    result = run_task(make_audience_task(recipients=[A, B], history=str(folder), **LIMIT))

    assert (result.state, sum(gateway.requests.values())) == ("failed", 0)
    assert words in str(result.error)


def test_a_folder_that_is_not_there_stops_the_task(gateway, run_task, make_audience_task, tmp_path):
    """A wrong path is no empty history."""
    task = make_audience_task(recipients=[A], history=str(tmp_path / "nowhere"), **LIMIT)

    assert run_task(task).state == "failed"
    assert sum(gateway.requests.values()) == 0


@pytest.mark.parametrize(("phone", "state"), [(A, "skipped"), (B, "success")])
def test_a_single_message(gateway, run_task, write_table, phone, *, state):
    """A single message to somebody who has had enough is skipped."""
    folder = write_table({"phone": A})
    send = OsonSmsSendOperator(task_id="send", phone=phone, message="Салом!", history=str(folder), **LIMIT)
    send.dag = DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))

    assert run_task(send).state == state
    assert len(gateway.sent) == (state == "success")


@pytest.mark.parametrize(
    "given", [{"history": "/data"}, {"at_most": 2}, {"within": timedelta(days=7)}], ids=str
)
def test_half_a_limit_breaks_the_dag(make_audience_task, given):
    """history, at_most and within are one limit: a part of it is refused, not ignored."""
    with pytest.raises(ValueError, match="history, at_most and within go together"):
        make_audience_task(recipients=[A], category="marketing", **given)


def test_once_per_is_not_for_a_bulk_job(make_audience_task):
    """The gateway cannot hold to a cap for the phones of a file: refused with what to do instead."""
    task = {"recipients": [A], "category": "marketing", "once_per": "week"}
    if make_audience_task(recipients=[A]).task_id != "bulk":
        make_audience_task(**task)
        return
    with pytest.raises(ValueError, match="once_per is not for a bulk job"):
        make_audience_task(**task)


def test_a_preview_knows_a_part_of_the_caps(gateway, run_task, make_campaign, write_table):
    """A dry run leaves out who is known to have had enough, and the second row of a phone."""
    folder = write_table({"phone": A})
    people = [{"phone": phone, "name": f"N{place}"} for place, phone in enumerate((A, B, B))]
    options = {"history": str(folder), "once_per": "week", "key_column": "name", **LIMIT}

    result = run_task(make_campaign(people, dry_run=True, **options))

    assert (result.xcom["preview"]["recipients"], result.xcom["rejected"]) == (1, {"capped": 2})
    assert gateway.sent == []
