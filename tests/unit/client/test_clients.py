"""Opening clients: a session of its own, closed at the end."""

import asyncio
import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient, open_async_client
from airflow_provider_osonsms.client.blocking import OsonSmsClient, open_client
from airflow_provider_osonsms.connection import Settings, read_settings
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    OsonSmsError,
    OutcomeUnknownError,
    RequestNotSentError,
    TemporaryRefusalError,
    UnexpectedAnswerError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.models import Account, Message, Outcome, Request, Response
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway


@pytest.fixture
def account(gateway: SimulatedGateway) -> Account:
    """The account as the simulator's own Connection describes it."""
    fields = json.loads(gateway.connection_json(timeout=5))
    fields.pop("conn_type")
    return read_settings("sms", **fields).account


def make_message(number: int) -> Message:
    """Write a message of its own to each number."""
    return Message(
        phone=f"99290000{number:04}", text=f"Raqami {number}", sender="KITOB", txn_id=f"invoice-{number}"
    )


def test_open_client(gateway: SimulatedGateway, account: Account) -> None:
    """A blocking client sends, and leaves no open socket behind."""
    with open_client(account) as client:
        assert client.send(make_message(1)).outcome is Outcome.ACCEPTED
        assert client.query_balance() == Decimal("9.90")
    assert [sent.text for sent in gateway.sent] == ["Raqami 1"]


def test_open_async_client(gateway: SimulatedGateway, account: Account) -> None:
    """An asynchronous client sends fifty messages at a time, each once."""

    async def send_all() -> list[Outcome]:
        async with open_async_client(account) as client:
            receipts = await asyncio.gather(*[client.send(make_message(number)) for number in range(50)])
        return [receipt.outcome for receipt in receipts]

    assert asyncio.run(send_all()) == [Outcome.ACCEPTED] * 50
    assert sorted(sent.text for sent in gateway.sent) == sorted(f"Raqami {number}" for number in range(50))
    assert gateway.balance == Decimal(5)


def test_one_hanging_message_holds_up_no_other(gateway: SimulatedGateway, account: Account) -> None:
    """Messages that are sent at a time fail and succeed apart from each other."""
    gateway.inject(Fault.HANG_AFTER)

    async def send_all() -> list[Outcome]:
        async with open_async_client(replace(account, timeout=0.5)) as client:
            receipts = await asyncio.gather(*[client.send(make_message(number)) for number in range(5)])
        return sorted(receipt.outcome for receipt in receipts)

    assert asyncio.run(send_all()) == [Outcome.ACCEPTED] * 4 + [Outcome.ACCEPTED_UNTRACKED]
    assert len(gateway.sent) == 5


def test_a_session_is_closed_after_an_error(gateway: SimulatedGateway, account: Account) -> None:
    """An error inside the block closes the session and comes out as it is."""
    gateway.inject(Fault.CUT_BEFORE, call="query", times=2)

    with pytest.raises(OutcomeUnknownError), open_client(account) as client:
        client.query_status("100000001")

    async def ask() -> None:
        async with open_async_client(account) as client:
            await client.query_status("100000001")

    with pytest.raises(OutcomeUnknownError):
        asyncio.run(ask())


def test_a_cancelled_send_leaves_nothing_open(gateway: SimulatedGateway, account: Account) -> None:
    """A send that is cancelled, as in a stopped triggerer, is cancelled at once and the session closes."""
    gateway.inject(Fault.HANG_BEFORE)

    async def send() -> None:
        async with open_async_client(account) as client:
            await asyncio.wait_for(client.send(make_message(1)), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(send())
    assert gateway.sent == []


def public_methods(kind: type) -> dict[str, list[str]]:
    """Return the parameters of each public method."""
    return {
        name: list(inspect.signature(method).parameters)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def test_both_clients_have_the_same_methods() -> None:
    """Whoever knows one client knows the other; the one for many messages builds requests beforehand, too."""
    beforehand = ["ask", "build_query", "build_send"]
    blocking, asynchronous = public_methods(OsonSmsClient), public_methods(AsyncOsonSmsClient)

    assert sorted(blocking) == ["create_bulk", "drive", "query_balance", "query_status", "send"]
    assert {name: asynchronous[name] for name in blocking} == blocking
    assert sorted(asynchronous.keys() - blocking.keys()) == beforehand


@pytest.mark.parametrize("open_any", [open_client, open_async_client])
def test_opening_makes_no_request(
    open_any: Callable[[Account], object], gateway: SimulatedGateway, read: Callable[..., Settings]
) -> None:
    """Nothing is asked before somebody asks."""
    open_any(read(host=gateway.url).account)

    assert set(gateway.requests.values()) == {0}


class Once:
    """Gives the one answer that it has."""

    def __init__(self, answer: Response | Exception) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Response:
        """Answer."""
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class OnceLater(Once):
    """The same for an asynchronous client."""

    def prepare(self, request: Request) -> Request:
        """Return it as it is."""
        return request

    async def exchange(self, prepared: Request) -> Response:
        """Answer."""
        return self.handle(prepared)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response(status=200, body=b'{"status":"DELIVERED"}'), DeliveryStatus.DELIVERED),
        (OutcomeUnknownError("no answer"), OutcomeUnknownError),
        (RequestNotSentError("no connection"), RequestNotSentError),
        (Response(status=502, body=b"<html>"), UnexpectedAnswerError),
        (Response(status=422, body=b'{"error":{"code":107,"msg":"-"}}'), UnknownMessageError),
        (Response(status=422, body=b'{"error":{"code":109,"msg":"-"}}'), TemporaryRefusalError),
        (Response(status=422, body=b'{"error":{"code":106,"msg":"-"}}'), FinalRefusalError),
    ],
)
def test_a_status_is_asked_once(answer: Response | Exception, expected: object) -> None:
    """Whatever the answer, asking again is the caller's rhythm; each question has a nonce of its own."""
    account = Account(login="demo", secret="salt", api_url="https://gateway.invalid")
    once, later = Once(answer), OnceLater(answer)

    for ask in (
        lambda: OsonSmsClient(account, once).query_status("170055123"),
        lambda: asyncio.run(AsyncOsonSmsClient(account, later).query_status("170055123")),
    ):
        try:
            result: object = ask()
        except OsonSmsError as error:
            result = type(error)
        assert result is expected
    urls = [request.url for one in (once, later) for request in one.requests]
    assert len(set(urls)) == 2
    assert all("/query_sms.php?login=demo&txn_id=" in url and "&msg_id=170055123&" in url for url in urls)
