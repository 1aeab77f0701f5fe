"""The behavior of the simulated gateway: how fast it delivers and answers, and its rate limit."""

import math
import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_DURATION: Final = re.compile(r"\s*(?P<number>[0-9.]+)\s*(?P<unit>ms|s|m|h)?\s*")
_ROUNDING: Final = 1e-6
_SECONDS_BY_UNIT: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def read_seconds(written: Any) -> Any:
    """Return the seconds of ``20ms``, ``1.5s``, ``5m`` or ``2h``; anything else as it is."""
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    try:
        return float(match["number"]) * _SECONDS_BY_UNIT[match["unit"]] if match else written
    except ValueError:
        return written


def _read_status(written: Any) -> Any:
    return int(written) if isinstance(written, str) and written.isdecimal() else written


Seconds = Annotated[float, BeforeValidator(read_seconds), Field(ge=0, allow_inf_nan=False)]
"""A duration in seconds, or a text such as ``"20ms"``, ``"1.5s"``, ``"5m"`` and ``"2h"``."""


class Behavior(BaseModel):
    """Settings that may be changed while the gateway runs.

    Attributes:
        enroute_seconds: How long a message stays ENROUTE.
        accepted_seconds: How long it stays ACCEPTED after that.
        slow_seconds: How much longer it takes for a phone that ends in 97.
        unknown_seconds: How long a query for a new message is answered as for an unknown msg_id.
        latency: The delay before each answer, in seconds; the request is served before it.
        jitter: By how much the latency varies, up or down, in seconds.
        hang_seconds: How long a hanging request stays without an answer.
        max_rate: Requests per second over all calls, in bursts of up to a second's worth; more are turned
            away with *throttle_status* (a guess). None for no limit.
        throttle_status: HTTP 429 or 503.
        retry_after: Seconds that ``Retry-After`` names then, and with the faults of these statuses; None for
            no such header.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enroute_seconds: Seconds = 0.5
    accepted_seconds: Seconds = 0.5
    slow_seconds: Seconds = 60.0
    unknown_seconds: Seconds = 0.0
    latency: Seconds = 0.0
    jitter: Seconds = 0.0
    hang_seconds: Seconds = 30.0
    max_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    throttle_status: Annotated[Literal[429, 503], BeforeValidator(_read_status)] = 429
    retry_after: Seconds | None = None

    def changed(self, changes: dict[str, Any]) -> "Behavior":
        """Return a copy with *changes*, validated."""
        return Behavior.model_validate({**self.model_dump(), **changes})


class RateLimit:
    """A token bucket for ``max_rate`` that holds a second's worth of requests."""

    def __init__(self) -> None:
        self._tokens = math.inf
        self._filled_at = 0.0

    def admit(self, now: float, *, max_rate: float) -> bool:
        """Whether a request at *now* (seconds, monotonic) is within the limit; it is counted if so."""
        filled = self._tokens + (now - self._filled_at) * max_rate
        self._tokens, self._filled_at = min(filled, max(1.0, max_rate)), now
        is_admitted = self._tokens >= 1 - _ROUNDING
        self._tokens -= is_admitted
        return is_admitted
