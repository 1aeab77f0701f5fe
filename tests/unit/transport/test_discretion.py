"""No URL, hash, phone or text in an error or a log."""

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import TransportError
from airflow_provider_osonsms.protocol.models import Request

PRIVATE = (
    "992900001234",
    "Salom",
    "Dilshod",
    "b52633ed",
    "str_hash",
    "php",
    "http:",
    "kitobkhona",
    "tok-0815",
)


def fail(transport: Any, request: Request) -> TransportError:
    """Return the error that a request ends in."""
    with pytest.raises(TransportError) as caught:
        transport.handle(request)
    return caught.value


@pytest.fixture(
    params=["refused", "unknown host", "closed", "truncated", "silent", "plain port", "untrusted"]
)
def failing_url(
    request: pytest.FixtureRequest, serve: Callable[..., Any], serve_tls: Callable[..., Any], reply: Any
) -> str:
    """An address where each request fails in its own way."""
    if request.param == "refused":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return f"http://127.0.0.1:{listener.getsockname()[1]}"
    if request.param == "unknown host":
        return "http://gateway.invalid"
    if request.param == "untrusted":
        return str(serve_tls().url.replace("http:", "https:"))
    replies = {
        "closed": reply(then="close"),
        "truncated": reply(data=b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{", then="close"),
        "silent": reply(then="hang"),
        "plain port": reply(then="close"),
    }
    url = str(serve(replies[request.param]).url)
    return url.replace("http:", "https:") if request.param == "plain port" else url


def test_errors_are_discreet(transport: Any, send: Callable[..., Any], failing_url: str) -> None:
    """An error holds the words of this package only, and the library's error is not behind it."""
    error = fail(transport, send(failing_url, timeout=0.3, token="tok-0815"))

    assert (error.__context__, error.__cause__) == (None, None)
    shown = f"{error} {error!r} {error.args!r}"
    assert not [word for word in (*PRIVATE, "http:") if word in shown]
    assert shown.startswith("send: ")


def test_logs_of_failures_are_discreet(
    transport: Any, send: Callable[..., Any], failing_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A failing request leaves no query in any log, at any level."""
    with caplog.at_level(logging.DEBUG):
        fail(transport, send(failing_url, timeout=0.3, token="tok-0815"))

    assert_discreet(caplog)


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "no colon here\r\n",
        "Location: /elsewhere\r\n",
        "Set-Cookie: a=b\r\n",
        "Transfer-Encoding: odd\r\n",
    ],
)
def test_logs_of_answers_are_discreet(
    transport: Any,
    serve: Callable[..., Any],
    send: Callable[..., Any],
    *,
    answer: Any,
    headers: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An answered request, even with odd headers, leaves no query in any log, at any level."""
    server = serve(answer(status="302 Found", headers=headers), answer())

    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            with suppress(TransportError):
                transport.handle(send(server.url, timeout=0.3, token="tok-0815"))
    assert_discreet(caplog)


def assert_discreet(caplog: pytest.LogCaptureFixture) -> None:
    """Look through every record, with its arguments and its traceback."""
    formatter = logging.Formatter()
    shown = [f"{formatter.format(record)} {record.args!r}" for record in caplog.records]
    assert not [line for line in shown if any(word in line for word in PRIVATE)]
