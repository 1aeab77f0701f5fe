"""Blocking transport on requests: keep-alive, no redirects, no URL in any text."""

import logging
import ssl
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Self

import requests
import urllib3

from airflow_provider_osonsms.protocol.models import Request, Response
from airflow_provider_osonsms.protocol.vocabulary import BALANCE_PATH, BULK_PATH, QUERY_PATH, SEND_PATH
from airflow_provider_osonsms.transport.errors import make_transport_error

_NEVER_CONNECTED = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.LocationValueError,
    ssl.SSLCertVerificationError,
    UnicodeError,
)

_PATHS = (SEND_PATH, QUERY_PATH, BALANCE_PATH, BULK_PATH)


class _Session(requests.Session):
    """Sees no redirects; requests reads the target of one even when told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """See nothing in *resp*."""


class RequestsTransport:
    """Send requests one after the other over one kept-alive session."""

    def __init__(self) -> None:
        for name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
            logging.getLogger(name).addFilter(_hide_urls)
        self._session = _Session()
        self._session.auth = _keep_authorization
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def handle(self, request: Request) -> Response:
        """Send *request* and wait for its answer, whatever it is.

        Raises:
            RequestNotSentError: Nothing reached the gateway.
            OutcomeUnknownError: The request may have arrived.
        """
        try:
            answer = self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.form,
                files={"file": ("recipients.csv", request.file, "text/csv")} if request.file else None,
                timeout=request.timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            was_connected = not any(isinstance(cause, _NEVER_CONNECTED) for cause in _causes(error))
            failure = make_transport_error(error, request, may_have_arrived=was_connected)
        else:
            return Response(status=answer.status_code, body=answer.content)
        raise failure


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk the errors inside *error*: requests and urllib3 wrap them as arguments and reasons."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None)]
            yield cause


def _hide_urls(record: logging.LogRecord) -> bool:
    """Drop debug lines of urllib3 about our requests: the URL holds login, hash, phone and text."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not any(path in str(argument) for argument in arguments for path in _PATHS)


def _keep_authorization(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the headers alone; without this, requests takes credentials of the host from ~/.netrc."""
    return prepared
