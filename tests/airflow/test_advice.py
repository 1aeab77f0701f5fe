"""No sentence of ours leads to a second text: what an error advises is safe to follow to the letter."""

from typing import Any

import pandas as pd
import pytest

from airflow_provider_osonsms._compat import AirflowFailException
from airflow_provider_osonsms.bulk import files as bulk_csv
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.osonsms import (
    OsonSmsBulkCreateOperator,
    OsonSmsCampaignOperator,
    OsonSmsSendOperator,
)
from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError
from airflow_provider_osonsms.simulator import Fault

PEOPLE = [f"99290000{number:04}" for number in range(1, 6)]
KEEPS_OTHERS = "Do not clear older tasks"


def make_send(**options: Any) -> OsonSmsSendOperator:
    """Make an operator that sends one message."""
    defaults = {"task_id": "send", "phone": PEOPLE[0], "message": "Салом!", "retries": 5}
    return OsonSmsSendOperator(**{**defaults, **options})


def make_campaign(**options: Any) -> OsonSmsCampaignOperator:
    """Make a campaign of five."""
    defaults = {"task_id": "campaign", "recipients": PEOPLE, "message": "Салом!", "retries": 5}
    return OsonSmsCampaignOperator(**{**defaults, **options})


def make_bulk(**options: Any) -> OsonSmsBulkCreateOperator:
    """Make an operator with jobs for five, at a time that has not come."""
    people = pd.DataFrame({"phone": PEOPLE})
    defaults = {"task_id": "bulk", "recipients": people, "message": "Салом!", "send_at": "2099-01-01 09:00"}
    return OsonSmsBulkCreateOperator(**{**defaults, "retries": 5, **options})


@pytest.fixture
def two_to_a_file(monkeypatch):
    """Let a file hold two numbers, so that five people are three jobs."""
    split = bulk_csv.split_into_files
    monkeypatch.setattr(bulk_csv, "split_into_files", lambda phones: split(phones, max_bytes=2 * 13))


@pytest.mark.parametrize("make", [make_send, make_campaign])
def test_a_taken_key_sends_into_the_cabinet_first(gateway, run_task, supervisor, make):
    """Another namespace is advised after a look, with what must not be cleared under it."""
    run_task(make())
    supervisor.store.clear()

    words = str(run_task(make()).error)

    places = [words.index(part) for part in ("cabinet", "mark this task as success", "key_namespace")]
    assert places == sorted(places)
    assert KEEPS_OTHERS in words


def test_a_taken_key_of_a_first_bulk_job(gateway, run_task, monkeypatch):
    """A bulk job whose txn_id is taken: look first, and change the namespace while no job exists."""
    words = _refuse_bulk(run_task, monkeypatch, at=1)

    assert 0 < words.index("cabinet") < words.index("key_namespace")
    assert KEEPS_OTHERS in words


def test_a_taken_key_of_a_later_bulk_job(gateway, run_task, monkeypatch, two_to_a_file):
    """Once a job exists the namespace stays: under another one that job would be created again."""
    words = _refuse_bulk(run_task, monkeypatch, at=2)

    assert "keep the key_namespace" in words
    assert "a task of their own" in words
    assert KEEPS_OTHERS not in words


def _refuse_bulk(run_task: Any, monkeypatch: pytest.MonkeyPatch, *, at: int) -> str:
    from airflow_provider_osonsms.client.blocking import OsonSmsClient

    create, calls = OsonSmsClient.create_bulk, []

    def refuse(self, job, **options):
        calls.append(job)
        if len(calls) == at:
            raise DuplicateTransactionError("108: the gateway already knows this txn_id", code=108)
        return create(self, job, **options)

    monkeypatch.setattr(OsonSmsClient, "create_bulk", refuse)
    result = run_task(make_bulk())
    assert result.state == "failed"
    return str(result.error)


def test_an_unanswered_bulk_job(gateway, run_task, two_to_a_file, has_state_store):
    """A job may be there or not: either way out creates no earlier job again."""
    gateway.inject(Fault.CUT_AFTER, call="bulk", every=2)

    words = str(run_task(make_bulk()).error)

    assert "a campaign of 2 numbers" in words
    assert f"besides {gateway.bulks[0].name}" in words
    assert "start a new" not in words
    if has_state_store:
        assert words.index("'assume_created'") < words.index("'resend'") < words.index("back to 'fail'")
    else:
        assert "resend" not in words
        assert "a task of their own" in words


def test_what_an_unanswered_bulk_job_advises_works(gateway, run_task, two_to_a_file, has_state_store):
    """After the advice is followed for a job that is there, each job exists once."""
    if not has_state_store:
        pytest.skip("Airflow below 3.3 remembers nothing: the advice is another one")
    gateway.inject(Fault.CUT_AFTER, call="bulk", every=2)
    run_task(make_bulk())

    assert run_task(make_bulk(on_unconfirmed="assume_created"), try_number=2).state == "success"
    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:]]


def test_receipts_below_3_3_advise_as_a_store_does(gateway, run_task, two_to_a_file, tmp_path):
    """With receipts an unanswered job has both ways out, on every Airflow, and they work."""
    gateway.inject(Fault.CUT_AFTER, call="bulk", every=2)
    first = run_task(make_bulk(receipt_path=str(tmp_path)))
    assert "'assume_created'" in str(first.error)

    again = make_bulk(receipt_path=str(tmp_path), on_unconfirmed="assume_created")
    assert run_task(again, try_number=2).state == "success"
    assert len(gateway.bulks) == 3


def test_a_time_that_is_past(gateway, run_task):
    """The way out is a later time of the same run: a new run has other txn_ids."""
    words = str(run_task(make_bulk(send_at="2020-01-01 09:00")).error)

    assert "a later time for the same run" in words


def test_an_uncertain_message(gateway, run_task):
    """A message that nobody can tell of is sent from a task of its own: a new run sends the others again."""
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)

    words = str(run_task(make_send()).error)

    assert "mark this task as success" in words
    assert "a task of its own" in words


def test_a_late_run_that_has_begun(gateway, run_task, monkeypatch, has_state_store):
    """What is left of a late run is sent by the same run."""
    from datetime import timedelta

    if not has_state_store:
        pytest.skip("below 3.3 and without a results_path nothing says that a try has begun")
    gateway.inject(Fault.CUT_BEFORE, times=None)
    run_task(make_campaign(max_consecutive_failures=1))
    result = run_task(make_campaign(max_lateness=timedelta(0)), try_number=2)

    assert result.state == "failed"
    assert "raise max_lateness and clear this task" in str(result.error)


def test_another_namespace_after_a_campaign_has_sent(
    gateway, run_task, monkeypatch, has_state_store, tmp_path
):
    """The store, or the table, says to restore what was changed; nothing is sent meanwhile."""
    paths = [str(tmp_path / "sent.csv"), *([None] if has_state_store else [])]
    for run_id, path in zip(("run-1", "run-2"), paths, strict=False):
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json())
        run_task(make_campaign(results_path=path), run_id=run_id)
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json(key_namespace="staging"))
        before = len(gateway.sent)

        words = str(run_task(make_campaign(results_path=path), try_number=2, run_id=run_id).error).lower()

        assert "restore" in words
        assert "run_id" not in words or words.index("restore") < words.index("run_id")
        assert len(gateway.sent) == before


def test_doubts_that_cannot_be_stored(gateway, run_task, supervisor, monkeypatch, has_state_store):
    """A single send whose doubts cannot be stored fails for good, and says how to end it with one text."""
    if not has_state_store:
        pytest.skip("Airflow below 3.3 has no store")
    gateway.inject(Fault.NOT_STORED, times=None)
    answer, calls = supervisor.send, []

    def fail_later(msg):
        if type(msg).__name__ == "SetTaskStateStore" and msg.key.startswith("osonsms_send_"):
            calls.append(msg)
            if len(calls) > 1:
                raise OSError
        return answer(msg)

    monkeypatch.setattr(supervisor, "send", fail_later)
    result = run_task(make_send())

    assert result.state == "failed"
    assert "If it is there, mark this task as success" in str(result.error)
    assert "under the same txn_id" in str(result.error)


def test_an_error_of_an_unexpected_caller():
    """Whoever meets an unexplained 108 gets the same words."""
    with pytest.raises(AirflowFailException, match=r"cabinet.*key_namespace"), airflow_errors():
        raise DuplicateTransactionError("108: the gateway already knows this txn_id", code=108)
