"""What the fields of a Connection mean, and what a wrong one says."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook, _read_extra, _warn_of_clear_text
from airflow_provider_osonsms.protocol.errors import (
    InvalidMessageError,
    InvalidSettingsError,
    PhoneNotAllowedError,
)
from airflow_provider_osonsms.protocol.models import Outcome
from airflow_provider_osonsms.protocol.vocabulary import AuthScheme


@pytest.fixture
def connect(monkeypatch):
    """Set the default Connection from its fields."""

    def connect(**fields):
        connection = {"conn_type": "osonsms", "login": "demo", "password": "demo-salt", **fields}
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", json.dumps(connection))
        return OsonSmsHook()

    return connect


def test_test_button(gateway, connect):
    """The Test button shows the balance, or says what to correct, without any secret."""
    good = OsonSmsHook().test_connection()
    wrong = connect(host=gateway.url, password="wrong-salt").test_connection()
    nowhere = connect(host="http://127.0.0.1:1", extra={"timeout": 0.2}).test_connection()

    assert good == (True, "OsonSMS answers. Balance: 100.00 somoni")
    assert wrong[0] is False
    assert "pass_salt_hash" in wrong[1]
    assert nowhere[0] is False
    assert "host" in nowhere[1]
    assert gateway.sent == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"login": None}, "login"),
        ({"login": "a;b"}, "login"),
        ({"password": ""}, "password"),
        ({"password": "парол"}, "password"),
        ({"host": "http://user:pw@x"}, "host"),
        ({"host": "ftp://x"}, "host"),
        ({"extra": {"bulk_url": "x y"}}, "bulk_url"),
        ({"extra": {"auth_scheme": "basic"}}, "auth_scheme"),
        ({"extra": {"timeout": "soon"}}, "timeout"),
        ({"extra": {"timeout": 0}}, "timeout"),
        ({"extra": {"max_rate": -1}}, "max_rate"),
        ({"extra": {"price_per_part": "cheap"}}, "price_per_part"),
        ({"extra": {"price_per_part": "nan"}}, "price_per_part"),
        ({"extra": {"allowed_phones": "992900000001, 5"}}, "allowed_phones"),
        ({"extra": {"allowed_phones": {}}}, "allowed_phones"),
        ({"extra": {"sender": 5}}, "sender"),
        ({"extra": {"sendr": "SHOP"}}, "did you mean 'sender'"),
    ],
)
def test_wrong_connection_is_named(connect, fields, named):
    """A missing or wrong field raises an error that names the field and the Connection, not the value."""
    hook = connect(**fields)

    with pytest.raises(InvalidSettingsError, match="Connection 'osonsms_default'") as raised:
        hook.get_settings()

    assert named in str(raised.value)
    assert raised.value.__context__ is None  # it would keep the value


def test_missing_sender_is_named(connect):
    """Without a sender in task and Connection nothing is sent and the text says where to set it."""
    with pytest.raises(InvalidMessageError, match="'sender' in the Connection"):
        connect().send_sms("992900000001", "x", txn_id="t")


def test_defaults(connect):
    """An empty form means hash, https at the gateway's own hosts, and 10 s."""
    extra = {"sender": None, "timeout": "", "allowed_phones": "  ", "max_rate": None}
    settings = connect(extra=extra).get_settings()

    assert settings.account.api_url == "https://api.osonsms.com"
    assert settings.account.bulk_url == "https://cab.osonsms.com"
    assert (settings.account.auth_scheme, settings.account.timeout) == (AuthScheme.HASH, 10.0)
    assert (settings.sender, settings.key_namespace, settings.max_rate) == (None, "", None)
    assert settings.account.allowed_phones is None


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "api.osonsms.com"}, "https://api.osonsms.com"),
        ({"host": "https://gate.bank.tj/sms/"}, "https://gate.bank.tj/sms"),
        ({"host": "127.0.0.1", "port": 8025, "schema": "http"}, "http://127.0.0.1:8025"),
        ({"host": "http://127.0.0.1:8025"}, "http://127.0.0.1:8025"),
    ],
)
def test_host_spellings(connect, fields, url):
    """A host without a scheme is https; http only where the Connection says so."""
    assert connect(**fields).get_settings().account.api_url == url


def test_simulated_host_needs_its_own_bulk_url(gateway, connect):
    """With an http host and no bulk_url no bulk job goes to the real gateway by mistake."""
    hook = connect(host=gateway.url, extra={"sender": "SHOP"})

    with pytest.raises(InvalidMessageError, match="'bulk_url'"):
        hook.create_bulk(["992900000001"], "x", txn_id="t", send_at=datetime.now(UTC) + timedelta(days=1))
    assert hook.get_balance() == 100


@pytest.fixture
def warnings(caplog):
    """Read the warnings of the hook, which this process has not given before."""
    _warn_of_clear_text.cache_clear()
    yield lambda: [record for record in caplog.records if "uses http" in record.getMessage()]
    _warn_of_clear_text.cache_clear()


def test_http_is_warned_about_once(connect, warnings):
    """A process says once, without the address, that clear text goes to another machine."""
    for _ in range(3):
        connect(host="http://gateway.invalid").get_settings()

    (warning,) = warnings()
    assert "gateway.invalid" not in warning.getMessage()
    assert "unencrypted" in warning.getMessage()


@pytest.mark.parametrize("host", ["http://127.0.0.1:8025", "http://localhost:8025", "http://[::1]:8025"])
def test_a_simulator_is_not_warned_about(connect, warnings, host):
    """Nothing leaves this machine on the way to a gateway on it."""
    connect(host=host, extra={"bulk_url": host}).get_settings()

    assert warnings() == []


def test_settings_of_every_field(connect):
    """Every extra arrives typed."""
    settings = connect(
        extra={
            "sender": "SHOP",
            "auth_scheme": "bearer",
            "bulk_url": "https://cab.example.tj",
            "timeout": "2.5",
            "key_namespace": "staging",
            "price_per_part": "0.12",
            "allowed_phones": ["992900000001", 900000002],
            "max_rate": 20,
        }
    ).get_settings()

    assert settings.account.auth_scheme is AuthScheme.BEARER
    assert settings.account.bulk_url == "https://cab.example.tj"
    assert settings.account.timeout == 2.5
    assert settings.account.allowed_phones == {"992900000001", "992900000002"}
    assert (settings.sender, settings.key_namespace) == ("SHOP", "staging")
    assert (settings.price_per_part, settings.max_rate) == (Decimal("0.12"), 20.0)


def test_bearer(gateway, connect):
    """With auth_scheme bearer the password is the token, and no hash is sent."""
    hook = connect(host=gateway.url, extra={"auth_scheme": "bearer", "sender": "SHOP"})

    assert hook.send_sms("992900000001", "Салом", txn_id="t").outcome is Outcome.ACCEPTED


def test_allowed_phones_hold_everywhere(gateway, connect):
    """A number that is not allowed is refused by every method, before anything is sent."""
    hook = connect(
        host=gateway.url, extra={"bulk_url": gateway.url, "sender": "SHOP", "allowed_phones": "992900000009"}
    )

    with pytest.raises(PhoneNotAllowedError):
        hook.send_sms("992900000001", "x", txn_id="t")
    with pytest.raises(PhoneNotAllowedError):
        hook.create_bulk(["992900000001"], "x", txn_id="t", send_at=datetime.now(UTC) + timedelta(days=1))
    assert (gateway.sent, gateway.bulks) == ([], [])


@pytest.mark.parametrize("extra", ["[1]", "{", '"text"'])
def test_extra_must_be_an_object(extra):
    """An extra that is no JSON object is named too."""
    with pytest.raises(InvalidSettingsError, match="Connection 'sms': extra"):
        _read_extra(SimpleNamespace(conn_id="sms", extra=extra))


def test_missing_connection_is_named(supervisor, monkeypatch):
    """A Connection that is not defined is named, with what to create."""
    monkeypatch.delenv("AIRFLOW_CONN_OSONSMS_DEFAULT", raising=False)

    with pytest.raises(InvalidSettingsError, match="'osonsms_default' is not defined"):
        OsonSmsHook().get_balance()
