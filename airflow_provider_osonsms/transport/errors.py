"""The words for a request without a usable answer; the library's own words would hold the URL."""

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, RequestNotSentError, TransportError
from airflow_provider_osonsms.protocol.models import Request


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
