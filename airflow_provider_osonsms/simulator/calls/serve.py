"""The four calls: each is checked, written to the ledger and answered, or refused.

Reference:
    OsonSMS protocol 1.5, §2-§5; docs/wire-notes.md "Answers", "Errors", "Requests", "Asking", "Statuses",
    "Message ids", "Repeats", "Timestamps", "Phones", "Lengths and characters", "Bulk".
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME, Channel, ErrorCode
from airflow_provider_osonsms.simulator.behavior import Behavior
from airflow_provider_osonsms.simulator.calls.bulk import read_bulk
from airflow_provider_osonsms.simulator.calls.checks import Fields, check_balance, check_query, check_send
from airflow_provider_osonsms.simulator.calls.refusals import UNKNOWN_MSG_ID, CallRefusedError
from airflow_provider_osonsms.simulator.calls.segments import count_parts
from airflow_provider_osonsms.simulator.delivery import CODE_BY_STATUS, history
from airflow_provider_osonsms.simulator.ledger.problems import Problem
from airflow_provider_osonsms.simulator.ledger.records import AcceptedMessage, SimAccount
from airflow_provider_osonsms.simulator.ledger.storage import Storage

Answer = tuple[int, dict[str, Any]]
"""HTTP status and JSON body."""

_STAMP_LENGTH: Final = len("2026-11-24 12:00:00")
_MSG_ID: Final = re.compile(r"[1-9][0-9]{0,17}")


def serve_send(
    query: Fields,
    *,
    accounts: Mapping[str, SimAccount],
    storage: Storage,
    now: datetime,
    token: str | None,
    remote: str,
) -> Answer:
    """Accept and bill one message (§2)."""
    account, phone = check_send(query, accounts, token=token, remote=remote)
    message = _make_message(query, account, msg_id=storage.next_msg_id(), phone=phone, now=now)
    balance = account.balance - account.price * message.parts
    if balance < 0 and not storage.is_used(account.login, message.txn_id):
        raise CallRefusedError(ErrorCode.BALANCE_EXHAUSTED, Problem.NO_MONEY)
    if not storage.add_message(message):
        raise CallRefusedError(ErrorCode.DUPLICATE_TXN_ID, Problem.REPEATED_TXN_ID)
    storage.save_balance(account.login, balance)
    account.balance = balance
    return 201, {
        "status": "ok",
        "timestamp": stamp(now),
        "txn_id": message.txn_id,
        "msg_id": message.msg_id,
        "smsc_msg_id": f"+{message.msg_id:08X}",
        "smsc_msg_status": "success",
        "smsc_msg_parts": message.parts,
    }


def _make_message(
    query: Fields, account: SimAccount, *, msg_id: int, phone: str, now: datetime
) -> AcceptedMessage:
    return AcceptedMessage(
        msg_id=msg_id,
        txn_id=query["txn_id"],
        login=account.login,
        sender=query["from"],
        phone=phone,
        text=query["msg"],
        parts=count_parts(query["msg"]),
        channel=Channel(query["channel"]) if query.get("channel") else None,
        is_confidential=query.get("is_confidential") == "true",
        accepted_at=now,
    )


def serve_query(
    query: Fields,
    *,
    accounts: Mapping[str, SimAccount],
    storage: Storage,
    behavior: Behavior,
    now: datetime,
    token: str | None,
) -> Answer:
    """Tell where a message is, in both shapes at once (§3; wire-notes, "Statuses")."""
    account = check_query(query, accounts, token=token)
    msg_id = query["msg_id"]
    message = storage.find_message(int(msg_id)) if _MSG_ID.fullmatch(msg_id) else None
    is_late = message is not None and now < message.accepted_at + timedelta(seconds=behavior.unknown_seconds)
    if message is None or message.login != account.login or is_late:
        raise CallRefusedError(ErrorCode.INCORRECT_SENDER, Problem.UNKNOWN_MSG_ID, msg=UNKNOWN_MSG_ID)
    status, _ = history(message, behavior, until=now)[-1]
    return 200, {
        "status": status.value,
        "timestamp": stamp(now),
        "txn_id": message.txn_id,
        "msg_id": message.msg_id,
        "message_state": status.value.capitalize(),
        "message_state_code": CODE_BY_STATUS[status],
    }


def serve_balance(
    query: Fields, *, accounts: Mapping[str, SimAccount], now: datetime, token: str | None
) -> Answer:
    """Return the balance (§4)."""
    account = check_balance(query, accounts, token=token)
    return 200, {"balance": float(account.balance), "timestamp": stamp(now)}


def serve_bulk(
    fields: Fields,
    file: bytes | None,
    *,
    accounts: Mapping[str, SimAccount],
    storage: Storage,
    now: datetime,
    token: str | None,
) -> Answer:
    """Create a bulk job (§5)."""
    name = f"bulk-{storage.next_bulk_number()}"
    job = read_bulk(fields, file, accounts=accounts, token=token, name=name, now=now)
    # A guess: §1 promises that a repeat is not sent twice, and §5.3 documents no refusal of a duplicate.
    first = storage.find_bulk(job.login, job.txn_id)
    if first is None:
        storage.add_bulk(job)
    return 200, {
        "status": "success",
        "message": "Bulk SMS created successfully",
        "sms_bulk_name": (first or job).name,
    }


def stamp(moment: datetime) -> str:
    """Write a moment as the gateway does (wire-notes, "Timestamps")."""
    return moment.astimezone(TAJIK_TIME).isoformat(" ", "seconds")[:_STAMP_LENGTH]
