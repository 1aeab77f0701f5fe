"""The ledger as JSON, for tests and demos in another process."""

from collections.abc import Mapping
from typing import Any

from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.ledger import AcceptedMessage, BulkJob, Call, Refusal, SimAccount


def describe(backend: GatewayBackend, requests: Mapping[Call, int]) -> dict[str, Any]:
    """Return everything that the gateway knows, without secrets and without confidential texts."""
    return {
        "accounts": [_describe_account(account) for account in list(backend.accounts.values())],
        "messages": [
            _describe_message(message, status=backend.status(message)) for message in backend.messages
        ],
        "bulks": [_describe_bulk(job) for job in backend.bulks],
        "refusals": [_describe_refusal(refusal) for refusal in backend.refusals],
        "requests": {call.value: requests[call] for call in Call},
    }


def _describe_account(account: SimAccount) -> dict[str, Any]:
    return {
        "login": account.login,
        "senders": sorted(account.senders),
        "balance": float(account.balance),
        "price": float(account.price),
        "is_blocked": account.is_blocked,
        "whitelist": None if account.whitelist is None else sorted(account.whitelist),
    }


def _describe_message(message: AcceptedMessage, *, status: str) -> dict[str, Any]:
    return {
        "msg_id": message.msg_id,
        "txn_id": message.txn_id,
        "login": message.login,
        "sender": message.sender,
        "phone": message.phone,
        "text": None if message.is_confidential else message.text,
        "parts": message.parts,
        "channel": message.channel,
        "is_confidential": message.is_confidential,
        "status": status,
        "accepted_at": message.accepted_at.isoformat(),
    }


def _describe_bulk(job: BulkJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "txn_id": job.txn_id,
        "login": job.login,
        "sender": job.sender,
        "text": job.text,
        "phones": job.phones,
        "ignored": job.ignored,
        "send_at": job.send_at.isoformat(),
        "file_bytes": job.file_bytes,
        "created_at": job.created_at.isoformat(),
    }


def _describe_refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "call": refusal.call,
        "http_status": refusal.http_status,
        "code": refusal.code,
        "reason": refusal.reason,
        "login": refusal.login,
        "txn_id": refusal.txn_id,
        "at": refusal.at.isoformat(),
    }
