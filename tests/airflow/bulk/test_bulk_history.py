"""A bulk job under a history: all its tries leave out the same people, whatever others send meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsBulkCreateOperator, OsonSmsCampaignOperator

PEOPLE = [f"99290000{number:04}" for number in range(1, 6)]
EARLY = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
def folder(tmp_path):
    """The folder of the history, without tables."""
    place = tmp_path / "sent"
    place.mkdir()
    return place


@pytest.fixture
def advertise(run_task, folder):
    """Send a campaign that the history counts."""

    def advertise(name, people):
        campaign = OsonSmsCampaignOperator(
            task_id=name,
            recipients=people,
            message="Салом!",
            category="marketing",
            results_path=str(folder / f"{name}.csv"),
        )
        assert run_task(campaign).state == "success"

    return advertise


@pytest.fixture
def make_bulk(folder, tmp_path):
    """Make a bulk job whose tries run some minutes ago, one after the other."""

    def make(try_number=1, **options):
        bulk = OsonSmsBulkCreateOperator(
            **{
                "task_id": "bulk",
                "recipients": PEOPLE,
                "message": "Салом!",
                "send_at": EARLY + timedelta(days=1),
                "category": "marketing",
                "history": str(folder),
                "at_most": 1,
                "within": timedelta(days=7),
                "receipt_path": str(tmp_path / "receipts"),
                "retries": 5,
                **options,
            }
        )
        bulk._clock = lambda: EARLY + timedelta(seconds=try_number)
        return bulk

    return make


def write_old_message(folder, phone, *, age):
    """Write that a phone has had a message of the category before the first try."""
    moment = (EARLY - age).isoformat(timespec="seconds")
    header = "row,key,phone,outcome,reason,txn_id,msg_id,parts,accepted_at,try,category,period,campaign\n"
    row = f"1,{phone},{phone},accepted,,t,1,1,{moment},1,marketing,,\n"
    (folder / "old.csv").write_text(header + row)


@pytest.mark.parametrize("memory", ["store", "receipts", "both"])
def test_a_clear_after_others_have_sent(
    gateway, run_task, *, make_bulk, advertise, folder, supervisor, has_state_store, memory
):
    """A job that exists is found again, although its people have had enough by now, some or all of them."""
    if memory == "store" and not has_state_store:
        pytest.skip("no state store below Airflow 3.3")
    options = {"receipt_path": None} if memory == "store" else {}
    write_old_message(folder, PEOPLE[0], age=timedelta(days=7) - timedelta(seconds=2))
    first = run_task(make_bulk(**options))
    assert [job.phones for job in gateway.bulks] == [tuple(PEOPLE[1:])]

    for number, people in enumerate((PEOPLE[1:3], PEOPLE), start=2):
        advertise(f"ad{number}", people)
        if memory == "receipts":
            supervisor.task = ("unit", "run-1", "bulk", -1)
            supervisor.store.clear()
        cleared = run_task(make_bulk(number + 5, **options), try_number=number)
        assert (cleared.state, cleared.xcom) == ("success", first.xcom), cleared.error
    assert len(gateway.bulks) == 1


def test_a_retry_goes_on_with_the_same_people(gateway, run_task, *, make_bulk, advertise, fail_second_job):
    """Of two jobs the second failed: the next try creates it, for the people of the first try."""
    assert fail_second_job(lambda: run_task(make_bulk(recipients=PEOPLE[:4]))).state == "up_for_retry"
    advertise("ad", PEOPLE[:1])

    assert (
        fail_second_job(lambda: run_task(make_bulk(2, recipients=PEOPLE[:4]), try_number=2)).state
        == "success"
    )

    assert sorted(phone for job in gateway.bulks for phone in job.phones) == PEOPLE[:4]


def test_a_try_that_created_no_job_counts_anew(gateway, run_task, *, make_bulk, advertise, has_state_store):
    """While no job exists, who has had enough since then is left out."""
    if not has_state_store:
        pytest.skip("below Airflow 3.3 an empty folder does not prove that there is no job")
    assert run_task(make_bulk(max_recipients=1)).state == "failed"
    advertise("ad", PEOPLE[:2])

    assert run_task(make_bulk(2), try_number=2).state == "success"

    assert [job.phones for job in gateway.bulks] == [tuple(PEOPLE[2:])]
