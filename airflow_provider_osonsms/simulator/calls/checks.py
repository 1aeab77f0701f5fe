"""The checks of a send, a query and a balance, in the gateway's order: 100, 105, 106, 114, 107.

108 and 119 depend on the ledger, so `serve` checks them.

Reference:
    OsonSMS protocol 1.5, §2.3, §3.3, §4.3; docs/wire-notes.md "Two protocols", "Requests", "Phones".
"""

from collections.abc import Mapping
from typing import Final

from airflow_provider_osonsms.protocol.signing import sign_balance, sign_query, sign_send
from airflow_provider_osonsms.protocol.vocabulary import Channel, ErrorCode
from airflow_provider_osonsms.simulator.calls.diagnosis import diagnose_hash
from airflow_provider_osonsms.simulator.calls.phones import read_phone
from airflow_provider_osonsms.simulator.calls.refusals import (
    INCORRECT_AUTHORIZATION,
    CallRefusedError,
    missing_field,
)
from airflow_provider_osonsms.simulator.ledger.problems import Problem
from airflow_provider_osonsms.simulator.ledger.records import SimAccount

_SEND_FIELDS: Final = ("from", "phone_number", "msg", "login", "str_hash", "txn_id")
_QUERY_FIELDS: Final = ("login", "str_hash", "msg_id")
_BALANCE_FIELDS: Final = ("login", "str_hash", "txn_id")
_SIGNED_FOR_SEND: Final = ("txn_id", "login", "from", "phone_number")
_SIGNED_FOR_QUERY: Final = ("login", "txn_id")
_SIGNED_FOR_BALANCE: Final = ("txn_id", "login")
_CHANNELS: Final = frozenset(Channel)

Accounts = Mapping[str, SimAccount]
Fields = Mapping[str, str]


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization: Bearer`` header; None means that ``str_hash`` decides."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def check_send(
    query: Fields, accounts: Accounts, *, token: str | None, remote: str
) -> tuple[SimAccount, str]:
    """Return the account that may send this message, and the phone in 12 digits.

    Reference:
        OsonSMS protocol 1.5, §2.1, §2.3.
    """
    _require(query, _SEND_FIELDS, token=token)
    phone = _read_recipient(query)
    account = _find_account(query, accounts)
    signature = sign_send(
        txn_id=query["txn_id"],
        login=account.login,
        sender=query["from"],
        phone=query["phone_number"],
        secret=account.secret,
    )
    _authorize(query, account, token=token, signature=signature, signed=_SIGNED_FOR_SEND)
    if account.whitelist is not None and remote not in account.whitelist:
        raise CallRefusedError(
            ErrorCode.HOST_NOT_IN_WHITELIST, Problem.NOT_WHITELISTED, completion=remote, remote=remote
        )
    if query["from"] not in account.senders:
        senders = ", ".join(sorted(account.senders))
        raise CallRefusedError(ErrorCode.INCORRECT_SENDER, Problem.FOREIGN_SENDER, senders=senders)
    return account, phone


def check_query(query: Fields, accounts: Accounts, *, token: str | None) -> SimAccount:
    """Return the account that asks for a status; a hash needs a txn_id, whatever §3.3 lists.

    Reference:
        OsonSMS protocol 1.5, §3.1, §3.3.
    """
    _require(query, _QUERY_FIELDS, token=token)
    txn_id = query.get("txn_id", "")
    if token is None and not txn_id:
        raise missing_field(_QUERY_FIELDS, Problem.MISSING_NONCE)
    account = _find_account(query, accounts)
    signature = sign_query(txn_id=txn_id, login=account.login, secret=account.secret)
    _authorize(query, account, token=token, signature=signature, signed=_SIGNED_FOR_QUERY)
    return account


def check_balance(query: Fields, accounts: Accounts, *, token: str | None) -> SimAccount:
    """Return the account that asks for its balance.

    Reference:
        OsonSMS protocol 1.5, §4.1, §4.3.
    """
    _require(query, _BALANCE_FIELDS, token=token)
    account = _find_account(query, accounts)
    signature = sign_balance(txn_id=query["txn_id"], login=account.login, secret=account.secret)
    _authorize(query, account, token=token, signature=signature, signed=_SIGNED_FOR_BALANCE)
    return account


def _require(query: Fields, mandatory: tuple[str, ...], *, token: str | None) -> None:
    if all(map(query.get, mandatory)):
        return
    missing = [name for name in mandatory if not query.get(name)]
    if token is not None and "str_hash" in missing:
        missing.remove("str_hash")
    if missing:
        raise missing_field(mandatory, Problem.MISSING_FIELDS, fields=", ".join(missing))


def _read_recipient(query: Fields) -> str:
    """Refuse a phone or a channel that cannot be served, with code 100, which is a guess."""
    phone = read_phone(query["phone_number"])
    if phone is None:
        raise missing_field(_SEND_FIELDS, Problem.SENSELESS_PHONE)
    if query.get("channel") and query["channel"] not in _CHANNELS:
        raise missing_field(_SEND_FIELDS, Problem.UNKNOWN_CHANNEL)
    return phone


def _find_account(query: Fields, accounts: Accounts) -> SimAccount:
    account = accounts.get(query["login"])
    if account is None or account.is_blocked:
        problem = Problem.BLOCKED if account else Problem.UNKNOWN_LOGIN
        raise CallRefusedError(ErrorCode.ACCOUNT_BLOCKED, problem)
    return account


def _authorize(
    query: Fields, account: SimAccount, *, token: str | None, signature: str, signed: tuple[str, ...]
) -> None:
    if token is not None:
        if token != account.secret:
            raise CallRefusedError(ErrorCode.INCORRECT_HASH, Problem.WRONG_TOKEN, msg=INCORRECT_AUTHORIZATION)
    elif query["str_hash"] != signature:
        problem, details = diagnose_hash(query, signed=signed, secret=account.secret)
        raise CallRefusedError(ErrorCode.INCORRECT_HASH, problem, **details)
