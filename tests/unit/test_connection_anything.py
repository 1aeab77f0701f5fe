"""A Connection with anything in its fields: settings that can be used, or words about what is wrong."""

import dataclasses
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.connection import Settings, read_settings
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, InvalidSettingsError
from airflow_provider_osonsms.protocol.models import Account

_FIELDS = [field.name for kind in (Account, Settings) for field in dataclasses.fields(kind)]
_TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "http://127.0.0.1:8025",
        "https://sms.test/api",
        "https://[::1",
        "http://x:99999",
        "//",
        "bearer",
        "1e308",
        "nan",
    ]
)
SALT = "anything-salt-4711"
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)


_CONNECTIONS = st.fixed_dictionaries(
    {
        "login": st.none() | _TEXTS,
        "password": st.sampled_from([None, "", SALT, "two words", "соль"]),
        "host": st.none() | _TEXTS,
        "port": st.none() | st.integers(-1, 70_000),
        "schema": st.none() | _TEXTS,
        "extra": st.dictionaries(st.sampled_from(_FIELDS) | _TEXTS, _VALUES, max_size=6),
    }
)


@given(_CONNECTIONS)
def test_any_fields(fields):
    """No field makes an error of Python's own, and what is accepted can be used."""
    with suppress(InvalidSettingsError, InvalidMessageError):
        settings = read_settings("sms", **fields)
        assert settings.account.api_url.startswith(("http://", "https://"))
        assert 0.05 <= settings.account.timeout <= 600
        assert settings.max_rate is None or 0 < settings.max_rate < float("inf")
        assert SALT not in repr(settings)
