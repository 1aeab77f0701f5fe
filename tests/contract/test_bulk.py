"""§5: bulk jobs, in the gateway's other dialect."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.build import build_bulk
from airflow_provider_osonsms.protocol.errors import (
    BulkRefusedError,
    FinalRefusalError,
    InvalidMessageError,
    OutcomeUnknownError,
    PhoneNotAllowedError,
    RequestNotSentError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.models import Account, BulkJob, BulkReceipt
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.records import Call

FAILURES = {
    Fault.CUT_BEFORE: (OutcomeUnknownError, 0),
    Fault.CUT_AFTER: (OutcomeUnknownError, 1),
    Fault.HANG_BEFORE: (OutcomeUnknownError, 0),
    Fault.HANG_AFTER: (OutcomeUnknownError, 1),
    Fault.NOT_STORED: (UnexpectedAnswerError, 0),
    Fault.NOT_SENT: (UnexpectedAnswerError, 0),
    Fault.SMSC_UNREACHABLE: (UnexpectedAnswerError, 0),
    Fault.BAD_GATEWAY: (UnexpectedAnswerError, 0),
    Fault.GARBAGE: (UnexpectedAnswerError, 0),
    Fault.GARBAGE_AFTER: (UnexpectedAnswerError, 1),
    Fault.TRUNCATED: (UnexpectedAnswerError, 1),
    Fault.EMPTY: (UnexpectedAnswerError, 1),
}
"""What one fault is told as, and how many jobs exist."""


def test_5_2_success(client: Any, gateway: SimulatedGateway, job: BulkJob) -> None:
    """§5.2: a job is created once, as it was written, and nothing is sent or billed yet."""
    receipt = client.create_bulk(job)

    (created,) = gateway.bulks
    assert receipt == BulkReceipt(txn_id="navsol-2027", bulk_name=created.name)
    assert (created.txn_id, created.sender, created.text) == ("navsol-2027", "KITOB", "Kitobhoi nav")
    assert (created.phones, created.ignored) == (("992900001200", "992900001201"), 0)
    assert created.send_at == job.send_at
    assert (gateway.sent, gateway.balance, gateway.refusals) == ([], 10, [])


def test_5_1_text_and_zone(client: Any, gateway: SimulatedGateway, job: BulkJob) -> None:
    """§5.1: any text and any zone arrive as the same text and the same moment."""
    text = "Нархҳо -50%; 1+1=3 & «тӯҳфа» 🎁\nKITOB"
    client.create_bulk(replace(job, text=text, send_at=datetime(2026, 12, 31, 20, 30, tzinfo=UTC)))

    (created,) = gateway.bulks
    assert created.text == text
    assert created.send_at == datetime(2027, 1, 1, 1, 30, tzinfo=TAJIK_TIME)


@pytest.mark.parametrize(
    ("account_changes", "job_changes", "words"),
    [({"login": ""}, {}, "The login field is required"), ({}, {"sender": "BANK"}, "from: ")],
    ids=["required", "invalid"],
)
def test_5_3_422(
    connect: Callable[..., Any],
    gateway: SimulatedGateway,
    job: BulkJob,
    *,
    account_changes: dict[str, Any],
    job_changes: dict[str, Any],
    words: str,
    assert_discreet: Callable[..., None],
) -> None:
    """§5.3, 422: a missing or wrong field is named, and no job is created."""
    with pytest.raises(BulkRefusedError, match=words) as caught:
        connect(**account_changes).create_bulk(replace(job, **job_changes))
    assert_discreet(caught.value)
    assert_refused_once(gateway, 422)


def test_5_3_422_secret(connect: Callable[..., Any], gateway: SimulatedGateway, job: BulkJob) -> None:
    """§5.3, 422: a wrong salt or token creates no job either."""
    with pytest.raises(FinalRefusalError, match="pass_salt_hash"):
        connect(secret="sol-4712").create_bulk(job)
    assert_refused_once(gateway, 422)


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [({"login": "nobody"}, {}), ({}, {"is_blocked": True})],
    ids=["unknown", "blocked"],
)
def test_5_3_404(
    connect: Callable[..., Any],
    gateway: SimulatedGateway,
    job: BulkJob,
    *,
    changes: dict[str, Any],
    blocked: dict[str, Any],
    assert_discreet: Callable[..., None],
) -> None:
    """§5.3, 404: an unknown or blocked login is final."""
    gateway.backend.change_account("kitobkhona", **blocked)

    with pytest.raises(FinalRefusalError, match="blocked or does not exist") as caught:
        connect(**changes).create_bulk(job)
    assert_discreet(caught.value)
    assert_refused_once(gateway, 404)


def test_5_3_400(client: Any, gateway: SimulatedGateway, job: BulkJob, assert_discreet: Any) -> None:
    """§5.3, 400: a file without numbers creates no job."""
    with pytest.raises(BulkRefusedError, match="no phone numbers") as caught:
        client.create_bulk(replace(job, csv=b"phone\nnobody\n"))
    assert_discreet(caught.value)
    assert_refused_once(gateway, 400)


@pytest.mark.parametrize(("fault", "expected"), FAILURES.items())
def test_a_doubtful_upload_is_not_repeated(
    client: Any,
    gateway: SimulatedGateway,
    job: BulkJob,
    *,
    fault: Fault,
    expected: tuple[type[Exception], int],
    assert_discreet: Callable[..., None],
) -> None:
    """§5: after any fault there is one request and at most one job, and the error says that it may exist."""
    error_class, jobs = expected
    gateway.inject(fault, call="bulk")

    with pytest.raises(error_class) as caught:
        client.create_bulk(job)
    assert type(caught.value) is error_class
    assert_discreet(caught.value)
    assert len(gateway.bulks) == jobs
    assert gateway.requests[Call.BULK] == 1


@pytest.mark.parametrize("fault", FAILURES)
def test_a_repeat_on_request(client: Any, gateway: SimulatedGateway, job: BulkJob, fault: Fault) -> None:
    """§1 for §5: if the caller trusts it, the same upload is repeated and gives one job with its name."""
    gateway.inject(fault, call="bulk")

    receipt = client.create_bulk(job, may_resend=True)

    assert [created.name for created in gateway.bulks] == [receipt.bulk_name]
    assert gateway.requests[Call.BULK] == 2


def test_an_upload_that_never_left_is_repeated(client: Any, gateway: SimulatedGateway, job: BulkJob) -> None:
    """§5: where nobody listens three tries are made, and a later call creates the job."""
    gateway.stop()
    with pytest.raises(RequestNotSentError):
        client.create_bulk(job)
    assert client.pauses == [1.0, 2.0]

    with gateway:
        client.create_bulk(job)
        assert len(gateway.bulks) == 1


def test_allowed_phones(connect: Callable[..., Any], gateway: SimulatedGateway, job: BulkJob) -> None:
    """With an allow-list one stranger in the file stops the upload before it begins."""
    with pytest.raises(PhoneNotAllowedError):
        connect(allowed_phones=frozenset({"992900001200"})).create_bulk(job)
    assert gateway.requests[Call.BULK] == 0


@pytest.mark.parametrize("account", ["hash"], indirect=True)
def test_5_1_the_largest_file(client: Any, gateway: SimulatedGateway, job: BulkJob, account: Account) -> None:
    """§5.1: 384,615 numbers in 5,000,000 bytes are all counted; one byte more is refused on both sides."""
    numbers = b"".join(b"992%09d\n" % number for number in range(900_000_000, 900_384_615))
    largest = replace(job, csv=numbers.ljust(5_000_000, b"\n"))

    client.create_bulk(largest)
    (created,) = gateway.bulks
    assert (len(set(created.phones)), created.ignored, created.file_bytes) == (384_615, 0, 5_000_000)

    too_large = largest.csv + b"\n"
    with pytest.raises(InvalidMessageError, match="5,000,000 bytes"):
        client.create_bulk(replace(largest, csv=too_large))
    answer = client.handle(replace(build_bulk(replace(job, txn_id="navsol-2028"), account), file=too_large))
    assert (answer.status, b'"file"' in answer.body) == (422, True)
    assert (len(gateway.bulks), gateway.requests[Call.BULK]) == (1, 2)


def assert_refused_once(gateway: SimulatedGateway, http_status: int) -> None:
    """Expect one request, its refusal and no job."""
    assert [refusal.http_status for refusal in gateway.refusals] == [http_status]
    assert gateway.requests[Call.BULK] == 1
    assert gateway.bulks == []
