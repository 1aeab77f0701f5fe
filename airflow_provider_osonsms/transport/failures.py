"""The words for a request without a usable answer; the library's own words would hold the URL."""

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, RequestNotSentError, TransportError
from airflow_provider_osonsms.protocol.models import Request


def make_failure(error: Exception, request: Request, *, may_have_arrived: bool) -> TransportError:
    """Make the error that replaces a library's *error*; raise it outside the except block.

    Raised inside, it would keep the original, with the URL in its text, as ``__context__``.
    """
    name = type(error).__name__
    if may_have_arrived:
        return OutcomeUnknownError(
            f"{request.call}: the connection gave no whole answer within {request.timeout:g} s ({name})"
        )
    return RequestNotSentError(
        f"{request.call}: no connection to the gateway ({name}): check the host of the Connection, the "
        f"network and the proxy"
    )
