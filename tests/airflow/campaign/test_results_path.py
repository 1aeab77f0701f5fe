"""The results table as the operator writes it: whose it is, what it says, and what stands in the XCom."""

import csv
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from airflow_provider_osonsms.simulator import Fault


def read(path):
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def path(tmp_path):
    """Where the results are."""
    return tmp_path / "results.csv"


def test_another_runs_table_is_refused(gateway, run_task, make_campaign, path):
    """A results_path without the run's id in it is refused in the second run, before anything is sent."""
    run_task(make_campaign(7, results_path=str(path)))
    before, asked = path.read_bytes(), gateway.requests["send"]

    refused = run_task(make_campaign(9, results_path=str(path)), run_id="run-2")

    assert refused.state == "failed"
    assert "7 of its 7 rows were sent" in str(refused.error)
    assert "put {{ run_id }} into results_path" in str(refused.error)
    assert (path.read_bytes(), gateway.requests["send"]) == (before, asked)


def test_the_advice_about_another_runs_table_followed(gateway, run_task, make_campaign, path):
    """With the run's id in its path the run texts everybody, and both tables are there."""
    run_task(make_campaign(7, results_path=str(path)))
    run_task(make_campaign(7, results_path=str(path)), run_id="run-2")
    own = str(path.with_name("{{ run_id }}.csv"))

    result = run_task(make_campaign(7, results_path=own), run_id="run-2", try_number=2)

    assert result.state == "success", result.error
    assert result.xcom["results_path"] == str(path.with_name("run-2.csv"))
    assert result.xcom["outcomes"]["accepted"] == 7
    assert len(gateway.sent) == 14


def test_another_runs_table_is_replaced_on_demand(gateway, run_task, make_campaign, path):
    """replace_results=True writes the second run's table over the first one's."""
    run_task(make_campaign(7, results_path=str(path)))

    result = run_task(make_campaign(5, results_path=str(path), replace_results=True), run_id="run-2")

    assert result.state == "success", result.error
    assert {row["msg_id"] for row in read(path)} == {str(sms.msg_id) for sms in gateway.sent[7:]}


@pytest.mark.parametrize("replace_results", [True, False])
def test_ones_own_table_is_never_replaced(gateway, run_task, make_campaign, *, path, replace_results):
    """A Clear reads the table of its own run, whatever replace_results says."""
    options = {"results_path": str(path), "replace_results": replace_results}
    run_task(make_campaign(7, **options))
    before = path.read_bytes()

    result = run_task(make_campaign(7, **options), try_number=2)

    assert (result.xcom["outcomes"]["accepted"], len(gateway.sent)) == (7, 7)
    assert path.read_bytes() == before


@pytest.mark.parametrize("why", ["no money", "no connection", "blocked"])
def test_a_table_in_which_nothing_was_sent_is_replaced(gateway, run_task, make_campaign, *, path, why):
    """The table of a run that texted nobody stands in no other run's way."""
    if why == "no money":
        gateway.backend.change_account("demo", balance=Decimal(0))
    elif why == "blocked":
        gateway.backend.change_account("demo", is_blocked=True)
    else:
        gateway.inject(Fault.NOT_SENT, times=None)
    run_task(make_campaign(7, results_path=str(path), max_consecutive_failures=3))
    gateway.clear_faults()
    gateway.backend.change_account("demo", balance=Decimal(100), is_blocked=False)
    assert len(read(path)) == 7

    result = run_task(make_campaign(7, results_path=str(path)), run_id="run-2")

    assert (result.state, len(gateway.sent)) == ("success", 7), result.error


def test_a_dry_run_touches_no_table(gateway, run_task, make_campaign, path):
    """A dry run writes no table, and reads what earlier tries have sent."""
    assert run_task(make_campaign(7, results_path=str(path), dry_run=True)).state == "success"
    assert list(path.parent.iterdir()) == []
    run_task(make_campaign(7, results_path=str(path)))
    before = path.read_bytes()

    result = run_task(make_campaign(7, results_path=str(path), dry_run=True), try_number=2)

    assert (result.state, result.xcom["outcomes"]["accepted"]) == ("success", 7)
    assert path.read_bytes() == before


@pytest.mark.parametrize("has_table", [True, False])
def test_messages_stand_in_one_place(gateway, run_task, make_campaign, *, path, has_table):
    """With a results_path the XCom has no messages, and says what the table is; without one it lists them."""
    result = run_task(make_campaign(7, results_path=str(path) if has_table else None))

    assert ("messages" in result.xcom) is not has_table
    assert ("results_path" in result.xcom) is has_table
    if has_table:
        assert result.xcom["results"]["rows"] == 7
        assert len(result.xcom["results"]["checksum"]) == 64
        assert str(gateway.sent[0].msg_id) not in str(result.xcom)


def test_when_and_in_which_try_each_was_accepted(gateway, run_task, make_campaign, path):
    """accepted_at is the gateway's own time, in UTC; try is the one that sent the row."""
    gateway.backend.change_account("demo", balance=Decimal("0.50"))
    gateway.inject(Fault.CUT_AFTER)
    assert run_task(make_campaign(9, results_path=str(path), concurrency=1)).state == "up_for_retry"
    first = {sms.phone for sms in gateway.sent}
    gateway.backend.change_account("demo", balance=Decimal(100))

    result = run_task(make_campaign(9, results_path=str(path)), try_number=2)

    assert result.state == "success", result.error
    sent = {sms.phone: sms for sms in gateway.sent}
    rows = read(path)
    lost = [row for row in rows if row["outcome"] == "accepted_untracked"]
    assert len(lost) == 1
    assert lost[0]["accepted_at"] == ""
    for row in rows:
        if row not in lost:
            assert row["try"] == ("1" if row["phone"] in first else "2")
            moment = datetime.fromisoformat(row["accepted_at"])
            assert moment.utcoffset().total_seconds() == 0
            assert moment == sent[row["phone"]].accepted_at.astimezone(UTC).replace(microsecond=0)


def test_seconds_are_those_between_the_acceptances(gateway, run_task, make_campaign, path):
    """A Clear tells the same seconds as the try that has sent."""
    first = run_task(make_campaign(9, results_path=str(path)))
    again = run_task(make_campaign(9, results_path=str(path)), try_number=2)

    assert again.xcom == first.xcom


@pytest.mark.parametrize("written", ["results_path", "rejects_path"])
@pytest.mark.parametrize("read", ["recipients", "exclude", "only", "list"])
def test_nothing_is_written_over_a_source(gateway, run_task, make_campaign, path, *, written, read):
    """A table that would take the place of the audience is refused in any spelling; nothing is sent."""
    path.write_text("phone\n992900000101\n")
    before = path.read_bytes()
    sources = {"exclude": [str(path)]} if read == "list" else {read: str(path)}

    result = run_task(make_campaign(**{"recipients": 3, **sources, written: f"{path.parent}/./{path.name}"}))

    assert result.state == "failed"
    assert "are one file" in str(result.error)
    assert (path.read_bytes(), gateway.sent) == (before, [])
