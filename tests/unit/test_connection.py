"""From the fields of a Connection to an account."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.protocol.models import Account
from airflow_provider_osonsms.protocol.vocabulary import AuthScheme

Read = Callable[..., Settings]


def test_defaults(read: Read) -> None:
    """A login and a salt are enough: the rest is the gateway's, over https."""
    settings = read()

    assert settings == Settings(account=Account(login="kitobkhona", secret="sol-4711"))
    assert settings.account.auth_scheme is AuthScheme.HASH
    assert settings.account.api_url == "https://api.osonsms.com"
    assert settings.account.bulk_url == "https://cab.osonsms.com"
    assert (settings.account.timeout, settings.account.upload_timeout) == (10.0, 60.0)
    assert not settings.is_clear_text


def test_everything(read: Read) -> None:
    """Every field of the extra arrives as a value of its own kind."""
    settings = read(
        host="sms.test",
        port=8443,
        extra={
            "auth_scheme": "bearer",
            "bulk_url": "https://bulk.test/base/",
            "timeout": "2.5",
            "sender": " KITOB ",
            "key_namespace": "staging",
            "price_per_part": "0.12",
            "max_rate": 20,
            "suppression": "s3://key:secret@bucket/stop.csv",
            "allowed_phones": "992900001234, 900001235",
        },
    )

    assert settings == Settings(
        account=Account(
            login="kitobkhona",
            secret="sol-4711",
            auth_scheme=AuthScheme.BEARER,
            api_url="https://sms.test:8443",
            bulk_url="https://bulk.test/base",
            timeout=2.5,
            allowed_phones=frozenset({"992900001234", "992900001235"}),
        ),
        sender="KITOB",
        key_namespace="staging",
        price_per_part=Decimal("0.12"),
        max_rate=20.0,
        suppression="s3://key:secret@bucket/stop.csv",
    )


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "sms.test"}, "https://sms.test"),
        ({"host": "https://sms.test/"}, "https://sms.test"),
        ({"host": "http://sms.test"}, "http://sms.test"),
        ({"host": " sms.test "}, "https://sms.test"),
        ({"host": "sms.test", "schema": "http"}, "http://sms.test"),
        ({"host": "sms.test", "schema": "https"}, "https://sms.test"),
        ({"host": "https://sms.test", "schema": "http"}, "https://sms.test"),
        ({"host": "sms.test:8443"}, "https://sms.test:8443"),
        ({"host": "sms.test:8443", "port": 8443}, "https://sms.test:8443"),
        ({"host": "sms.test:8443", "port": 0}, "https://sms.test:8443"),
        ({"host": "https://sms.test", "port": 443}, "https://sms.test"),
        ({"host": "http://sms.test", "port": 80}, "http://sms.test"),
        ({"host": "http://127.0.0.1", "port": 8025}, "http://127.0.0.1:8025"),
        ({"host": None, "port": 443}, "https://api.osonsms.com"),
        ({"host": " ", "port": 8443}, "https://api.osonsms.com:8443"),
        ({"host": "127.0.0.1", "port": 8025, "schema": "http"}, "http://127.0.0.1:8025"),
        ({"host": "http://[::1]:8025"}, "http://[::1]:8025"),
        ({"host": "sms.test/gateway/"}, "https://sms.test/gateway"),
        ({"host": ""}, "https://api.osonsms.com"),
        ({"host": "  "}, "https://api.osonsms.com"),
    ],
)
def test_hosts(read: Read, fields: dict[str, Any], url: str) -> None:
    """A host may be a name or an address, with its port here or there; https unless it says http."""
    assert read(**fields).account.api_url == url


@pytest.mark.parametrize(
    ("fields", "is_clear_text"),
    [
        ({"host": "https://sms.test", "extra": {"bulk_url": "https://bulk.test"}}, False),
        ({"host": "http://sms.test"}, True),
        ({"extra": {"bulk_url": "http://bulk.test"}}, True),
        ({"host": "http://192.168.1.7:8025"}, True),
        ({"host": "http://127.0.0.1:8025", "extra": {"bulk_url": "http://bulk.test"}}, True),
        ({"host": "http://127.0.0.1:8025", "extra": {"bulk_url": "http://127.0.0.1:8025"}}, False),
        ({"host": "http://127.8.9.1"}, False),
        ({"host": "http://[::1]:8025"}, False),
        ({"host": "http://localhost:8025"}, False),
        ({"host": "http://localhost.test"}, True),
    ],
)
def test_is_clear_text(read: Read, fields: dict[str, Any], *, is_clear_text: bool) -> None:
    """An address without TLS, of either host, is noticed, unless it is one of this machine."""
    assert read(**fields).is_clear_text is is_clear_text


def test_white_space_around_login_and_password(read: Read) -> None:
    """A space or line break that came along with a copy is dropped."""
    account = read(login=" kitobkhona\n", password="\tsol-4711 \n").account

    assert (account.login, account.secret) == ("kitobkhona", "sol-4711")


@pytest.mark.parametrize("empty", [None, "", "  "])
@pytest.mark.parametrize(
    "name",
    [
        "auth_scheme",
        "bulk_url",
        "timeout",
        "sender",
        "key_namespace",
        "price_per_part",
        "max_rate",
        "suppression",
        "allowed_phones",
    ],
)
def test_an_empty_field_of_the_form_says_nothing(read: Read, name: str, empty: str | None) -> None:
    """A field that the form left empty is the default; an empty allow-list of the form allows everybody."""
    assert read(extra={name: empty}) == read()


@pytest.mark.parametrize(
    "value",
    ["992900001234;992900001235", "992900001234\n992900001235\n", ["992900001234", "+992 90 000 1235"]],
)
def test_allowed_phones(read: Read, value: Any) -> None:
    """Phones may be separated in any usual way and written in any usual way."""
    allowed = read(extra={"allowed_phones": value}).account.allowed_phones

    assert allowed == frozenset({"992900001234", "992900001235"})


def test_a_repr_shows_no_secret(read: Read) -> None:
    """Settings may end in a log: neither the salt nor the allowed phones are in them."""
    shown = repr(read(extra={"allowed_phones": "992900001234"}))

    assert "sol-4711" not in shown
    assert "900001234" not in shown
