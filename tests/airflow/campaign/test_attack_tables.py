"""Two campaigns at one results_path, and tables that somebody has changed; by the gateway's ledger."""

import csv

import pytest

from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.simulator import Fault


@pytest.fixture
def die_before_the_table(monkeypatch, run_task):
    """Run a try that is killed before it can write its table: only its part files are left."""

    def die(self):
        raise KeyboardInterrupt

    def run(campaign, **options):
        with monkeypatch.context() as patch:
            patch.setattr(CampaignRun, "write_results", die)
            run_task(campaign, **options)

    return run


def read_rows(path):
    """Read a table as CSV."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_parts_under_another_namespace_are_no_parts_of_ours(
    gateway, run_task, make_campaign, *, tmp_path, supervisor, die_before_the_table, monkeypatch
):
    """After a killed try another key_namespace is refused: under new txn_ids all would be texted again."""
    path = tmp_path / "results.csv"
    die_before_the_table(make_campaign(10, results_path=str(path)))
    supervisor.store.clear()  # as below Airflow 3.3
    changed = gateway.connection_json(timeout=1, key_namespace="other")
    monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", changed)

    result = run_task(make_campaign(10, results_path=str(path)), try_number=2)

    assert result.state == "failed"
    assert "key_namespace" in str(result.error)
    assert len(gateway.sent) == 10


def test_parts_of_another_run_are_not_taken_for_ours(
    gateway, run_task, make_campaign, make_people, *, tmp_path, supervisor, die_before_the_table
):
    """A run at the path of a killed one is refused; with replace_results it leaves its parts to it."""
    path = tmp_path / "results.csv"
    die_before_the_table(make_campaign(10, results_path=str(path)))
    supervisor.store.clear()
    people = make_people(3, first=50)

    refused = run_task(make_campaign(people, results_path=str(path)), run_id="run-2")
    assert (refused.state, len(gateway.sent)) == ("failed", 10)
    assert "run_id" in str(refused.error)

    replaced = make_campaign(people, results_path=str(path), replace_results=True)
    assert run_task(replaced, run_id="run-2").state == "success"
    assert [row["key"] for row in read_rows(path)] == [person["phone"] for person in people]

    path.unlink()
    owner = run_task(make_campaign(10, results_path=str(path)), try_number=2)
    assert owner.state == "success"
    assert owner.xcom["outcomes"]["accepted"] == 10
    assert len(gateway.sent) == 13


def test_parts_of_another_try_stay_on_an_object_storage(
    gateway, run_task, make_campaign, *, tmp_path, monkeypatch
):
    """A try removes the parts that it has read or written, and no other, also where no folder is one."""
    folder = tmp_path / "results.csv.parts"
    send, name = CampaignRun.send, []

    def meet_another_try(self, account):
        send(self, account)
        name.append(f"{next(folder.iterdir()).name.partition('-')[0]}-another-000000.csv")
        (folder / name[0]).write_text("txn_id,code\n")

    monkeypatch.setattr(CampaignRun, "send", meet_another_try)
    result = run_task(make_campaign(10, results_path=f"file://{tmp_path}/results.csv"))

    assert result.state == "success"
    assert [part.name for part in folder.iterdir()] == name


def test_parts_that_cannot_be_written(gateway, run_task, make_campaign, *, tmp_path):
    """A file in place of the folder of the parts fails the task with a sentence, and nobody is texted."""
    (tmp_path / "results.csv.parts").write_text("a file")
    path = tmp_path / "results.csv"

    result = run_task(make_campaign(10, results_path=str(path)))

    assert (result.state, gateway.sent) == ("failed", [])
    assert "results_path" in str(result.error)
    assert str(tmp_path) not in str(result.error)


def edit_date(row):
    """Write times as a spreadsheet does."""
    row["accepted_at"] = row["accepted_at"] and "26.11.2026 12:00"


def edit_numbers(row):
    """Write numbers that no table of ours holds."""
    row["try"], row["parts"] = "300", "-1"


def edit_float(row):
    """Write msg_ids as pandas does."""
    row["msg_id"] = row["msg_id"] and f"{row['msg_id']}.0"


def edit_digits(row):
    """Lose digits as a spreadsheet does."""
    row["msg_id"] = row["msg_id"] and "1.63939E+08"


@pytest.mark.parametrize("edit", [edit_date, edit_numbers, edit_float, edit_digits])
@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_table_that_was_saved_again(
    gateway, run_task, make_campaign, *, tmp_path, supervisor, has_state_store, edit, is_remembered
):
    """What a spreadsheet has done to a table breaks no try, and no msg_id is believed that is none."""
    path = tmp_path / "results.csv"
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)
    run_task(make_campaign(8, results_path=str(path), concurrency=1))
    rows = read_rows(path)
    msg_ids = {row["key"]: row["msg_id"] for row in rows}
    for row in rows:
        edit(row)
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    if not is_remembered:
        supervisor.store.clear()

    result = run_task(make_campaign(8, results_path=str(path)), try_number=2)

    assert result.state == "success"
    assert len(gateway.sent) == 7
    is_lost = edit is edit_digits and not (is_remembered and has_state_store)
    outcomes = ["uncertain", *7 * ["accepted_untracked" if is_lost else "accepted"]]
    assert [row["outcome"] for row in read_rows(path)] == outcomes
    assert {row["key"]: row["msg_id"] for row in read_rows(path) if row["msg_id"]} == (
        {} if is_lost else {key: msg_id for key, msg_id in msg_ids.items() if msg_id}
    )


def test_a_parquet_table_that_pandas_has_saved_again(gateway, run_task, make_campaign, tmp_path):
    """Columns of other types break no try."""
    pytest.importorskip("pyarrow")
    import pandas as pd

    path = tmp_path / "results.parquet"
    run_task(make_campaign(8, results_path=str(path)))
    frame = pd.read_parquet(path)
    msg_ids = list(frame["msg_id"])
    frame["msg_id"], frame["try"] = frame["msg_id"].astype("float64"), frame["try"].astype("float64")
    frame["accepted_at"] = pd.to_datetime(frame["accepted_at"])
    frame.to_parquet(path, index=False)

    assert run_task(make_campaign(8, results_path=str(path)), try_number=2).state == "success"
    assert list(pd.read_parquet(path)["msg_id"]) == msg_ids
    assert len(gateway.sent) == 8


def test_one_strange_row_hides_no_other(
    gateway, run_task, make_campaign, make_people, *, tmp_path, supervisor
):
    """A row whose key was changed, and which was not sent, does not make the others forgotten."""
    path = tmp_path / "results.csv"
    gateway.inject(Fault.CUT_BEFORE, every=8, times=None)
    run_task(make_campaign(8, results_path=str(path), concurrency=1))
    rows = [dict(row) for row in read_rows(path)]
    rows.append({**rows[0], "row": "8", "key": "another", "outcome": "pending", "reason": "not_attempted"})
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    supervisor.store.clear()
    gateway.clear_faults()

    moved = make_people(8)[::-1]
    result = run_task(make_campaign(moved, results_path=str(path)), try_number=2)

    assert result.xcom["outcomes"]["accepted"] == 8
    assert len(gateway.sent) == 8


def test_a_doubt_outlives_an_absence(gateway, run_task, make_campaign, make_people, *, tmp_path, supervisor):
    """A row that met a 109 and was out of the audience for a try is still one of which nobody can tell."""
    path = tmp_path / "results.csv"
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)
    run_task(make_campaign(8, results_path=str(path), concurrency=1, max_consecutive_failures=1))
    for people, number in ((make_people(7, first=1), 2), (make_people(8), 3)):
        supervisor.store.clear()  # as below Airflow 3.3
        result = run_task(make_campaign(people, results_path=str(path)), try_number=number)
        assert result.state == "success"

    assert result.xcom["outcomes"]["uncertain"] == 1
    assert result.xcom["outcomes"]["accepted"] == len(gateway.sent) == 7


def test_a_table_that_cannot_be_written(
    gateway, run_task, make_campaign, *, tmp_path, supervisor, monkeypatch
):
    """A full disk at the end is told without its address, and the next try writes every msg_id."""
    path = tmp_path / "results.csv"

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device", "https://key:secret@bucket")

    with monkeypatch.context() as patch:
        patch.setattr("airflow_provider_osonsms.campaign.results.write_table", fail)
        first = run_task(make_campaign(8, results_path=str(path)))
    assert first.state == "up_for_retry"
    assert "results_path" in str(first.error)
    assert "bucket" not in str(first.error)

    supervisor.store.clear()  # as below Airflow 3.3
    assert run_task(make_campaign(8, results_path=str(path)), try_number=2).state == "success"
    assert [row["msg_id"] for row in read_rows(path)] == [
        str(sms.msg_id) for sms in sorted(gateway.sent, key=lambda sms: sms.phone)
    ]
