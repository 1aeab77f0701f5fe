"""A try of a bulk task that was taken for dead and is not: cases that the model has found."""

import pytest
from model_bulk import UNNAMED, BulkTask
from model_gateway import Event, Fault, Gateway

from airflow_provider_osonsms.bulk.jobs import OnUnconfirmed, UnconfirmedBulkError

NAMES = ["job-7000001", "job-7000002", "job-7000003"]


def names(attempt):
    """Return the names of the jobs that a try has returned."""
    return [receipt.bulk_name for receipt in attempt.receipts]


@pytest.mark.parametrize("memory", ["has_store", "has_receipts"])
def test_a_job_of_a_newer_try_is_not_created_again(memory):
    """A try that goes on after a newer one has created the rest creates none of these jobs a second time."""
    task = BulkTask(
        **{"has_store": False, "has_receipts": False, memory: True}, gateway=Gateway(is_blind_to_jobs=True)
    )

    first = task.run_try([Event.OVERLAP], on_unconfirmed=OnUnconfirmed.ASSUME_CREATED)

    assert sorted(job.phones for job in task.gateway.jobs) == [
        (f"99290000000{person}",) for person in range(3)
    ]
    assert sorted(names(first)) == sorted(NAMES)


def test_the_108_of_a_newer_try_is_no_collision():
    """A first try whose job a newer one has created returns that one's name, and deletes nothing."""
    task = BulkTask()

    first = task.run_try([Event.OVERLAP], on_unconfirmed=OnUnconfirmed.RESEND)

    assert names(first) == NAMES
    assert names(task.run_try()) == NAMES


def test_the_108_of_a_newer_try_without_a_name_is_no_collision():
    """Where a newer try has uploaded and got no name, a person has to look: the job may be ours."""
    task = BulkTask(people=(0,))

    first = task.run_try(
        [Event.OVERLAP], [Fault.LOST, Fault.CONSUMED_109], on_unconfirmed=OnUnconfirmed.RESEND
    )

    assert isinstance(first.error, UnconfirmedBulkError)


def test_a_109_takes_no_name_away():
    """A 109 of a try that was taken for dead leaves the name of a job that a newer try has created."""
    task = BulkTask(people=(0,))
    task.run_try([Fault.SILENT])

    task.run_try([Event.OVERLAP, Fault.BUSY_109], on_unconfirmed=OnUnconfirmed.RESEND)
    last = task.run_try()

    assert names(task.tries[2]) == names(last) != [UNNAMED]
    assert len(task.gateway.jobs) == 1


def test_a_job_without_a_name_is_not_believed_after_a_refusal():
    """A 108 that a newer try has taken for its job is nothing to a try that knows of a 109."""
    task = BulkTask(people=(0,))

    first = task.run_try([Fault.CONSUMED_109, Event.OVERLAP], on_unconfirmed=OnUnconfirmed.RESEND)

    assert task.tries[1].receipts is None  # it knows of the 109, too
    assert first.receipts is None
    assert task.run_try().receipts is None
