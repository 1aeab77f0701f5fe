"""The requests for a status, the balance and a bulk job (§3.1, §4.1, §5.1), and what a repr shows."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_osonsms.protocol.build import build_balance, build_bulk, build_query, build_send
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, PhoneNotAllowedError
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Message, Response


def test_query(account: Account, bearer_account: Account) -> None:
    """A status query names the msg_id and signs login;txn_id;secret, or signs nothing under bearer."""
    request = build_query("163938568", account, nonce="nonce-1")

    assert request.url.startswith("https://api.test/query_sms.php?")
    assert dict(parse_qsl(urlsplit(request.url).query)) == {
        "login": "kitobkhona",
        "txn_id": "nonce-1",
        "msg_id": "163938568",
        # printf '%s' 'kitobkhona;nonce-1;sol-4711' | sha256sum
        "str_hash": "eb46e3a4b76ef21a13aeada882fbfca13f286f39c6dde809557fea12ee4cd7f9",
    }
    bearer = build_query("163938568", bearer_account, nonce="nonce-1")
    assert "str_hash" not in bearer.url
    assert ("Authorization", "Bearer tok-0815") in bearer.headers


def test_balance(account: Account, bearer_account: Account) -> None:
    """A balance query signs txn_id;login;secret, or nothing under bearer."""
    request = build_balance(account, nonce="nonce-1")

    assert request.url.startswith("https://api.test/check_balance.php?")
    assert dict(parse_qsl(urlsplit(request.url).query)) == {
        "login": "kitobkhona",
        "txn_id": "nonce-1",
        # printf '%s' 'nonce-1;kitobkhona;sol-4711' | sha256sum
        "str_hash": "59310bfda4d3b32f47aa4b9b04c3b276c08de3434aa3858004812be558aa885f",
    }
    bearer = build_balance(bearer_account, nonce="nonce-1")
    assert "str_hash" not in bearer.url
    assert ("Authorization", "Bearer tok-0815") in bearer.headers


def test_bulk(job: BulkJob, account: Account, bearer_account: Account) -> None:
    """A bulk job is a form with the file, posted to the other host with the longer timeout."""
    request = build_bulk(job, account)

    assert (request.call, request.method) == ("bulk", "POST")
    assert request.url == "https://cab.test/api/v1/bulk-sms/create"
    assert dict(request.form) == {
        "from": "KITOB",
        "msg": "Kitobhoi nav",
        "login": "kitobkhona",
        "txn_id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "send_at": "2026-11-24 10:00:00",
        # printf '%s' '0f1e2d3c4b5a69788796a5b4c3d2e1f0;kitobkhona;KITOB;sol-4711' | sha256sum
        "str_hash": "b71d511438b99a4aa7ca3c37306b3f8359fa72c9ddcca7d1f89e0c9367f9d51e",
    }
    assert request.file == job.csv
    assert request.headers == (("Accept", "application/json"),)
    assert (account.timeout, request.timeout) == (10.0, 60.0)
    bearer = build_bulk(job, bearer_account)
    assert "str_hash" not in dict(bearer.form)
    assert ("Authorization", "Bearer tok-0815") in bearer.headers


def test_send_at_is_wall_time_of_dushanbe(job: BulkJob, account: Account) -> None:
    """A moment of any zone is written as the clock in Dushanbe shows it (wire-notes, "Bulk")."""
    evening = replace(job, send_at=datetime(2026, 12, 31, 20, 0, 0, tzinfo=UTC))

    assert dict(build_bulk(evening, account).form)["send_at"] == "2027-01-01 01:00:00"


@pytest.mark.parametrize(
    "changes",
    [
        {"csv": b""},
        {"csv": b"9" * 5_000_001},
        {"text": " "},
        {"text": "half \ud83d"},
        {"sender": ""},
        {"sender": "KI;TOB"},
        {"sender": "TWELVE CHARS"},
        {"txn_id": ""},
        {"txn_id": "a b"},
        {"send_at": datetime(2026, 11, 24, 10, 0, 0)},  # noqa: DTZ001 - naive is the point
    ],
)
def test_strict_refusals(job: BulkJob, account: Account, changes: dict[str, Any]) -> None:
    """A job that the gateway would refuse or misread never leaves this machine."""
    with pytest.raises(InvalidMessageError):
        build_bulk(replace(job, **changes), account)


def test_the_largest_file(job: BulkJob, account: Account) -> None:
    """A file of exactly 5,000,000 bytes may be sent (§5.1)."""
    assert len(build_bulk(replace(job, csv=b"9" * 5_000_000), account).file or b"") == 5_000_000


def test_allowed_phones(job: BulkJob, account: Account) -> None:
    """One stranger in a file stops the whole file, and the refusal counts without naming."""
    both = replace(account, allowed_phones=frozenset({"992900001234", "992900001235"}))
    one = replace(account, allowed_phones=frozenset({"992900001234"}))

    assert build_bulk(job, both).file == job.csv
    with pytest.raises(PhoneNotAllowedError, match="1 numbers") as refusal:
        build_bulk(job, one)
    assert "992900001235" not in str(refusal.value)


def test_an_allow_list_and_an_unreadable_file(job: BulkJob, account: Account) -> None:
    """A file that is no text is refused like any other file with strangers."""
    staging = replace(account, allowed_phones=frozenset({"992900001234"}))

    with pytest.raises(InvalidMessageError):
        build_bulk(replace(job, csv=b"\xff\xfe9\x00"), staging)


def test_a_query_without_msg_id_is_refused(account: Account) -> None:
    """A status is never asked without a msg_id (wire-notes, "Asking")."""
    with pytest.raises(InvalidMessageError):
        build_query("", account, nonce="nonce-1")


def test_reprs_are_discreet(
    message: Message, job: BulkJob, account: Account, bearer_account: Account
) -> None:
    """No repr shows a secret, a phone, a text, a hash or a URL with a query."""
    allowed = frozenset({"992900001234", "992900001235"})
    values = [
        message,
        job,
        replace(account, allowed_phones=allowed),
        bearer_account,
        build_send(message, account),
        build_send(message, bearer_account),
        build_bulk(job, account),
        build_bulk(job, bearer_account),
        Response(status=200, body=b"992900001234"),
    ]

    shown = repr(values) + "".join(map(str, values))
    for private in ("sol-4711", "tok-0815", "9000012", "Salom", "Kitobhoi", "b52633ed", "b71d5114", "php"):
        assert private not in shown
