"""Faults that a request can meet, and the rules that decide which requests meet them.

A fault named BEFORE happens before the gateway serves the request. A fault named AFTER, and TRUNCATED and
EMPTY, happen after the gateway has served it, so that only the answer is lost.
"""

from enum import StrEnum
from random import Random
from threading import Lock
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from airflow_provider_osonsms.protocol.vocabulary import ErrorCode
from airflow_provider_osonsms.simulator.ledger.records import Call


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
    """500/109; nothing was accepted and the txn_id is still free (§2.3; wire-notes, "Repeats")."""
    NOT_STORED_BUT_USED_UP = "not_stored_but_used_up"
    """500/109; nothing was accepted, yet a repeat says 409 (§2.3; wire-notes, "Repeats"). Sends only."""
    NOT_SENT = "not_sent"
    """501/112; nothing was accepted (§2.3)."""
    SMSC_UNREACHABLE = "smsc_unreachable"
    """599/113; nothing was accepted (§2.3)."""
    BAD_GATEWAY = "bad_gateway"
    """502 with HTML from a proxy in between; nothing was accepted."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429 with HTML, as above a rate limit; nothing was accepted."""
    UNAVAILABLE = "unavailable"
    """503 with HTML from a proxy in between; nothing was accepted."""
    UNAVAILABLE_AFTER = "unavailable_after"
    """Accepted, then 503 with HTML from a proxy in between."""
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
    {
        Fault.CUT_AFTER,
        Fault.HANG_AFTER,
        Fault.UNAVAILABLE_AFTER,
        Fault.GARBAGE_AFTER,
        Fault.TRUNCATED,
        Fault.EMPTY,
    }
)
"""Faults of the answer only: the request itself is served."""


def _read_times(written: Any) -> Any:
    return None if written == "always" else written


class FaultRule(BaseModel):
    """Which requests meet a fault.

    Attributes:
        fault: What happens to them.
        call: Which of the four calls.
        times: How many requests meet it in all; None, written ``"always"``, for no limit.
        every: Only each n-th request of the call that no earlier rule has taken.
        probability: Of these only this share, chosen by the gateway's seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: Fault
    call: Call = Call.SEND
    times: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_read_times)] = 1
    every: Annotated[int, Field(ge=1)] = 1
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.fault is Fault.NOT_STORED_BUT_USED_UP and self.call is not Call.SEND:
            raise ValueError("only a send can use up its txn_id")
        return self


class FaultRules:
    """The rules in force, in order; a request meets the fault of the first rule that applies.

    Args:
        seed: Of the probabilities: with one seed, the same requests in the same order meet the same faults.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._added = 0
        self._active: list[_ActiveRule] = []
        self._lock = Lock()

    def add(self, rule: FaultRule) -> None:
        """Add *rule* after the other rules."""
        with self._lock:
            self._active.append(_ActiveRule(rule, random=Random(f"{self._seed}/{self._added}")))  # noqa: S311
            self._added += 1

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._active.clear()

    def list_rules(self) -> list[FaultRule]:
        """Return the rules in force, each with the number of times that are left."""
        with self._lock:
            return [active.rule.model_copy(update={"times": active.left}) for active in self._active]

    def choose(self, call: Call) -> Fault | None:
        """Count a request of *call*, and return the fault that it meets, if any."""
        if not self._active:
            return None
        with self._lock:
            for active in self._active:
                if active.rule.call is call and active.fires():
                    if active.left == 0:
                        self._active.remove(active)
                    return active.rule.fault
        return None


class _ActiveRule:
    def __init__(self, rule: FaultRule, *, random: Random) -> None:
        self.rule, self.left = rule, rule.times
        self._random, self._seen = random, 0

    def fires(self) -> bool:
        """Count a request, and return whether it meets the fault."""
        self._seen += 1
        if self._seen % self.rule.every or self._random.random() >= self.rule.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True
