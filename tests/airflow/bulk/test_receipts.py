"""Receipts of bulk jobs: a job that exists is not made again, in whatever run and on whatever Airflow."""

import csv
import re
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.bulk import files as bulk_csv
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.protocol.errors import RequestNotSentError
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.simulator import Fault

PEOPLE = [f"99290000{number:04}" for number in range(1, 6)]
SEND_AT = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


@pytest.fixture
def two_to_a_file(monkeypatch):
    """Let a file hold two numbers, so that five people are three jobs."""
    split = bulk_csv.split_into_files
    monkeypatch.setattr(bulk_csv, "split_into_files", lambda phones: split(phones, max_bytes=2 * 13))


@pytest.fixture
def folder(tmp_path):
    """Where the receipts are."""
    return tmp_path / "receipts"


@pytest.fixture
def make(make_operator, folder):
    """Make an operator with receipts."""

    def make(**options):
        return make_operator(**{"receipt_path": str(folder), "send_at": SEND_AT, **options})

    return make


def read(folder):
    """Return the receipts."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.iterdir())]
    return [row for text in texts for row in csv.DictReader(text.splitlines())]


def test_a_receipt_says_what_exists(gateway, run_task, make, folder):
    """Each job has a file with its campaign, key, state, name, size and times."""
    result = run_task(make(campaign_id="spring"))

    (receipt,) = read(folder)
    assert datetime.fromisoformat(receipt.pop("uploaded_at")).utcoffset() == timedelta(0)
    assert receipt == {
        "campaign_id": "spring",
        "map_index": "-1",
        "txn_id": result.xcom["txn_ids"][0],
        "state": "created",
        "bulk_name": gateway.bulks[0].name,
        "recipients": "5",
        "send_at": SEND_AT.isoformat(),
        "parts": "1",
        "history_at": "",
        "attempt": "",
    }
    assert PEOPLE[0] not in next(folder.iterdir()).read_text()


def test_another_run_of_the_same_campaign_makes_no_job_again(gateway, run_task, make, two_to_a_file):
    """A campaign_id is one campaign, whatever the run: what exists is returned, and nothing uploaded."""
    first = run_task(make(campaign_id="spring"))
    asked = gateway.requests["bulk"]

    second = run_task(make(campaign_id="spring"), run_id="run-2")

    assert second.state == "success", second.error
    assert second.xcom["bulk_names"] == first.xcom["bulk_names"]
    assert (len(gateway.bulks), gateway.requests["bulk"]) == (3, asked)


def test_another_campaign_in_the_folder_is_no_matter(gateway, run_task, make):
    """Two campaigns share a folder, and two runs without a campaign_id are two campaigns."""
    for options, run_id in (({"campaign_id": "a"}, "run-1"), ({}, "run-2"), ({}, "run-3")):
        assert run_task(make(**options), run_id=run_id).state == "success"

    assert len(gateway.bulks) == 3


def test_other_people_in_another_run_are_refused(gateway, run_task, make):
    """Another run of the campaign with other people would text some of them twice: refused."""
    run_task(make(campaign_id="spring"))

    result = run_task(make(campaign_id="spring", recipients=[*PEOPLE, "992900000009"]), run_id="run-2")

    assert result.state == "failed"
    assert "recipients have changed" in str(result.error)
    assert len(gateway.bulks) == 1


@pytest.mark.parametrize("is_wiped", [True, False], ids=["store wiped", "store kept"])
def test_a_retry_goes_on(gateway, run_task, make, two_to_a_file, *, supervisor, is_wiped):
    """With receipts a retry creates the jobs that are missing, also where there is no state store."""
    create, calls = OsonSmsClient.create_bulk, []

    def fail_the_second(self, job, **options):
        calls.append(job.txn_id)
        if len(calls) == 2:
            raise RequestNotSentError("bulk: no connection")
        return create(self, job, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OsonSmsClient, "create_bulk", fail_the_second)
        first = run_task(make())
    assert (first.state, len(gateway.bulks)) == ("up_for_retry", 1), first.error
    if is_wiped:
        supervisor.store.clear()

    second = run_task(make(), try_number=2)

    assert second.state == "success", second.error
    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:]]
    if is_wiped:
        supervisor.store.clear()
    again = run_task(make(send_at="2020-01-01 09:00"), try_number=3)
    assert (again.state, len(gateway.bulks)) == ("success", 3)
    assert again.xcom["bulk_names"] == second.xcom["bulk_names"]


ADVICE = {
    "if it is there": re.compile(r"If it is there, set on_unconfirmed='(\w+)' and clear this task"),
    "if it is not there": re.compile(r"If it is not there, set on_unconfirmed='(\w+)' and clear this task"),
}


@pytest.mark.parametrize("has_receipts", [True, False], ids=["receipts", "no receipts"])
@pytest.mark.parametrize("position", [1, 2, 3])
@pytest.mark.parametrize("is_there", [True, False])
def test_the_advice_about_an_unanswered_job_followed(
    gateway, run_task, make, two_to_a_file, *, has_state_store, is_there, position, has_receipts
):
    """Whoever looks in the cabinet and does what the error says has each job once, in the end."""
    if not (has_receipts or has_state_store):
        pytest.skip("without a memory the error gives other advice")
    options = {} if has_receipts else {"receipt_path": None}
    fault = Fault.CUT_AFTER if is_there else Fault.CUT_BEFORE
    gateway.inject(fault, call="bulk", every=position)
    failed = run_task(make(**options))
    assert failed.state == "failed"
    assert f"Bulk job {position} of 3 may have been created" in str(failed.error)
    said = str(failed.error).replace("\n", " ")
    assert f"{SEND_AT.astimezone(TAJIK_TIME):%Y-%m-%d %H:%M} (Asia/Dushanbe)" in said
    assert len(gateway.bulks) == position - 1 + is_there

    (choice,) = ADVICE["if it is there" if is_there else "if it is not there"].findall(said)
    result = run_task(make(on_unconfirmed=choice, **options), try_number=2)

    assert result.state == "success", result.error
    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:]]
    assert len(result.xcom["bulk_names"]) == 3
    again = run_task(make(**options), try_number=3)
    assert (again.state, len(gateway.bulks)) == ("success", 3)


@pytest.mark.parametrize("position", [1, 3])
def test_an_unanswered_job_stops_another_run_too(gateway, run_task, make, two_to_a_file, position):
    """A job that may exist is uploaded by no other run of the campaign, until somebody has looked."""
    gateway.inject(Fault.CUT_AFTER, call="bulk", every=position)
    run_task(make(campaign_id="spring"))
    asked = gateway.requests["bulk"]

    stopped = run_task(make(campaign_id="spring"), run_id="run-2")

    assert stopped.state == "failed"
    assert f"Bulk job {position} of 3 may exist" in str(stopped.error)
    assert gateway.requests["bulk"] == asked
    choice = "assume_created"  # it is there
    result = run_task(make(campaign_id="spring", on_unconfirmed=choice), run_id="run-2", try_number=2)
    assert (result.state, len(gateway.bulks)) == ("success", 3)


def test_the_advice_of_a_blind_retry_followed(gateway, run_task, make_operator, two_to_a_file, supervisor):
    """After a first try that left nothing, resend creates each job once, as is advised when none is there."""
    options = {"send_at": SEND_AT}
    gateway.backend.change_account("demo", is_blocked=True)
    run_task(make_operator(**options))
    gateway.backend.change_account("demo", is_blocked=False)
    supervisor.store.clear()

    result = run_task(make_operator(**options, on_unconfirmed="resend"), try_number=2)

    assert result.state == "success", result.error
    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:]]


@pytest.mark.parametrize("content", ["", "campaign_id\n1\n", "\x00\x01"], ids=repr)
def test_an_unreadable_receipt_stops_before_uploading(gateway, run_task, make, folder, content):
    """Where a receipt cannot be read nobody knows what exists: nothing is uploaded, and a retry may help."""
    run_task(make(campaign_id="spring"))
    receipt = next(folder.iterdir())
    whole = receipt.read_bytes()
    receipt.write_text(content)
    asked = gateway.requests["bulk"]

    result = run_task(make(campaign_id="spring"), run_id="run-2")

    assert result.state == "up_for_retry"
    assert "Nothing more is uploaded: restore the folder" in str(result.error)
    assert gateway.requests["bulk"] == asked
    receipt.write_bytes(whole)  # as the error says
    assert run_task(make(campaign_id="spring"), run_id="run-2", try_number=2).state == "success"
    assert len(gateway.bulks) == 1


def test_a_folder_that_cannot_be_written_stops_before_uploading(gateway, run_task, make, tmp_path):
    """A receipt that could not be written would let a later try create the job again."""
    (tmp_path / "file").write_text("")

    result = run_task(make(receipt_path=str(tmp_path / "file" / "receipts")))

    assert result.state == "failed"
    assert "receipt_path" in str(result.error)
    assert gateway.requests["bulk"] == 0


def test_assume_created_assumes_nothing_of_new_jobs(gateway, run_task, make):
    """A job that nobody has uploaded is created, also where unanswered ones count as created."""
    result = run_task(make(on_unconfirmed="assume_created"))

    assert (result.state, len(gateway.bulks)) == ("success", 1)


def test_a_dry_run_writes_no_receipt(gateway, run_task, make, folder):
    """A dry run leaves no receipt, and uploads nothing."""
    run_task(make(dry_run=True))

    assert not folder.exists()
    assert gateway.requests["bulk"] == 0
