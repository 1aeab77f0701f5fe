"""How the simulated gateway behaves: how fast it delivers and answers, and how much it bears."""

import math
import re
from typing import Annotated, Any, Final

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


Seconds = Annotated[float, BeforeValidator(read_seconds), Field(ge=0, allow_inf_nan=False)]
"""A duration in seconds; ``"20ms"``, ``"1.5s"``, ``"5m"`` and ``"2h"`` are read too."""


class Behavior(BaseModel):
    """What may be changed while the gateway runs.

    Attributes:
        enroute_seconds: How long a message stays ENROUTE.
        accepted_seconds: How long it stays ACCEPTED after that.
        slow_seconds: How much longer it takes for a phone that ends in 97.
        latency: Before each answer, in seconds; what was asked is done before.
        jitter: By how much the latency differs at most, up or down, in seconds.
        hang_seconds: How long a hanging request stays without an answer.
        max_rate: Requests per second over all calls, a second's worth at once; more are refused with HTTP 429
            (a guess). None bears them all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enroute_seconds: Seconds = 0.5
    accepted_seconds: Seconds = 0.5
    slow_seconds: Seconds = 60.0
    latency: Seconds = 0.0
    jitter: Seconds = 0.0
    hang_seconds: Seconds = 30.0
    max_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    def changed(self, changes: dict[str, Any]) -> "Behavior":
        """Return the same with these *changes*, checked."""
        return Behavior.model_validate({**self.model_dump(), **changes})


class RateLimit:
    """Counts requests against ``max_rate``: a bucket that holds a second's worth."""

    def __init__(self) -> None:
        self._tokens = math.inf
        self._filled_at = 0.0

    def admit(self, now: float, *, max_rate: float) -> bool:
        """Say whether a request at *now* (seconds, monotonic) is borne, and count it."""
        filled = self._tokens + (now - self._filled_at) * max_rate
        self._tokens, self._filled_at = min(filled, max(1.0, max_rate)), now
        is_borne = self._tokens >= 1 - _ROUNDING
        self._tokens -= is_borne
        return is_borne
