"""What the gateway knows as JSON: all of it for tests and demos elsewhere, what fits for the page.

Secrets and the texts of confidential messages are left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from airflow_provider_osonsms.simulator.backend import GatewayBackend
from airflow_provider_osonsms.simulator.ledger.problems import EXPLANATIONS
from airflow_provider_osonsms.simulator.ledger.records import (
    AcceptedMessage,
    BulkJob,
    Call,
    Refusal,
    SimAccount,
)

_MAX_SEARCHED: Final = 2000
"""How many of the latest messages and refusals the page searches."""
_PHONES_SHOWN: Final = 20


def describe(backend: GatewayBackend, requests: Mapping[Call, int]) -> dict[str, Any]:
    """Return the whole ledger as JSON values."""
    return {
        "accounts": [describe_account(account) for account in list(backend.accounts.values())],
        "messages": [_describe_message(message, backend) for message in backend.messages],
        "bulks": [{**_describe_bulk(job), "phones": job.phones} for job in backend.bulks],
        "refusals": [_describe_refusal(refusal, language="en") for refusal in backend.refusals],
        "requests": {call.value: requests[call] for call in Call},
    }


def describe_inbox(
    backend: GatewayBackend,
    requests: Mapping[Call, int],
    *,
    search: str = "",
    phone: str | None = None,
    limit: int = 200,
    language: str = "en",
) -> dict[str, Any]:
    """Return the content of the page: the latest messages, bulk jobs and refusals, at most *limit* of each.

    Args:
        backend: The gateway.
        requests: How many requests each call has had.
        search: Only entries that contain this text, in small or capital letters, of the latest 2,000.
        phone: Only messages of this handset.
        limit: The maximal length of each list.
        language: The language of reasons and advice, ``"en"`` or ``"ru"``.
    """
    words = search.casefold()
    latest = backend.newest_messages(_MAX_SEARCHED)
    found = [message for message in latest if _holds(_searchable(message), words)]
    handsets = Counter(message.phone for message in found)
    last_at = {message.phone: message.accepted_at for message in found}
    if phone is not None:
        of_handset = backend.newest_messages(_MAX_SEARCHED, phone=phone)
        found = [message for message in of_handset if _holds(_searchable(message), words)]
    bulks = [job for job in backend.bulks if _holds((job.name, job.sender, job.text, *job.phones), words)]
    refusals = [
        _describe_refusal(refusal, language=language) for refusal in backend.newest_refusals(_MAX_SEARCHED)
    ]
    refusals = [row for row in refusals if _holds(map(str, row.values()), words)]
    return {
        "revision": backend.revision,
        "now": backend.now().isoformat(),
        "accounts": [describe_account(account) for account in list(backend.accounts.values())],
        "totals": {"handsets": len(handsets), **backend.totals},
        "requests": {call.value: requests[call] for call in Call},
        "handsets": [
            {"phone": number, "messages": handsets[number], "last_at": last_at[number].isoformat()}
            for number in sorted(last_at, key=lambda number: last_at[number], reverse=True)[:limit]
        ],
        "messages": [_describe_message(message, backend) for message in found[: -limit - 1 : -1]],
        "bulks": [_describe_bulk(job) for job in bulks[: -limit - 1 : -1]],
        "refusals": refusals[: -limit - 1 : -1],
    }


def describe_account(account: SimAccount) -> dict[str, Any]:
    """Return an account without its secret."""
    return {
        "login": account.login,
        "senders": sorted(account.senders),
        "balance": float(account.balance),
        "price": float(account.price),
        "is_blocked": account.is_blocked,
        "whitelist": None if account.whitelist is None else sorted(account.whitelist),
    }


def _describe_message(message: AcceptedMessage, backend: GatewayBackend) -> dict[str, Any]:
    history = backend.history(message)
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
        "status": history[-1][0],
        "history": [{"status": status, "at": since.isoformat()} for status, since in history],
        "accepted_at": message.accepted_at.isoformat(),
    }


def _describe_bulk(job: BulkJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "txn_id": job.txn_id,
        "login": job.login,
        "sender": job.sender,
        "text": job.text,
        "numbers": len(job.phones),
        "phones": job.phones[:_PHONES_SHOWN],
        "ignored": job.ignored,
        "send_at": job.send_at.isoformat(),
        "file_bytes": job.file_bytes,
        "created_at": job.created_at.isoformat(),
    }


def _describe_refusal(refusal: Refusal, *, language: str) -> dict[str, Any]:
    words = EXPLANATIONS[language][refusal.problem]
    return {
        "call": refusal.call,
        "http_status": refusal.http_status,
        "code": refusal.code,
        "reason": words.reason.format_map(refusal.details),
        "advice": words.advice.format_map(refusal.details),
        "login": refusal.login,
        "txn_id": refusal.txn_id,
        "at": refusal.at.isoformat(),
    }


def _searchable(message: AcceptedMessage) -> tuple[str, ...]:
    text = "" if message.is_confidential else message.text
    return text, message.phone, message.sender, message.txn_id, str(message.msg_id)


def _holds(cells: Iterable[str], words: str) -> bool:
    return not words or any(words in cell.casefold() for cell in cells)
