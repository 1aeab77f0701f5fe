"""Creating a bulk job, without HTTP (§5)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.simulator import GatewayBackend

FILE = b"992900001234\n992900001235\n"


def invalid(**problems: str) -> tuple[int, dict[str, Any]]:
    """Write the body of a 422."""
    data = {("from" if name == "from_" else name): [text] for name, text in problems.items()}
    return 422, {"success": False, "message": "Validation errors", "data": data}


def test_success(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """A job is answered with its name (§5.2) and is neither billed nor sent."""
    assert backend.create_bulk(bulk_fields, FILE) == (
        200,
        {"status": "success", "message": "Bulk SMS created successfully", "sms_bulk_name": "bulk-1"},
    )
    assert backend.accounts["demo"].balance == Decimal("0.35")
    assert backend.messages == []


def test_the_ledger_after_a_success(backend: GatewayBackend, bulk_fields: dict[str, str], clock: Any) -> None:
    """A job is in the ledger, its moment of sending read as time of Dushanbe."""
    backend.create_bulk(bulk_fields, FILE)

    (job,) = backend.bulks
    assert (job.name, job.txn_id, job.login, job.sender, job.text) == (
        "bulk-1",
        "b-1",
        "demo",
        "SHOP",
        "Salom",
    )
    assert (job.phones, job.ignored, job.file_bytes) == (("992900001234", "992900001235"), 0, len(FILE))
    assert (job.send_at, job.created_at) == (datetime(2026, 11, 24, 5, 0, tzinfo=UTC), clock.now)
    assert "992900001234" not in repr(job)


def test_grammar_of_the_file(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """A line is a number of 9 or 12 digits, ended by LF or CRLF; blank lines do not count."""
    good = b"992900001234\r\n\r\n  \n900001235\n\n992900001239"
    ignored = b"phone\r\n+992900001236\n992900001237,x\n 992900001238\n"

    backend.create_bulk(bulk_fields, ignored + good)

    (job,) = backend.bulks
    assert job.phones == ("992900001234", "992900001235", "992900001239")
    assert job.ignored == 4


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("from", "The from field is required."),
        ("msg", "The msg field is required."),
        ("login", "The login field is required."),
        ("str_hash", "The str hash field is required."),
        ("txn_id", "The txn id field is required."),
        ("send_at", "The send at field is required."),
    ],
)
def test_422_missing_field(
    backend: GatewayBackend, bulk_fields: dict[str, str], field: str, words: str
) -> None:
    """A missing field is named in ``data``."""
    del bulk_fields[field]

    status, body = backend.create_bulk(bulk_fields, FILE)
    assert (status, body["success"], body["message"]) == (422, False, "Validation errors")
    assert body["data"] == {field: [words]}


def test_422_everything_missing(backend: GatewayBackend) -> None:
    """All missing fields are named at once, the file among them."""
    body = backend.create_bulk({}, None)[1]

    assert set(body["data"]) == {"from", "msg", "login", "str_hash", "txn_id", "send_at", "file"}
    assert body["data"]["file"] == ["The file field is required."]


@pytest.mark.parametrize("login", ["nobody", "DEMO"])
def test_404_unknown_login(backend: GatewayBackend, bulk_fields: dict[str, str], login: str) -> None:
    """An unknown login is a 404."""
    assert backend.create_bulk({**bulk_fields, "login": login}, FILE) == (404, {"error": "User not found"})


def test_404_blocked_login(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """A blocked login is a 404."""
    backend.change_account("demo", is_blocked=True)

    assert backend.create_bulk(bulk_fields, FILE) == (404, {"error": "User not found"})


def test_422_hash(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """A wrong hash is a 422 about str_hash (a guess)."""
    answer = backend.create_bulk({**bulk_fields, "txn_id": "b-2"}, FILE)
    assert answer == invalid(str_hash="Incorrect hash")


def test_422_sender(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """A sender of somebody else is a 422 about from (a guess)."""
    digest = "3608952b1a55c929a12227428307805cda3baed5e02ffd5b024415bde6c73a4f"

    answer = backend.create_bulk({**bulk_fields, "from": "OTHER", "str_hash": digest}, FILE)
    assert answer == invalid(from_="The selected from is invalid.")


@pytest.mark.parametrize(
    "send_at",
    ["2026-11-24", "2026-11-24T10:00:00", "24.11.2026 10:00:00", "2026-1-2 3:4:5", "2026-02-30 10:00:00"],
)
def test_422_send_at(backend: GatewayBackend, bulk_fields: dict[str, str], send_at: str) -> None:
    """A moment that is not written ``YYYY-MM-DD HH:MM:SS`` is a 422 about send_at."""
    answer = backend.create_bulk({**bulk_fields, "send_at": send_at}, FILE)
    assert answer == invalid(send_at="The send at does not match the format Y-m-d H:i:s.")


def test_422_file_too_large(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """A file of 5,000,000 bytes is accepted and one byte more is a 422 about file."""
    largest = b"992900001234\n" + b"\n" * (5_000_000 - 13)

    answer = backend.create_bulk(bulk_fields, largest + b"\n")
    assert answer == invalid(file="The file must not be greater than 5000 kilobytes.")
    assert backend.create_bulk(bulk_fields, largest)[0] == 200


@pytest.mark.parametrize("file", [b"", b"\n\n", b"phone\n12345\n"])
def test_400_no_numbers(backend: GatewayBackend, bulk_fields: dict[str, str], file: bytes) -> None:
    """A file without numbers is a 400."""
    answer = backend.create_bulk(bulk_fields, file)
    assert answer == (400, {"error": "No phone numbers found in the file"})


def test_order_of_checks(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """Checks run in the order 422 (missing), 404, 422 (wrong), 400."""
    wrong = {**bulk_fields, "login": "nobody", "send_at": "tomorrow"}

    assert backend.create_bulk({**wrong, "msg": ""}, b"")[0] == 422
    assert backend.create_bulk(wrong, b"")[0] == 404
    assert backend.create_bulk({**wrong, "login": "demo"}, b"")[0] == 422
    assert backend.create_bulk(bulk_fields, b"")[0] == 400
    assert [refusal.code for refusal in backend.refusals] == [None] * 4


def test_a_repeat_creates_no_second_job(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """The same txn_id gets the first answer again and no second job (a guess from §1)."""
    first = backend.create_bulk(bulk_fields, FILE)

    assert backend.create_bulk(bulk_fields, b"992900001299\n") == first
    assert len(backend.bulks) == 1


def test_bearer(backend: GatewayBackend, bulk_fields: dict[str, str]) -> None:
    """A token replaces the hash here too (a guess)."""
    del bulk_fields["str_hash"]

    wrong = backend.create_bulk(bulk_fields, FILE, authorization="Bearer wrong")
    assert wrong == invalid(str_hash="Incorrect Authorization")
    assert backend.create_bulk(bulk_fields, FILE, authorization="Bearer demo-salt")[0] == 200
