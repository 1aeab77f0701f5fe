"""Retry-After: seconds or a date, obeyed up to a minute; nonsense is ignored."""

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.transport.errors import read_retry_after

NOW = "Thu, 26 Nov 2026 04:48:03 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("60", 60),
        ("61", 60),
        ("86400", 60),
        ("999999999", 60),
        ("Thu, 26 Nov 2026 04:48:33 GMT", 30),
        ("Thursday, 26-Nov-26 04:48:13 GMT", 10),
        ("Thu, 26 Nov 2026 09:00:00 GMT", 60),
        ("Thu, 26 Nov 2026 04:48:03 GMT", 0),
        ("Thu, 26 Nov 2020 04:48:03 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
        ("", 0),
        ("-5", 0),
        ("+5", 0),
        ("1e3", 0),
        ("inf", 0),
        ("nan", 0),
        ("1,5", 0),
        ("soon", 0),
        ("1" * 10_000, 0),
        ("٣", 0),
        ("Thu, 99 Nov 2026 04:48:33 GMT", 0),
    ],
)
def test_what_it_says(value: str, seconds: float) -> None:
    """It is a number of seconds, or a moment by the clock of the server."""
    assert read_retry_after({"Retry-After": value, "Date": NOW}) == seconds


@pytest.mark.parametrize("date", [{}, {"Date": "today"}, {"Date": ""}])
def test_a_date_without_the_clock_of_the_server(date: dict[str, str]) -> None:
    """A moment that cannot be compared is ignored, because two machines have two clocks."""
    assert read_retry_after({"Retry-After": "Thu, 26 Nov 2026 04:48:33 GMT", **date}) == 0
    assert read_retry_after(date) == 0


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, b"Retry-After: 5\r\n", 5),
        (503, b"retry-after: 5\r\n", 5),
        (503, f"Date: {NOW}\r\nRetry-After: Thu, 26 Nov 2026 04:48:11 GMT\r\n".encode(), 8),
        (429, b"", 0),
        (429, b"Retry-After: soon\r\n", 0),
        (502, b"Retry-After: 5\r\n", 0),
        (201, b"Retry-After: 5\r\n", 0),
    ],
)
def test_both_transports_read_it(
    transport: Any,
    serve: Callable[..., Any],
    reply: Any,
    send: Callable[..., Any],
    *,
    status,
    headers,
    seconds,
) -> None:
    """It is read where an answer asks to slow down, and nowhere else."""
    data = b"HTTP/1.1 %d Whatever\r\n%sContent-Length: 2\r\n\r\n{}" % (status, headers)
    response = transport.handle(send(serve(reply(data=data)).url))

    assert (response.status, response.retry_after) == (status, seconds)
