"""The records of the simulated gateway: accounts, accepted messages, bulk jobs and refusals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from airflow_provider_osonsms.protocol.vocabulary import Channel
from airflow_provider_osonsms.simulator.ledger.problems import ENGLISH, Problem

_Name = Annotated[str, Field(min_length=1, pattern=r"^[^;]*$")]
_Somoni = Annotated[Decimal, Field(allow_inf_nan=False)]


class Call(StrEnum):
    """The four calls of the protocol (§2, §3, §4, §5)."""

    SEND = "send"
    QUERY = "query"
    BALANCE = "balance"
    BULK = "bulk"


@checked_dataclass(slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class SimAccount:
    """A client of the gateway.

    Attributes:
        login: Case-sensitive (wire-notes, "Requests").
        secret: The salt of the hash and, for the other scheme, the Bearer token.
        senders: The names that this account may send from.
        balance: In somoni.
        price: Of one part, in somoni.
        is_blocked: Whether every call answers as if the login did not exist.
        whitelist: The addresses that may send; None for all addresses.
    """

    login: _Name
    secret: _Name = field(repr=False)
    senders: frozenset[_Name] = frozenset({"SHOP"})
    balance: _Somoni = Decimal(100)
    price: Annotated[_Somoni, Field(ge=0)] = Decimal("0.10")
    is_blocked: bool = False
    whitelist: frozenset[str] | None = None


@dataclass(slots=True, kw_only=True)  # not frozen: freezing takes as long as storing the message
class AcceptedMessage:
    """A message that was accepted and billed, once.

    Attributes:
        phone: Always 12 digits, whatever was sent.
        text: Also of a confidential message, whose text no HTTP answer shows.
    """

    msg_id: int
    txn_id: str
    login: str
    sender: str
    phone: str = field(repr=False)
    text: str = field(repr=False)
    parts: int
    channel: Channel | None
    is_confidential: bool
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """One text for all the phones of a file (§5).

    Attributes:
        phones: 12 digits each, in the order of the file, repeats included.
        ignored: How many lines held something else than a phone.
        send_at: Read as Asia/Dushanbe wall time (wire-notes, "Bulk").
    """

    name: str
    txn_id: str
    login: str
    sender: str
    text: str = field(repr=False)
    phones: tuple[str, ...] = field(repr=False)
    ignored: int
    send_at: datetime
    file_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that was refused.

    Attributes:
        code: ``error.code``; None for a bulk job, whose dialect has no codes (§5.3).
        problem: What was wrong.
        details: Values for the explanation; no phone, text or secret.
        login: As sent, empty when missing.
        txn_id: As sent, empty when missing.
    """

    call: Call
    http_status: int
    code: int | None
    problem: Problem
    details: Mapping[str, str]
    login: str
    txn_id: str
    at: datetime

    @property
    def reason(self) -> str:
        """What was wrong, in English, without phone, text or secret."""
        return ENGLISH[self.problem].reason.format_map(self.details)

    @property
    def advice(self) -> str:
        """What to do about it, in English."""
        return ENGLISH[self.problem].advice.format_map(self.details)
