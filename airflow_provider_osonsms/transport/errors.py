"""What both transports agree on: limits of an answer, and the words for a request without a usable one.

A library's own words would hold the URL, and with it login, hash, phone and text.
"""

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from airflow_provider_osonsms.protocol.errors import (
    OutcomeUnknownError,
    RequestNotSentError,
    TransportError,
    UnexpectedAnswerError,
)
from airflow_provider_osonsms.protocol.models import Request

MAX_ANSWER_BYTES: Final = 65_536
"""Answers of this gateway are a few hundred bytes; one without an end would take a triggerer's memory."""
MAX_RETRY_AFTER: Final = 60.0
"""Seconds; a server that asks for a longer pause is asked again after a minute."""
_SERVER_FAILED: Final = 500
_THROTTLING: Final = frozenset({429, 503})
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def read_deadline(request: Request) -> float:
    """Return the seconds after which *request* is given up: an answer that comes in drips ends too."""
    return 2 * request.timeout


def is_failure(status: int) -> bool:
    """Whether the connection of an answer with *status* is given up.

    A server or proxy that has failed may send more than one answer, and an error body names no txn_id: on a
    kept-alive connection the second would be taken for the answer to the next message.
    """
    return status >= _SERVER_FAILED


def is_throttled(status: int) -> bool:
    """Whether an answer with *status* asks to slow down, and may say for how long."""
    return status in _THROTTLING


def read_retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that ``Retry-After`` asks to wait, at most a minute; 0 without one, or for nonsense.

    A date is compared with the server's own ``Date``, because the clocks of two machines differ.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        moments = [parsedate_to_datetime(text) for text in (value, headers.get("Date", ""))]
        seconds = (moments[0] - moments[1]).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if math.isfinite(seconds) else 0.0


def make_too_long_error(request: Request) -> TransportError:
    """Make the error of an answer that is longer than any of this gateway."""
    return UnexpectedAnswerError(
        f"{request.call}: the answer is longer than {MAX_ANSWER_BYTES:,} bytes: a proxy or another server "
        f"may stand between Airflow and the gateway"
    )


def make_transport_error(error: Exception, request: Request, *, may_have_arrived: bool) -> TransportError:
    """Make the error that replaces a library's *error*; raise it outside the except block.

    Raised inside, it would keep the original, with the URL in its text, as ``__context__``.
    """
    name = type(error).__name__
    if may_have_arrived:
        return OutcomeUnknownError(
            f"{request.call}: the connection ended without a whole answer ({name}, timeout "
            f"{request.timeout:g} s)"
        )
    field = "bulk_url" if request.call == "bulk" else "host"
    return RequestNotSentError(
        f"{request.call}: no connection to the gateway ({name}): check the {field} of the Connection, the "
        f"network and the proxy"
    )
