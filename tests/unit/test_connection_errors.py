"""What is wrong with a Connection is named, and the value is never shown."""

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.protocol.errors import InvalidSettingsError

Read = Callable[..., Settings]


def refuse(read: Read, **fields: Any) -> str:
    """Return the words of the refusal, which hold no value and hide no other error."""
    with pytest.raises(InvalidSettingsError) as caught:
        read(**fields)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    return str(error)


@pytest.mark.parametrize("login", [None, "", " ", "kitob;khona"])
def test_login(read: Read, login: str | None) -> None:
    """A login must be there, and without the separator of signed fields."""
    assert refuse(read, login=login).startswith("Connection 'sms': login ")


@pytest.mark.parametrize("password", [None, "", " ", "sol\n4711", "соль", "sol\x004711", "sol\u00a04711"])
def test_password(read: Read, password: str | None) -> None:
    """A salt must be there and be one word that a header could carry, and is not shown."""
    words = refuse(read, password=password)

    assert words.startswith("Connection 'sms': password ")
    assert not password or not password.strip() or password not in words


@pytest.mark.parametrize(
    "host",
    [
        "ftp://sms.test",
        "https://user:geheim@sms.test",
        "user@sms.test",
        "https://sms.test?login=geheim",
        "https://sms.test/#geheim",
        "sms .test",
        "https://",
        "https://sms.test:port",
        "https://sms.test:99999",
        "https://[::1",
        "смс.test",
        "javascript:geheim",
    ],
)
def test_hosts(read: Read, host: str) -> None:
    """An address with credentials, a query, spaces or another scheme is refused and not shown."""
    words = refuse(read, host=host)

    assert words.startswith("Connection 'sms': host must be an address")
    assert "geheim" not in words
    assert refuse(read, extra={"bulk_url": host}).startswith("Connection 'sms': extra 'bulk_url' must be")


def test_two_ports(read: Read) -> None:
    """A port that contradicts the one in the host is refused: one of them would be ignored."""
    words = refuse(read, host="https://sms.test:8443", port=8444)

    assert words == "Connection 'sms': port differs from the port in host: give one of them"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auth_scheme", "basic"),
        ("auth_scheme", "Bearer"),
        ("auth_scheme", 1),
        ("timeout", 0),
        ("timeout", 1e308),
        ("timeout", 1e-9),
        ("max_rate", 1e300),
        ("max_rate", 1e-300),
        ("price_per_part", "1e9"),
        ("timeout", -1),
        ("timeout", "soon"),
        ("timeout", True),
        ("timeout", "nan"),
        ("timeout", float("inf")),
        ("timeout", [5]),
        ("sender", 7),
        ("key_namespace", ["staging"]),
        ("price_per_part", "cheap"),
        ("price_per_part", -0.1),
        ("price_per_part", "NaN"),
        ("max_rate", 0),
        ("max_rate", "fast"),
        ("allowed_phones", []),
        ("allowed_phones", "992900001234, 12345"),
        ("allowed_phones", ["9929000012345"]),
        ("allowed_phones", {"992900001234": 1}),
        ("allowed_phones", 992900001234),
        ("allowed_phones", ","),
        ("suppression", 7),
        ("suppression", ["/data/9000012.csv"]),
        ("suppression", "lists/9000012.csv"),
    ],
)
def test_extra(read: Read, name: str, value: Any) -> None:
    """A field of the extra that cannot be used is named with what it should hold, not with what it holds."""
    words = refuse(read, extra={name: value})

    assert words.startswith(f"Connection 'sms': extra '{name}' must be ")
    assert "9000012" not in words
    assert "cheap" not in words


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("time_out", "did you mean 'timeout'?"),
        ("senders", "did you mean 'sender'?"),
        ("allowed_phone", "did you mean 'allowed_phones'?"),
        ("zzz", "known are bulk_url, auth_scheme, "),
    ],
)
def test_unknown_fields(read: Read, name: str, hint: str) -> None:
    """A misspelt field is refused with the nearest known one: an ignored allow-list would text everybody."""
    words = refuse(read, extra={name: "geheim"})

    assert words.startswith(f"Connection 'sms': extra '{name}' is not a field of this Connection: ")
    assert hint in words
    assert "geheim" not in words
