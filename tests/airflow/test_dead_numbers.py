"""Numbers that were undeliverable in their last campaigns are not texted again."""

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor
from airflow_provider_osonsms.suppression import dead_numbers

ALIVE, OFF, ASKED = "992900000001", "992900000091", "992900000002"
DEAD = ["992900000093", "992900000193"]
PEOPLE = [ALIVE, *DEAD, OFF, ASKED]


@pytest.fixture
def reports(gateway, run_task, tmp_path):
    """Run three campaigns, each with a wait that leaves a report; return the folder of the reports."""
    for number in range(3):
        run_id = f"month-{number}"
        sent = run_task(
            OsonSmsCampaignOperator(
                task_id="campaign",
                recipients=PEOPLE,
                message="Салом!",
                results_path=str(tmp_path / f"sent-{number}.csv"),
            ),
            run_id=run_id,
        )
        wait = OsonSmsDeliverySensor(
            task_id="wait",
            messages=sent.xcom,
            report_path=str(tmp_path / "reports" / run_id),
            min_delivered=0.0,
            poke_interval=0.05,
            timeout=10,
            deferrable=False,
        )
        result = run_task(wait, run_id=run_id)
        assert result.state == "success", result.error
        assert result.xcom["by_status"] == {"DELIVERED": 2, "EXPIRED": 1, "UNDELIVERABLE": 2}
    return tmp_path / "reports"


def count_new(texted, before):
    """Return who was texted since *before*."""
    new = texted()
    for phone in before:
        new.remove(phone)
    return new


def test_the_dead_are_not_texted(run_task, reports, texted, make_audience_task):
    """The reports of three campaigns are a source for exclude; who was only switched off is texted."""
    before = texted()

    result = run_task(make_audience_task(recipients=PEOPLE, exclude=dead_numbers(reports)))

    assert result.state == "success", result.error
    assert result.xcom["ignored_exclusions"] == 0
    assert count_new(texted, before) in ([], sorted({*PEOPLE} - {*DEAD}))
    assert (result.xcom.get("reject_reasons") or result.xcom["rejected"]) == {"suppressed": 2}


@pytest.mark.parametrize("column", ["phone", "mobile"])
def test_they_stand_beside_other_lists(run_task, reports, texted, tmp_path, *, make_audience_task, column):
    """A list of sources may hold both, and paths are rendered, also in a pattern."""
    before = texted()
    (tmp_path / "stop.csv").write_text(f"{column}\n{ASKED}\n")
    pattern = f"{{{{ '{reports}' }}}}/*/delivery.csv"

    result = run_task(
        make_audience_task(
            recipients=[{column: phone} for phone in PEOPLE],
            phone_column=column,
            exclude=[str(tmp_path / "stop.csv"), dead_numbers(pattern)],
        )
    )

    assert result.state == "success", result.error
    assert count_new(texted, before) in ([], sorted([ALIVE, OFF]))


def test_two_tasks_may_share_them(run_task, reports, texted):
    """Each task renders the paths for itself, also in one process."""
    before = texted()
    dead = dead_numbers(f"{reports.parent}/{{{{ run_id }}}}/*/delivery.csv")
    reports.rename(reports.parent / "second")
    (reports.parent / "first").mkdir()

    for run_id in ("first", "second"):
        run_task(
            OsonSmsCampaignOperator(task_id="next", recipients=PEOPLE, message="Салом!", exclude=dead),
            run_id=run_id,
        )

    assert count_new(texted, before) == sorted([*PEOPLE, ALIVE, OFF, ASKED])


def test_two_campaigns_are_not_three(run_task, reports, texted, make_audience_task):
    """After says how often a number must have been undeliverable."""
    before = texted()

    run_task(make_audience_task(recipients=PEOPLE, exclude=dead_numbers(reports, after=4)))

    assert count_new(texted, before) in ([], sorted(PEOPLE))


@pytest.mark.parametrize("where", ["nowhere", "reports/../sent-0.csv"])
def test_no_report_is_no_list(run_task, reports, texted, tmp_path, *, make_audience_task, where):
    """A path that is not there, or another table, stops the task for good, and nobody is texted."""
    before = texted()

    result = run_task(make_audience_task(recipients=PEOPLE, exclude=dead_numbers(tmp_path / where)))

    assert result.state == "failed"
    assert str(result.error).startswith("dead_numbers: ")
    assert texted() == before


def test_no_number_is_rendered_into_the_ui(run_task, reports, make_audience_task):
    """What Airflow shows of the field is where its reports are."""
    from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

    result = run_task(make_audience_task(recipients=PEOPLE, exclude=dead_numbers(reports)))

    assert _serialize_rendered_fields(result.ti.task)["exclude"] == f"<dead_numbers({reports}, after=3)>"
