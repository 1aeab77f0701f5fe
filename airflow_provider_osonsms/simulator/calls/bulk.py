"""The checks of a bulk job: another host's dialect, in the order 422 (missing), 404, 422 (wrong), 400.

Reference:
    OsonSMS protocol 1.5, §5; docs/wire-notes.md "Bulk". Only the three rows of §5.3 are documented: every
    other text, and which field a problem is filed under, is a guess in the manner of the framework
    that the answers betray.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from airflow_provider_osonsms.protocol.signing import sign_bulk
from airflow_provider_osonsms.protocol.vocabulary import MAX_BULK_FILE_BYTES, TAJIK_TIME, TIMESTAMP_FORMAT
from airflow_provider_osonsms.simulator.calls.checks import Accounts, Fields
from airflow_provider_osonsms.simulator.calls.phones import read_phone_file
from airflow_provider_osonsms.simulator.calls.refusals import (
    INCORRECT_AUTHORIZATION,
    BulkRefusedError,
    invalid_bulk,
)
from airflow_provider_osonsms.simulator.ledger.problems import Problem
from airflow_provider_osonsms.simulator.ledger.records import BulkJob, SimAccount

_FIELDS: Final = ("from", "msg", "login", "str_hash", "txn_id", "send_at")


def read_bulk(
    fields: Fields, file: bytes | None, *, accounts: Accounts, token: str | None, name: str, now: datetime
) -> BulkJob:
    """Return the job that the fields and the file describe.

    Reference:
        OsonSMS protocol 1.5, §5.1, §5.3.
    """
    content = _require_all(fields, file, token=token)
    account = accounts.get(fields["login"])
    if account is None or account.is_blocked:
        problem = Problem.BLOCKED if account else Problem.UNKNOWN_LOGIN
        raise BulkRefusedError(HTTPStatus.NOT_FOUND, problem, answer={"error": "User not found"})
    if problems := _find_problems(fields, account, content=content, token=token):
        raise invalid_bulk(problems)
    phones, ignored = read_phone_file(content)
    if not phones:
        answer = {"error": "No phone numbers found in the file"}
        raise BulkRefusedError(HTTPStatus.BAD_REQUEST, Problem.NO_PHONES, answer=answer)
    return BulkJob(
        name=name,
        txn_id=fields["txn_id"],
        login=account.login,
        sender=fields["from"],
        text=fields["msg"],
        phones=phones,
        ignored=ignored,
        send_at=_read_send_at(fields["send_at"]),
        file_bytes=len(content),
        created_at=now,
    )


def _require_all(fields: Fields, file: bytes | None, *, token: str | None) -> bytes:
    missing = [name for name in _FIELDS if not fields.get(name) and (name != "str_hash" or token is None)]
    if file is None:
        missing.append("file")
    if file is None or missing:
        raise invalid_bulk({name: f"The {name.replace('_', ' ')} field is required." for name in missing})
    return file


def _find_problems(
    fields: Fields, account: SimAccount, *, content: bytes, token: str | None
) -> dict[str, str]:
    problems = {}
    if token is None and fields["str_hash"] != _sign(fields, account):
        problems["str_hash"] = "Incorrect hash"
    if token is not None and token != account.secret:
        problems["str_hash"] = INCORRECT_AUTHORIZATION
    if fields["from"] not in account.senders:
        problems["from"] = "The selected from is invalid."
    if not _is_send_at(fields["send_at"]):
        problems["send_at"] = "The send at does not match the format Y-m-d H:i:s."
    if len(content) > MAX_BULK_FILE_BYTES:
        problems["file"] = "The file must not be greater than 5000 kilobytes."
    return problems


def _sign(fields: Fields, account: SimAccount) -> str:
    return sign_bulk(
        txn_id=fields["txn_id"], login=account.login, sender=fields["from"], secret=account.secret
    )


def _read_send_at(written: str) -> datetime:
    return datetime.strptime(written, TIMESTAMP_FORMAT).replace(tzinfo=TAJIK_TIME)


def _is_send_at(written: str) -> bool:
    """Whether *written* is a time with all its digits; ``strptime`` alone would accept ``2026-1-2``."""
    try:
        return _read_send_at(written).strftime(TIMESTAMP_FORMAT) == written
    except ValueError:
        return False
