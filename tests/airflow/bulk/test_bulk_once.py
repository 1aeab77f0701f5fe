"""The bulk operator creates no job twice and forgets none."""

import pytest

from airflow_provider_osonsms.bulk import files as bulk_csv
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.protocol.errors import RequestNotSentError
from airflow_provider_osonsms.simulator import Fault

PEOPLE = [f"99290000{number:04}" for number in range(1, 6)]


@pytest.fixture
def two_to_a_file(monkeypatch):
    """Let a file hold two numbers, so that five people are three jobs."""
    split = bulk_csv.split_into_files
    monkeypatch.setattr(bulk_csv, "split_into_files", lambda phones: split(phones, max_bytes=2 * 13))


def test_several_jobs_have_keys_of_their_own(gateway, run_task, two_to_a_file, make_operator):
    """Above the limit several jobs are created, each with its own key, and nobody is in two."""
    result = run_task(make_operator())

    assert [list(job.phones) for job in gateway.bulks] == [PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:]]
    assert len(set(result.xcom["txn_ids"])) == 3


def test_order_of_rows_does_not_change_keys(gateway, run_task, supervisor, two_to_a_file, make_operator):
    """The same people in another order are the same jobs."""
    first = run_task(make_operator())
    supervisor.store.clear()
    second = run_task(make_operator(recipients=PEOPLE[::-1], on_unconfirmed="resend"), try_number=2)

    assert second.xcom["txn_ids"] == first.xcom["txn_ids"]
    assert len(gateway.bulks) == 3


def test_lost_answer_is_not_repeated(gateway, run_task, make_operator):
    """An upload without an answer fails without retry and names the cabinet: nobody is texted twice."""
    gateway.inject(Fault.CUT_AFTER, call="bulk")

    result = run_task(make_operator())

    assert result.state == "failed"
    assert "cabinet" in str(result.error)
    assert (len(gateway.bulks), gateway.requests["bulk"]) == (1, 1)


def test_clear_after_a_lost_answer_is_not_repeated(gateway, run_task, make_operator):
    """Clearing the failed task does not repeat the upload either, with or without a journal."""
    gateway.inject(Fault.CUT_AFTER, call="bulk")
    run_task(make_operator())

    result = run_task(make_operator(), try_number=2)

    assert result.state == "failed"
    assert "resend" in str(result.error)
    assert gateway.requests["bulk"] == 1


def test_resend_repeats_with_the_same_key(gateway, run_task, make_operator):
    """on_unconfirmed='resend' repeats under the same key, and the gateway makes one job of it."""
    gateway.inject(Fault.CUT_AFTER, call="bulk")

    result = run_task(make_operator(on_unconfirmed="resend"))

    assert result.state == "success"
    assert result.xcom["bulk_names"] == [gateway.bulks[0].name]
    assert (len(gateway.bulks), gateway.requests["bulk"]) == (1, 2)


def test_retry_goes_on_where_it_stopped(gateway, run_task, two_to_a_file, has_state_store, make_operator):
    """With a journal a retry creates only the jobs that are missing; without one it refuses to guess."""
    create, calls = OsonSmsClient.create_bulk, []

    def fail_the_second(self, job, **options):
        calls.append(job.txn_id)
        if len(calls) == 2:
            raise RequestNotSentError("bulk: no connection")
        return create(self, job, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OsonSmsClient, "create_bulk", fail_the_second)
        first = run_task(make_operator())
    second = run_task(make_operator(), try_number=2)

    if has_state_store:
        assert (first.state, second.state) == ("up_for_retry", "success")
        assert [list(job.phones) for job in gateway.bulks] == [PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:]]
    else:
        assert (first.state, second.state) == ("failed", "failed")
        assert "the 1 before it were" in str(first.error)
        assert len(gateway.bulks) == 1


def test_clear_of_a_finished_task_creates_nothing(
    gateway, run_task, two_to_a_file, has_state_store, make_operator
):
    """A Clear after the time of sending returns the same jobs, or refuses to guess without a journal."""
    first = run_task(make_operator())
    cleared = run_task(make_operator(send_at="2020-01-01 09:00"), try_number=2)

    assert len(gateway.bulks) == 3
    if has_state_store:
        assert cleared.xcom["bulk_names"] == first.xcom["bulk_names"]
    else:
        assert cleared.state == "failed"


def test_changed_audience_is_refused(gateway, run_task, has_state_store, make_operator):
    """Other people than in an earlier try would be texted twice in part: the task fails and says so."""
    if not has_state_store:
        pytest.skip("Airflow below 3.3 refuses every second try")
    run_task(make_operator())

    result = run_task(make_operator(recipients=[*PEOPLE, "992900000009"]), try_number=2)

    assert result.state == "failed"
    assert "recipients have changed" in str(result.error)
    assert len(gateway.bulks) == 1


def test_mapped_texts_are_jobs_of_their_own(gateway, run_task, supervisor, make_operator):
    """Mapped instances that text the same people differently create a job each."""
    for index, text in enumerate(["one", "two"]):
        supervisor.store.clear()  # the store of an instance is its own
        run_task(make_operator(message=text), map_index=index)

    assert [job.text for job in gateway.bulks] == ["one", "two"]
