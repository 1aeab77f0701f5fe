"""The fields of an Airflow Connection, read into settings, with an error for each missing or wrong field.

The errors name the field and the Connection and never the value: a salt pasted into the wrong field must not
come into a log.
"""

import contextlib
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import ip_address
from pathlib import PurePath
from typing import Any, Final, TypeVar
from urllib.parse import SplitResult, urlsplit

from airflow_provider_osonsms.arguments import (
    RATE,
    SOMONI,
    InvalidArgumentError,
    Kind,
    T,
    choice,
    seconds,
)
from airflow_provider_osonsms.audience.phones.one import normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.protocol.errors import InvalidSettingsError
from airflow_provider_osonsms.protocol.models import Account
from airflow_provider_osonsms.protocol.vocabulary import (
    DEFAULT_API_URL,
    DEFAULT_BULK_URL,
    HASH_SEPARATOR,
    AuthScheme,
)

DEFAULT_TIMEOUT = 10.0
_MAX_PRICE = 1000
_DEFAULT_PORTS = {"https": 443, "http": 80}
_FIELD_NAME: Final = re.compile(r"[A-Za-z_ -]{1,40}")
D = TypeVar("D")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in a Connection of type ``osonsms``.

    Attributes:
        account: The account, the URLs of the gateway, and the phones that may be texted.
        sender: Default sender of the tasks; None for no default.
        key_namespace: A part of the txn_ids that are made here; it separates installations on one account.
        price_per_part: Somoni per billed part; None if it is not set.
        max_rate: Requests per second at most; None for no limit.
        suppression: Path or URL of the list of those who are never texted; None for no list.
    """

    account: Account
    sender: str | None = None
    key_namespace: str = ""
    price_per_part: Decimal | None = None
    max_rate: float | None = None
    suppression: str | None = field(default=None, repr=False)

    @property
    def is_clear_text(self) -> bool:
        """Whether login, hash and text leave this machine unencrypted."""
        return any(map(_is_exposed, (self.account.api_url, self.account.bulk_url)))


def read_settings(
    conn_id: str,
    *,
    login: str | None,
    password: str | None,
    host: str | None = None,
    port: int | None = None,
    schema: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the fields of the Connection *conn_id*.

    Raises:
        InvalidSettingsError: A field is missing or wrong; the text names it and says what it should hold.
    """
    reader = _ExtraReader(conn_id, extra or {})
    api_url = _make_url(host, default=DEFAULT_API_URL, port=port, schema=schema, reader=reader)
    bulk_url = _make_url(reader.pop("bulk_url"), reader=reader, field="extra 'bulk_url'")
    account = Account(
        login=_check_login(login, reader),
        secret=_check_secret(password, reader),
        auth_scheme=reader.read("auth_scheme", choice(AuthScheme), AuthScheme.HASH),
        api_url=api_url,
        bulk_url=bulk_url or ("" if api_url.startswith("http://") else DEFAULT_BULK_URL),
        timeout=reader.read("timeout", seconds(0.05, 600), DEFAULT_TIMEOUT),
        allowed_phones=reader.read("allowed_phones", _PHONES, None),
    )
    settings = Settings(
        account=account,
        sender=reader.read("sender", _SENDER, None),
        key_namespace=reader.read("key_namespace", _NAMESPACE, ""),
        price_per_part=reader.read("price_per_part", _PRICE, None),
        max_rate=reader.read("max_rate", RATE, None),
        suppression=reader.read("suppression", _PLACE, None),
    )
    reader.refuse_unknown_fields()
    return settings


class _ExtraReader:
    """Reads the fields of the extra one by one; a field that is left at the end is a mistake."""

    def __init__(self, conn_id: str, extra: Mapping[str, Any]) -> None:
        self.conn_id = conn_id
        self._rest = dict(extra)
        self._known: list[str] = []

    def pop(self, name: str) -> Any:
        self._known.append(name)
        value = self._rest.pop(name, None)
        return None if isinstance(value, str) and not value.strip() else value

    def read(self, name: str, kind: Kind[T], default: D) -> T | D:
        value = self.pop(name)
        if value is None:
            return default
        with contextlib.suppress(InvalidArgumentError):
            return kind.read(value, name)
        # outside the block: a chained error would show the value
        raise self.make_error(f"extra '{name}'", f"must be {kind.accepted}")

    def make_error(self, field: str, problem: str) -> InvalidSettingsError:
        return InvalidSettingsError(f"Connection '{self.conn_id}': {field} {problem}")

    def refuse_unknown_fields(self) -> None:
        for name in self._rest:
            close = difflib.get_close_matches(name, self._known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(self._known)}"
            is_name = _FIELD_NAME.fullmatch(str(name))  # anything else may be a value in the wrong place
            shown = f"extra '{name}'" if is_name else "extra: a name"
            raise self.make_error(shown, f"is not a field of this Connection: {hint}")


def _check_login(value: object, reader: _ExtraReader) -> str:
    login = "" if value is None else str(value)
    if not login.strip():
        raise reader.make_error("login", "is missing: enter the login that OsonSMS gave you")
    if HASH_SEPARATOR in login:
        raise reader.make_error(
            "login", f"must not contain {HASH_SEPARATOR!r}: enter the login that OsonSMS gave you"
        )
    return login.strip()


def _check_secret(password: str | None, reader: _ExtraReader) -> str:
    if not password or not password.strip():
        raise reader.make_error(
            "password", "is missing: enter the pass_salt_hash (or the bearer token) that OsonSMS gave you"
        )
    if not password.strip().isascii() or not password.strip().isprintable():
        raise reader.make_error(
            "password", "has characters that no pass_salt_hash or token has: copy it again"
        )
    return password.strip()


def _make_url(
    host: object,
    *,
    reader: _ExtraReader,
    field: str = "host",
    default: str = "",
    port: int | None = None,
    schema: str | None = None,
) -> str:
    """Return the base URL of a field with a URL or a bare host; https, unless http is written."""
    text = ("" if host is None else str(host).strip()) or default
    if not text:
        return ""
    if "://" not in text:
        text = f"{schema if schema in ('http', 'https') else 'https'}://{text}"
    text = text.rstrip("/")
    problem = reader.make_error(
        field, "must be an address (https, host, and a port if needed) without user, query or spaces"
    )
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no number
    except ValueError:
        parts = urlsplit("")
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    is_host = (
        re.fullmatch(r"[A-Za-z0-9._\-\[\]:]+", parts.netloc) is not None
        and bool(parts.hostname)
        and parts.netloc[-1:] != ":"
    )
    if parts.scheme not in ("http", "https") or not is_plain or not is_host:
        raise problem
    return f"{parts.scheme}://{_join_port(parts, port, reader)}{parts.path}"


def _is_exposed(url: str) -> bool:
    """Whether *url* has no encryption, and is not of this machine, where a simulated gateway listens."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_loopback = host == "localhost"
    with contextlib.suppress(ValueError):
        is_loopback |= ip_address(host).is_loopback
    return parts.scheme == "http" and not is_loopback


def _join_port(parts: SplitResult, port: int | None, reader: _ExtraReader) -> str:
    """Return host and port of an address; a *port* of 0 is none.

    Raises:
        InvalidSettingsError: The address has another port than *port*.
    """
    if not port or parts.port == port:
        return parts.netloc
    if parts.port is not None:
        raise reader.make_error("port", "differs from the port in host: give one of them")
    is_default = port == _DEFAULT_PORTS[parts.scheme]
    return parts.netloc if is_default else f"{parts.netloc}:{port}"


def _parse_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004
    return value.strip()


def _parse_place(value: object) -> str:
    """Read a path that means the same file in every process: not one relative to a worker's folder."""
    place = _parse_text(value)
    if "://" not in place and not PurePath(place).is_absolute():
        raise ValueError
    return place


def _parse_price(value: object) -> Decimal:
    price = SOMONI.parse(value)
    if not 0 <= price <= _MAX_PRICE:
        raise ValueError
    return price


def _parse_phones(value: object) -> frozenset[str]:
    entries = (
        [text for text in re.split(r"[,;\n]", value) if text.strip()] if isinstance(value, str) else value
    )
    if not isinstance(entries, list):
        raise ValueError  # noqa: TRY004
    phones = [normalize_phone(entry) for entry in entries]
    if not phones or any(isinstance(phone, RejectReason) for phone in phones):
        raise ValueError
    return frozenset(phones)


_SENDER: Final = Kind("a sender name that OsonSMS gave you", _parse_text)
_NAMESPACE: Final = Kind("a word such as 'staging'", _parse_text)
_PLACE: Final = Kind(
    "the whole path of a file, such as /data/stop.csv, or a URL, such as s3://bucket/stop.csv", _parse_place
)
_PRICE: Final = Kind("somoni per part from 0 to 1000, such as 0.12", _parse_price)
_PHONES: Final = Kind("phone numbers separated by commas, or a list of them", _parse_phones)
