"""The values that travel between the layers.

Whatever is secret or personal is left out of ``repr``: a value may end in a log or a traceback. What is made
for each message is not frozen, which would triple the cost of making it; nothing changes it all the same.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from airflow_provider_osonsms.protocol.vocabulary import DEFAULT_API_URL, DEFAULT_BULK_URL, AuthScheme

T = TypeVar("T")


class Outcome(StrEnum):
    """What became of a row (design, "The life of a row")."""

    ACCEPTED = "accepted"
    ACCEPTED_UNTRACKED = "accepted_untracked"
    """Accepted in an answer that was lost: its msg_id is unknown for ever."""
    UNCERTAIN = "uncertain"
    """Accepted or not, nobody can tell: a person has to look."""
    CAPPED = "capped"
    """Not sent: the gateway has a message of this category for the phone and the period already."""
    REFUSED = "refused"
    REJECTED = "rejected"
    PENDING = "pending"

    @property
    def is_unsent(self) -> bool:
        """Whether nothing says that the row was sent, unless its reason is that it was refused for now.

        A try that was killed may have sent it, until a later one has asked again.
        """
        return self in (Outcome.PENDING, Outcome.CAPPED, Outcome.REFUSED, Outcome.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who sends, and where to.

    Attributes:
        secret: ``pass_salt_hash`` (§1) or the bearer token (wire-notes, "Two protocols").
        bulk_url: Where bulk jobs go; empty where nobody has said it.
        timeout: Seconds for connecting; a request with its whole answer may take twice as long.
        upload_timeout: The same for a bulk job, whose file is up to 5 MB.
        allowed_phones: The only MSISDNs that may be texted, for staging; None for everybody.
    """

    login: str
    secret: str = field(repr=False)
    auth_scheme: AuthScheme = AuthScheme.HASH
    api_url: str = DEFAULT_API_URL
    bulk_url: str = DEFAULT_BULK_URL
    timeout: float = 10.0
    upload_timeout: float = 60.0
    allowed_phones: frozenset[str] | None = field(default=None, repr=False)


@dataclass(slots=True, kw_only=True)
class Message:
    """One text to one recipient (§2.1).

    Attributes:
        phone: MSISDN of 12 digits.
        channel: None for an SMS, else a messenger's name.
        is_capped: Whether its txn_id is that of a cap, which other tasks make, too: a 108 is an end.
    """

    phone: str = field(repr=False)
    text: str = field(repr=False)
    sender: str
    txn_id: str
    channel: str | None = None
    is_confidential: bool = False
    is_capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """One text to the numbers of one file (§5.1).

    Attributes:
        csv: One column of MSISDNs, at most 5,000,000 bytes (wire-notes, "Bulk").
        send_at: Aware datetime.
    """

    csv: bytes = field(repr=False)
    text: str = field(repr=False)
    sender: str
    txn_id: str
    send_at: datetime


@dataclass(slots=True, kw_only=True)
class SendReceipt:
    """What the gateway said about one message (§2.2).

    Attributes:
        msg_id: None when the answer that held it was lost.
        parts: Billed parts; None when unknown.
        accepted_at: Aware, by the gateway's clock; None when unknown.
        is_stored: Whether an earlier try has stored it, so that nothing was sent now.
    """

    txn_id: str
    msg_id: str | None = None
    parts: int | None = None
    accepted_at: datetime | None = None
    outcome: Outcome = Outcome.ACCEPTED
    is_stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkReceipt:
    """The job that the gateway made of a file (§5.2).

    Attributes:
        bulk_name: The campaign's name in the cabinet; None when the answer that held it was lost.
    """

    txn_id: str
    bulk_name: str | None


@dataclass(slots=True, kw_only=True)
class Request:
    """A request, ready to be handed to any transport.

    Attributes:
        call: What it is, for logs: the URL holds login, hash, phone and text and is never shown.
        form: Fields of a multipart form; empty for GET.
        file: File of the multipart form, sent as ``file``; None for GET.
        timeout: Seconds for connecting; a request with its whole answer may take twice as long.
    """

    call: str
    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    file: bytes | None = field(default=None, repr=False)
    timeout: float


@dataclass(slots=True, kw_only=True)
class Response:
    """An answer as it came over the wire, whatever it holds.

    Attributes:
        retry_after: Seconds that a 429 or 503 asks to wait, at most a minute; 0 for none.
    """

    status: int
    body: bytes = field(repr=False)
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A flow's wish to wait before its next request."""

    seconds: float


Flow = Generator[Request | Pause, Response, T]
"""A conversation: yields what to do next, and is sent the Response to each Request."""
