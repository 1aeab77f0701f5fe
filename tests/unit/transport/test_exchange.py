"""One request, one exchange: nothing is followed, repeated or replaced."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError
from airflow_provider_osonsms.protocol.models import Request, Response
from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "409 Conflict", "500 Oops", "599 Odd"])
def test_any_status_is_a_response(
    transport: Any, serve: Callable[..., Any], send: Callable[..., Any], *, answer: Any, status: str
) -> None:
    """A transport judges no answer: status and bytes come back as they are."""
    server = serve(answer(b'\xff{"a"', status=status))

    assert transport.handle(send(server.url)) == Response(status=int(status[:3]), body=b'\xff{"a"')


def test_the_request_is_sent_as_built(
    transport: Any, serve: Callable[..., Any], send: Callable[..., Any], answer: Any
) -> None:
    """The query string, byte for byte, and the headers arrive."""
    server = serve(answer())
    request = send(server.url, token="tok-0815")

    transport.handle(request)
    head = server.received[0].decode()
    assert head.splitlines()[0] == f"GET {request.url.removeprefix(server.url)} HTTP/1.1"
    assert "\r\nAccept: application/json\r\n" in head
    assert "\r\nAuthorization: Bearer tok-0815\r\n" in head


def test_an_upload(transport: Any, serve: Callable[..., Any], answer: Any) -> None:
    """A bulk job arrives as a multipart form with its fields and its file (§5.1)."""
    server = serve(answer())
    fields = {"from": "KITOB", "msg": "Нав; 1+1=2 & 100%\n«»", "send_at": "2026-11-24 10:00:00"}
    csv = b"992900001234\n992900001235\n"
    request = Request(
        call="bulk",
        method="POST",
        url=f"{server.url}/api/v1/bulk-sms/create",
        headers=(("Accept", "application/json"),),
        form=tuple(fields.items()),
        file=csv,
        timeout=5,
    )

    assert transport.handle(request).status == 201
    _, _, rest = server.received[0].partition(b"\r\n")
    form = message_from_bytes(rest, policy=policy.HTTP)
    parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
    file = parts.pop("file")
    assert {name: part.get_payload(decode=True).decode() for name, part in parts.items()} == fields
    assert (file.get_payload(decode=True), file.get_filename()) == (csv, "recipients.csv")


@pytest.mark.parametrize(
    "location", ["{}/elsewhere", "http://gateway.invalid/", "http://[", "", "http://x:y/"]
)
@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_redirects_are_not_followed(
    transport: Any,
    serve: Callable[..., Any],
    send: Callable[..., Any],
    *,
    answer: Any,
    status: str,
    location: str,
) -> None:
    """A redirect, sane or not, is an answer; following it would show the query to somebody else."""
    server = serve()
    server.replies.append(answer(status=status, headers=f"Location: {location.format(server.url)}\r\n"))

    assert transport.handle(send(server.url)).status == int(status[:3])
    assert len(server.received) == 1


def test_keep_alive(transport: Any, serve: Callable[..., Any], send: Callable[..., Any], answer: Any) -> None:
    """Many requests share one connection."""
    server = serve(*[answer()] * 3)

    for _ in range(3):
        assert transport.handle(send(server.url)).status == 201
    assert (server.connections, len(server.received)) == (1, 3)


def test_an_idle_connection_that_was_closed_is_replaced(
    transport: Any, serve: Callable[..., Any], send: Callable[..., Any], answer: Any
) -> None:
    """A connection that the gateway closed while it was idle costs no failure."""
    server = serve(answer(then="close"), answer())

    assert transport.handle(send(server.url)).status == 201
    transport.rest(0.1)
    assert transport.handle(send(server.url)).status == 201
    assert (server.connections, len(server.received)) == (2, 2)


def test_a_broken_kept_alive_connection_is_not_retried_in_secret(
    transport: Any, serve: Callable[..., Any], send: Callable[..., Any], *, answer: Any, reply: Any
) -> None:
    """A request on a reused connection reaches the gateway once, or its own 409 would look foreign."""
    server = serve(answer(), reply(then="close"), answer(), answer())

    assert transport.handle(send(server.url)).status == 201
    with pytest.raises(OutcomeUnknownError):
        transport.handle(send(server.url))
    transport.rest(0.1)
    assert len(server.received) == 2


def test_an_aiohttp_that_cannot_be_kept_from_it_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later aiohttp that has no such switch ends the task before anything is sent."""
    monkeypatch.setattr("aiohttp.ClientSession", lambda **_: object())

    async def open_transport() -> None:
        AiohttpTransport()

    with pytest.raises(RuntimeError, match="may send a request twice"):
        asyncio.run(open_transport())


@pytest.mark.parametrize("token", ["tok-0815", None], ids=["bearer", "hash"])
def test_netrc_is_not_used(
    transport: Any,
    serve: Callable[..., Any],
    send: Callable[..., Any],
    *,
    answer: Any,
    token: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Credentials for the host in ~/.netrc neither replace the token nor join a hash, nor stop a request."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = serve(answer())

    assert transport.handle(send(server.url, token=token)).status == 201
    lines = server.received[0].decode().splitlines()
    sent = [line for line in lines if line.lower().startswith("authorization:")]
    assert sent == ([f"Authorization: Bearer {token}"] if token else [])


def test_cookies_are_not_kept(
    transport: Any, serve: Callable[..., Any], send: Callable[..., Any], answer: Any
) -> None:
    """A cookie that the gateway or a portal sets does not come back with the next request."""
    server = serve(answer(headers="Set-Cookie: session=1; Path=/\r\n"), answer())

    for _ in range(2):
        transport.handle(send(server.url))
    assert b"cookie" not in server.received[1].lower()
