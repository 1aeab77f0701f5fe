"""A table that is not the one its campaign has written: nothing is said of people from it."""

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator

MODES = ("poke", "reschedule", "deferrable")


def make_people(number, *, first=0):
    """Make people who get their messages at once."""
    return [{"phone": f"9929000{first + row:03}01", "name": f"N{row}"} for row in range(number)]


@pytest.fixture
def path(tmp_path):
    """Where the results are."""
    return tmp_path / "results.csv"


@pytest.fixture
def send_campaign(gateway, run_task, path):
    """Run a campaign, as a run of its own."""

    def send(people, *, run_id="run-1", **options):
        operator = OsonSmsCampaignOperator(
            task_id="sms", recipients=people, message="Салом, {name}!", results_path=str(path), **options
        )
        result = run_task(operator, run_id=run_id)
        assert result.state == "success", result.error
        return dict(result.xcom)

    return send


def cut(path):
    """Cut the file in the middle."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_after_a_row(path):
    """Leave out the last rows."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))


def empty(path):
    """Leave only the header."""
    path.write_text(path.read_text().splitlines(keepends=True)[0])


def blank(path):
    """Leave nothing."""
    path.write_bytes(b"")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("damage", [cut, cut_after_a_row, empty, blank])
def test_a_table_that_was_cut_is_not_believed(gateway, send_campaign, wait, *, path, tmp_path, mode, damage):
    """A table with fewer rows than were written ends the try, and writes no list of people."""
    output = send_campaign(make_people(6))
    whole = path.read_bytes()
    damage(path)
    undelivered, report = tmp_path / "undelivered.csv", tmp_path / "delivery.csv"
    options = {
        "messages": output,
        "undelivered_path": str(undelivered),
        "report_path": str(report),
        "retries": 2,
    }

    result = wait(mode, **options)

    assert result.state == "up_for_retry", result.error
    assert "does not hold the table that it has written" in str(result.error)
    assert not undelivered.exists()
    assert not report.exists()
    path.write_bytes(whole)
    again = wait(mode, **options)
    assert again.state == "success", again.error
    untracked = output["outcomes"]["accepted_untracked"]
    assert len(undelivered.read_text().splitlines()) == 1 + untracked


@pytest.mark.parametrize("mode", MODES)
def test_a_table_of_a_second_run_is_not_believed(gateway, send_campaign, wait, *, path, tmp_path, mode):
    """Where a second run has replaced the table, the first run's wait says so, and names the way out."""
    output = send_campaign(make_people(6))
    send_campaign(make_people(6, first=50), run_id="run-2", replace_results=True)
    undelivered = tmp_path / "undelivered.csv"

    result = wait(mode, messages=output, undelivered_path=str(undelivered), retries=2)

    assert result.state == "up_for_retry", result.error
    assert "another run may have written there" in str(result.error)
    assert "{{ run_id }}" in str(result.error)
    assert not undelivered.exists()


@pytest.mark.parametrize("mode", MODES)
def test_a_table_that_changes_while_it_is_waited_for(
    gateway, send_campaign, wait, *, path, tmp_path, mode, monkeypatch
):
    """A table that is swapped during the wait gives no list of the undelivered at its end."""
    output = send_campaign(make_people(6))
    other = path.read_text().replace("992900000001", "992900009901")
    undelivered = tmp_path / "undelivered.csv"
    serve = gateway.backend.query

    def swap_and_serve(*args, **kwargs):
        path.write_text(other)
        return serve(*args, **kwargs)

    monkeypatch.setattr(gateway.backend, "query", swap_and_serve)

    result = wait(mode, messages=output, undelivered_path=str(undelivered), retries=2)

    assert result.state == "up_for_retry", result.error
    assert not undelivered.exists()
