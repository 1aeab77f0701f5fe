"""The words of the OsonSMS protocol: paths, codes, statuses and limits, each written down once.

Reference:
    OsonSMS protocol 1.5, §1-§5; docs/wire-notes.md "Two protocols", "Statuses",
    "Lengths and characters", "Bulk".
"""

from datetime import timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Final

DEFAULT_API_URL: Final = "https://api.osonsms.com"
DEFAULT_BULK_URL: Final = "https://cab.osonsms.com"

SEND_PATH: Final = "/sendsms_v1.php"
QUERY_PATH: Final = "/query_sms.php"
BALANCE_PATH: Final = "/check_balance.php"
BULK_PATH: Final = "/api/v1/bulk-sms/create"

HASH_SEPARATOR: Final = ";"
MAX_SENDER_LENGTH: Final = 11
MAX_TXN_ID_LENGTH: Final = 64
MAX_BULK_FILE_BYTES: Final = 5_000_000
"""§5.1 says 5 MB and not which: the smaller reading is the safe one."""

MAX_URL_LENGTH: Final = 8000
"""Not documented; web servers commonly refuse a request line of more than 8 KB, in words of their own."""

TIMESTAMP_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
TAJIK_TIME: Final = timezone(timedelta(hours=5), "Asia/Dushanbe")
"""Timestamps carry no zone; they are Asia/Dushanbe, without daylight saving (wire-notes, "Timestamps")."""


class AuthScheme(StrEnum):
    """How a request proves who sent it (§2.1; wire-notes, "Two protocols")."""

    HASH = "hash"
    BEARER = "bearer"


class Channel(StrEnum):
    """A messenger that may carry the message instead of an SMS (§2.1)."""

    TELEGRAM = "telegram"


class ErrorCode(IntEnum):
    """``error.code`` of an answer (§2.3, §3.3, §4.3)."""

    MISSING_FIELD = 100
    ACCOUNT_BLOCKED = 105
    INCORRECT_HASH = 106
    INCORRECT_SENDER = 107
    """In an answer to a status query the same number means an unknown msg_id (wire-notes, "Message ids")."""
    DUPLICATE_TXN_ID = 108
    NOT_STORED = 109
    NOT_SENT = 112
    SMSC_UNREACHABLE = 113
    HOST_NOT_IN_WHITELIST = 114
    BALANCE_EXHAUSTED = 119


class DeliveryStatus(StrEnum):
    """Where a message is (§3.2); the last two words are ours, for answers that name no status."""

    ENROUTE = "ENROUTE"
    ACCEPTED = "ACCEPTED"
    DELIVERED = "DELIVERED"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIVERABLE = "UNDELIVERABLE"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    UNRECOGNIZED = "UNRECOGNIZED"
    """The gateway said a word that §3.2 does not list: neither success nor failure."""
    NOT_FOUND = "NOT_FOUND"
    """The gateway does not know this msg_id (wire-notes, "Message ids")."""

    __hash__ = str.__hash__
    """Equal members are equal texts; an enum's own hash is a call of Python for each look-up."""

    @property
    def is_delivered(self) -> bool:
        """Whether the handset has the message."""
        return self is DeliveryStatus.DELIVERED

    @property
    def is_terminal(self) -> bool:
        """Whether the status never changes again (§3.2: ACCEPTED is not final here, unlike in SMPP)."""
        return self in _TERMINAL

    @property
    def needs_confirmation(self) -> bool:
        """Whether the status is believed only after several sightings in a row."""
        return self in (DeliveryStatus.UNKNOWN, DeliveryStatus.NOT_FOUND)


_TERMINAL: Final = frozenset(
    {
        DeliveryStatus.DELIVERED,
        DeliveryStatus.EXPIRED,
        DeliveryStatus.DELETED,
        DeliveryStatus.UNDELIVERABLE,
        DeliveryStatus.REJECTED,
    }
)

STATUS_BY_CODE: Final = {
    1: DeliveryStatus.ENROUTE,
    2: DeliveryStatus.DELIVERED,
    3: DeliveryStatus.EXPIRED,
    4: DeliveryStatus.DELETED,
    5: DeliveryStatus.UNDELIVERABLE,
    6: DeliveryStatus.ACCEPTED,
    7: DeliveryStatus.UNKNOWN,
    8: DeliveryStatus.REJECTED,
}
"""``message_state_code`` of the second answer shape (wire-notes, "Statuses")."""
