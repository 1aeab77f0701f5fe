"""Requests, built strictly: what the gateway would refuse or misread is refused here, unsent.

Reference:
    OsonSMS protocol 1.5, §2.1, §3.1, §4.1, §5.1; docs/wire-notes.md "Two protocols", "Phones",
    "Lengths and characters", "Bulk".
"""

import re
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from airflow_provider_osonsms.protocol import signing
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, PhoneNotAllowedError
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Message, Request
from airflow_provider_osonsms.protocol.txn_ids import check_txn_id
from airflow_provider_osonsms.protocol.vocabulary import (
    BALANCE_PATH,
    BULK_PATH,
    HASH_SEPARATOR,
    MAX_BULK_FILE_BYTES,
    MAX_SENDER_LENGTH,
    MAX_URL_LENGTH,
    QUERY_PATH,
    SEND_PATH,
    TAJIK_TIME,
    TIMESTAMP_FORMAT,
    AuthScheme,
    Channel,
)

_QUOTED = {code: quote(chr(code), safe="") for code in range(128)}
_NOT_ALLOWED = "{} not on the Connection's allowed_phones; add what may be texted from here to that list"
_ACCEPT = (("Accept", "application/json"),)
_MSISDN = re.compile(r"992[0-9]{9}")


def build_send(message: Message, account: Account) -> Request:
    """Build the request that sends one message.

    Raises:
        InvalidMessageError: A field is empty or malformed; nothing left this machine.

    Reference:
        OsonSMS protocol 1.5, §2.1.
    """
    if not _MSISDN.fullmatch(message.phone):
        raise InvalidMessageError("a phone must be an MSISDN of 12 digits that begins with 992")
    if account.allowed_phones is not None and message.phone not in account.allowed_phones:
        raise PhoneNotAllowedError(_NOT_ALLOWED.format("this number is"))
    if message.channel is not None and message.channel not in tuple(Channel):
        raise InvalidMessageError(f"channel must be one of {', '.join(Channel)}, or None for an SMS")
    query = (
        f"from={_quote_name(_check_sender(message.sender))}&phone_number={message.phone}"
        f"&msg={_quote(_check_text(message.text))}&login={_quote_name(account.login)}"
        f"&txn_id={_quote(check_txn_id(message.txn_id))}"
    )
    if account.auth_scheme is AuthScheme.HASH:
        str_hash = signing.sign_send(
            txn_id=message.txn_id,
            login=account.login,
            sender=message.sender,
            phone=message.phone,
            secret=account.secret,
        )
        query = f"{query}&str_hash={str_hash}"
    if message.channel is not None:
        query = f"{query}&channel={_quote_name(message.channel)}"
    if message.is_confidential:
        query = f"{query}&is_confidential=true"
    return _get("send", account, SEND_PATH, query)


def build_query(msg_id: str, account: Account, *, nonce: str) -> Request:
    """Build the request that asks for the status of *msg_id*.

    Args:
        msg_id: The gateway's message id.
        account: Who asks.
        nonce: A fresh txn_id; it only seasons the hash (wire-notes, "Asking").

    Raises:
        InvalidMessageError: *msg_id* is empty.

    Reference:
        OsonSMS protocol 1.5, §3.1.
    """
    if not msg_id:
        raise InvalidMessageError("msg_id is empty: a message without one cannot be asked for")
    query = f"login={_quote_name(account.login)}&txn_id={_quote(nonce)}&msg_id={_quote(msg_id)}"
    if account.auth_scheme is AuthScheme.HASH:
        str_hash = signing.sign_query(txn_id=nonce, login=account.login, secret=account.secret)
        query = f"{query}&str_hash={str_hash}"
    return _get("query", account, QUERY_PATH, query)


def build_balance(account: Account, *, nonce: str) -> Request:
    """Build the request that asks for the balance.

    Reference:
        OsonSMS protocol 1.5, §4.1.
    """
    query = f"login={_quote_name(account.login)}&txn_id={_quote(nonce)}"
    if account.auth_scheme is AuthScheme.HASH:
        str_hash = signing.sign_balance(txn_id=nonce, login=account.login, secret=account.secret)
        query = f"{query}&str_hash={str_hash}"
    return _get("balance", account, BALANCE_PATH, query)


def build_bulk(job: BulkJob, account: Account) -> Request:
    """Build the upload that creates a bulk job.

    Raises:
        InvalidMessageError: A field is empty or malformed; nothing left this machine.

    Reference:
        OsonSMS protocol 1.5, §5.1; docs/wire-notes.md "Bulk" (``send_at`` is Asia/Dushanbe wall time).
    """
    if not account.bulk_url:
        raise InvalidMessageError(
            "the Connection's host is http, as of a simulated gateway, and it has no 'bulk_url': set that in "
            "its extra, so that no bulk job goes to the real gateway by mistake"
        )
    if not 0 < len(job.csv) <= MAX_BULK_FILE_BYTES:
        raise InvalidMessageError(
            f"a bulk file must hold 1 to {MAX_BULK_FILE_BYTES:,} bytes, not {len(job.csv):,}"
        )
    if account.allowed_phones is not None:
        strangers = sum(
            phone.decode(errors="replace") not in account.allowed_phones for phone in job.csv.split()
        )
        if strangers:
            raise PhoneNotAllowedError(_NOT_ALLOWED.format(f"{strangers} numbers of the file are"))
    form = {
        "from": _check_sender(job.sender),
        "msg": _check_text(job.text),
        "login": account.login,
        "txn_id": check_txn_id(job.txn_id),
        "send_at": _format_wall_time(job.send_at),
    }
    if account.auth_scheme is AuthScheme.HASH:
        form["str_hash"] = signing.sign_bulk(
            txn_id=job.txn_id, login=account.login, sender=job.sender, secret=account.secret
        )
    return Request(
        call="bulk",
        method="POST",
        url=account.bulk_url + BULK_PATH,
        headers=_headers(account),
        form=tuple(form.items()),
        file=job.csv,
        timeout=account.upload_timeout,
    )


def _get(call: str, account: Account, path: str, query: str) -> Request:
    """Build a GET of a *query*, which is percent-encoded already."""
    url = f"{account.api_url}{path}?{query}"
    if len(url) > MAX_URL_LENGTH:
        raise InvalidMessageError("the text is too long to travel in one request: shorten it")
    return Request(call=call, method="GET", url=url, headers=_headers(account), timeout=account.timeout)


def _quote(value: str) -> str:
    """Percent-encode, each in the fastest way: `urllib.parse.quote` takes ten times as long."""
    if not value.isascii():
        return f"%{value.encode().hex('%').upper()}"
    return value if value.isalnum() else value.translate(_QUOTED)


@lru_cache(maxsize=64)
def _quote_name(name: str) -> str:
    """Percent-encode what is the same in thousands of requests: a login, a sender."""
    return _quote(name)


def _headers(account: Account) -> tuple[tuple[str, str], ...]:
    if account.auth_scheme is AuthScheme.BEARER:
        return (*_ACCEPT, ("Authorization", f"Bearer {account.secret}"))
    return _ACCEPT


@lru_cache(maxsize=64)
def _check_sender(sender: str) -> str:
    if (
        not sender.strip()
        or HASH_SEPARATOR in sender
        or len(sender) > MAX_SENDER_LENGTH
        or not sender.isprintable()
    ):
        raise InvalidMessageError(
            f"sender must be 1 to {MAX_SENDER_LENGTH} printable characters without {HASH_SEPARATOR!r}, "
            f"one of the names that OsonSMS gave this account"
        )
    return sender


def _check_text(text: str) -> str:
    if not text.strip():
        raise InvalidMessageError("the text of the message is empty")
    if not _is_encodable(text):
        raise InvalidMessageError("the text holds half of a surrogate pair and cannot be sent")
    return text


def _is_encodable(text: str) -> bool:
    """Say it apart from the error, which would keep this one, with the text, as its context."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _format_wall_time(send_at: datetime) -> str:
    if send_at.tzinfo is None:
        raise InvalidMessageError("send_at has no time zone: pass an aware datetime")
    return send_at.astimezone(TAJIK_TIME).strftime(TIMESTAMP_FORMAT)
