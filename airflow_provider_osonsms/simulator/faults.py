"""Ways in which a request can go wrong, met by the next requests in the order of injection.

A fault named BEFORE happens before the gateway looks at the request; one named AFTER, or TRUNCATED or EMPTY,
once the gateway has done what was asked, so that only the answer is lost.
"""

from collections import deque
from enum import StrEnum
from typing import Final

from airflow_provider_osonsms.protocol.vocabulary import ErrorCode
from airflow_provider_osonsms.simulator.ledger import Call


class Fault(StrEnum):
    """What happens to one request instead of a proper answer."""

    CUT_BEFORE = "cut_before"
    """The connection is closed; nothing was accepted."""
    CUT_AFTER = "cut_after"
    """Accepted, then the connection is closed."""
    HANG_BEFORE = "hang_before"
    """Silence, then the connection is closed; nothing was accepted."""
    HANG_AFTER = "hang_after"
    """Accepted, then silence, then the connection is closed."""
    NOT_STORED = "not_stored"
    """500/109; nothing was accepted and the txn_id is still free (§2.3; wire-notes 10)."""
    NOT_STORED_BUT_USED_UP = "not_stored_but_used_up"
    """500/109; nothing was accepted, yet a repeat says 409 (§2.3; wire-notes 10). Sends only."""
    NOT_SENT = "not_sent"
    """501/112; nothing was accepted (§2.3)."""
    SMSC_UNREACHABLE = "smsc_unreachable"
    """599/113; nothing was accepted (§2.3)."""
    BAD_GATEWAY = "bad_gateway"
    """502 with HTML from something in between; nothing was accepted."""
    GARBAGE = "garbage"
    """200 with bytes that are not JSON; nothing was accepted."""
    GARBAGE_AFTER = "garbage_after"
    """Accepted, with the right HTTP status and bytes that are not JSON."""
    TRUNCATED = "truncated"
    """Accepted, with half of the JSON and a Content-Length that fits the half."""
    EMPTY = "empty"
    """Accepted, with the right HTTP status and no body."""


CODE_BY_FAULT: Final = {
    Fault.NOT_STORED: ErrorCode.NOT_STORED,
    Fault.NOT_STORED_BUT_USED_UP: ErrorCode.NOT_STORED,
    Fault.NOT_SENT: ErrorCode.NOT_SENT,
    Fault.SMSC_UNREACHABLE: ErrorCode.SMSC_UNREACHABLE,
}
ACCEPTING: Final = frozenset(
    {Fault.CUT_AFTER, Fault.HANG_AFTER, Fault.GARBAGE_AFTER, Fault.TRUNCATED, Fault.EMPTY}
)
"""Faults of the answer only: the request itself is served as ever."""


class FaultQueue:
    """The faults that the next requests of each call meet, first in, first out."""

    def __init__(self) -> None:
        self._by_call: dict[Call, deque[Fault]] = {call: deque() for call in Call}

    def inject(self, fault: Fault, *, call: Call, times: int) -> None:
        """Let *times* requests of *call* meet *fault*, after those injected before."""
        if fault is Fault.NOT_STORED_BUT_USED_UP and call is not Call.SEND:
            raise ValueError("only a send can use up its txn_id")
        self._by_call[call].extend([fault] * times)

    def pop(self, call: Call) -> Fault | None:
        """Take the fault that this request meets."""
        waiting = self._by_call[call]
        return waiting.popleft() if waiting else None
