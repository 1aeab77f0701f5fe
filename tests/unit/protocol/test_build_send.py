"""The request that sends one message (§2.1)."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_osonsms.protocol.build import build_send
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, PhoneNotAllowedError
from airflow_provider_osonsms.protocol.models import Account, Message, Request

# printf '%s' '0f1e2d3c4b5a69788796a5b4c3d2e1f0;kitobkhona;KITOB;992900001234;sol-4711' | sha256sum
DIGEST = "b52633ed94ed612ebd6a88891cf01a88dfddb695039453f45e29b6e2dfef2a31"


def read_fields(request: Request) -> dict[str, str]:
    """Read the query string as a web server does."""
    fields = parse_qs(urlsplit(request.url).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in fields.values())
    return {name: values[0] for name, values in fields.items()}


def test_hash_scheme(message: Message, account: Account) -> None:
    """A signed request holds the six fields of §2.1, the salt nowhere, and asks for JSON."""
    request = build_send(message, account)

    assert request.url.startswith("https://api.test/sendsms_v1.php?")
    assert read_fields(request) == {
        "from": "KITOB",
        "phone_number": "992900001234",
        "msg": "Salom, Dilshod",
        "login": "kitobkhona",
        "txn_id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "str_hash": DIGEST,
    }
    assert (request.call, request.method, request.form, request.file) == ("send", "GET", (), None)
    assert request.headers == (("Accept", "application/json"),)
    assert "sol-4711" not in request.url


def test_bearer_scheme(message: Message, bearer_account: Account) -> None:
    """A bearer request keeps the login, has no hash, and shows its token in the header only."""
    request = build_send(message, bearer_account)

    assert sorted(read_fields(request)) == ["from", "login", "msg", "phone_number", "txn_id"]
    assert dict(request.headers) == {"Accept": "application/json", "Authorization": "Bearer tok-0815"}
    assert "tok-0815" not in request.url


def test_timeout_is_the_accounts(message: Message, account: Account) -> None:
    """The request carries the timeout of the Connection."""
    assert build_send(message, replace(account, timeout=3.5)).timeout == 3.5


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a b", "msg=a%20b&"),
        ("1+1", "msg=1%2B1&"),
        ("50% & more; x=y", "msg=50%25%20%26%20more%3B%20x%3Dy&"),
        ("Салом", "msg=%D0%A1%D0%B0%D0%BB%D0%BE%D0%BC&"),
        ("/?#", "msg=%2F%3F%23&"),
    ],
)
def test_percent_encoding(message: Message, account: Account, text: str, encoded: str) -> None:
    """A space is %20 and everything that could split a query string is encoded."""
    assert encoded in build_send(replace(message, text=text), account).url


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200).filter(str.strip))
def test_any_text_arrives_unchanged(message: Message, account: Account, text: str) -> None:
    """Whatever the text holds, the gateway reads the same text and no other field."""
    fields = read_fields(build_send(replace(message, text=text), account))

    assert fields["msg"] == text
    assert len(fields) == 6


@pytest.mark.parametrize(
    ("changes", "extra"),
    [
        ({}, {}),
        ({"channel": "telegram"}, {"channel": "telegram"}),
        ({"is_confidential": True}, {"is_confidential": "true"}),
    ],
)
def test_optional_fields(
    message: Message, account: Account, changes: dict[str, Any], extra: dict[str, str]
) -> None:
    """Optional fields are sent only when they say something."""
    fields = read_fields(build_send(replace(message, **changes), account))

    assert {name: fields[name] for name in ("channel", "is_confidential") if name in fields} == extra


@pytest.mark.parametrize(
    "changes",
    [
        {"phone": ""},
        {"phone": "900001234"},
        {"phone": "+992900001234"},
        {"phone": "00992900001234"},
        {"phone": "99290000123"},
        {"phone": "9929000012345"},
        {"phone": "998900001234"},
        {"phone": "992900001234\n"},
        {"phone": "99290000123٤"},
        {"phone": "992;90001234"},
        {"text": ""},
        {"text": " \n\t"},
        {"text": "Boron \ud83d"},
        {"sender": ""},
        {"sender": "TWELVE CHARS"},
        {"sender": "KI;TOB"},
        {"sender": "KITOB\n"},
        {"sender": "KI\ud83dTOB"},
        {"txn_id": ""},
        {"txn_id": "a;b"},
        {"txn_id": "a" * 65},
        {"channel": "pigeon"},
        {"channel": ""},
        {"channel": "Telegram"},
        {"text": "я" * 1400},
    ],
)
def test_strict_refusals(message: Message, account: Account, changes: dict[str, Any]) -> None:
    """What the gateway would refuse or misread is refused here, in words without phone and text."""
    with pytest.raises(InvalidMessageError) as refusal:
        build_send(replace(message, **changes), account)

    words = str(refusal.value)
    assert "900001234" not in words
    assert "Salom" not in words
    assert "Boron" not in words


@pytest.mark.parametrize("sender", ["K", "KITOB 24/7", "ELEVEN CHAR", "КИТОБХОНА"])
def test_usable_senders(message: Message, account: Account, sender: str) -> None:
    """A sender of 1 to 11 printable characters is sent as it is."""
    assert read_fields(build_send(replace(message, sender=sender), account))["from"] == sender


def test_allowed_phones(message: Message, account: Account) -> None:
    """With an allow-list nobody else is texted, and the refusal does not name the number."""
    staging = replace(account, allowed_phones=frozenset({"992900001234"}))

    assert build_send(message, staging).call == "send"
    with pytest.raises(PhoneNotAllowedError, match="allowed_phones") as refusal:
        build_send(replace(message, phone="992900001299"), staging)
    assert "992900001299" not in str(refusal.value)


def test_an_empty_allow_list_allows_nobody(message: Message, account: Account) -> None:
    """An empty list is not the same as no list."""
    with pytest.raises(PhoneNotAllowedError):
        build_send(message, replace(account, allowed_phones=frozenset()))
