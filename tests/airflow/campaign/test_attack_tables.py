"""Two campaigns at one results_path, and tables that somebody has changed; by the gateway's ledger."""

import csv

import pytest

from airflow_provider_osonsms.campaign.run import CampaignRun


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
