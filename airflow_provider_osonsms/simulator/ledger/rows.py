"""The records of the ledger as rows of SQLite, and back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME, Channel
from airflow_provider_osonsms.simulator.ledger.problems import Problem
from airflow_provider_osonsms.simulator.ledger.records import AcceptedMessage, BulkJob, Call, Refusal

Row = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def write_message(message: AcceptedMessage) -> Row:
    """Return the row of a message."""
    return (
        message.msg_id,
        message.txn_id,
        message.login,
        message.sender,
        int(message.phone),
        message.text,
        message.parts,
        message.channel,
        message.is_confidential,
        _as_number(message.accepted_at),
    )


def write_bulk(job: BulkJob) -> Row:
    """Return the row of a bulk job, without its number."""
    return (
        job.txn_id,
        job.login,
        job.sender,
        job.text,
        "\n".join(job.phones),
        job.ignored,
        _as_number(job.send_at),
        job.file_bytes,
        _as_number(job.created_at),
    )


def write_refusal(refusal: Refusal) -> Row:
    """Return the row of a refusal, without its number."""
    return (
        refusal.call,
        refusal.http_status,
        refusal.code,
        refusal.problem,
        json.dumps(dict(refusal.details)),
        refusal.login,
        refusal.txn_id,
        _as_number(refusal.at),
    )


def _as_number(moment: datetime) -> int:
    """Return microseconds since 1970: exact, and half the size of a text."""
    return (moment - _EPOCH) // _MICROSECOND


def _as_moment(number: int) -> datetime:
    return (_EPOCH + number * _MICROSECOND).astimezone(TAJIK_TIME)


def read_message(row: Row) -> AcceptedMessage:
    """Return the message of a row."""
    msg_id, txn_id, login, sender, phone, text, parts, channel, is_confidential, accepted_at = row
    return AcceptedMessage(
        msg_id=msg_id,
        txn_id=txn_id,
        login=login,
        sender=sender,
        phone=str(phone),
        text=text,
        parts=parts,
        channel=Channel(channel) if channel else None,
        is_confidential=bool(is_confidential),
        accepted_at=_as_moment(accepted_at),
    )


def read_bulk(row: Row) -> BulkJob:
    """Return the bulk job of a row."""
    number, txn_id, login, sender, text, phones, ignored, send_at, file_bytes, created_at = row
    return BulkJob(
        name=f"bulk-{number}",
        txn_id=txn_id,
        login=login,
        sender=sender,
        text=text,
        phones=tuple(phones.split()),
        ignored=ignored,
        send_at=_as_moment(send_at),
        file_bytes=file_bytes,
        created_at=_as_moment(created_at),
    )


def read_refusal(row: Row) -> Refusal:
    """Return the refusal of a row."""
    _, call, http_status, code, problem, details, login, txn_id, at = row
    return Refusal(
        call=Call(call),
        http_status=http_status,
        code=code,
        problem=Problem(problem),
        details=json.loads(details),
        login=login,
        txn_id=txn_id,
        at=_as_moment(at),
    )
