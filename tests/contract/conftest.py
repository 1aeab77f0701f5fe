"""The clients against the simulator over a socket: sync and async, hash and bearer."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Message, Request, Response
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME, AuthScheme
from airflow_provider_osonsms.simulator import Fault, SimulatedGateway
from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport, PreparedRequest
from airflow_provider_osonsms.transport.blocking import RequestsTransport

SECRET = "sol-4711"
PRIVATE = (SECRET, "9000012", "Salom", "Kitobhoi", "http", "php", "str_hash")
HANGS = (Fault.HANG_BEFORE, Fault.HANG_AFTER)
MOMENT = 0.5
"""Seconds in which a request reaches a gateway that will not answer it."""


Hasten = Callable[[Request], Request]


class HastyTransport(RequestsTransport):
    """The blocking transport, with requests hastened."""

    def __init__(self, hasten: Hasten) -> None:
        super().__init__()
        self._hasten = hasten

    def handle(self, request: Request) -> Response:
        """Send a request and wait for its answer."""
        return super().handle(self._hasten(request))


class AsyncHastyTransport(AiohttpTransport):
    """The asynchronous transport, with requests hastened."""

    def __init__(self, hasten: Hasten) -> None:
        super().__init__()
        self._hasten = hasten

    def prepare(self, request: Request) -> PreparedRequest:
        """Make all of a request that can be made before it is sent."""
        return super().prepare(self._hasten(request))


class SyncClient(OsonSmsClient):
    """The blocking client; its pauses cost no time."""

    def __init__(self, account: Account, *, hasten: Hasten) -> None:
        self.pauses: list[float] = []
        self.transport = HastyTransport(hasten)
        super().__init__(account, self.transport, sleep=self.pauses.append)

    def handle(self, request: Request) -> Response:
        """Hand a request straight to the transport."""
        return self.transport.handle(request)

    def close(self) -> None:
        """Close the session."""
        self.transport.__exit__()


class AsyncClientInLine:
    """The asynchronous client with the methods of the blocking one, on an event loop of its own."""

    def __init__(self, account: Account, *, hasten: Hasten) -> None:
        self.pauses: list[float] = []
        self.account = account
        self._runner = asyncio.Runner()
        self._runner.run(self._open(hasten))

    async def _open(self, hasten: Hasten) -> None:
        self._transport = AsyncHastyTransport(hasten)
        self._client = AsyncOsonSmsClient(self.account, self._transport, sleep=self._note)

    async def _note(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def send(self, message: Message, **options: Any) -> Any:
        """Submit a message."""
        return self._runner.run(self._client.send(message, **options))

    def query_status(self, msg_id: str) -> Any:
        """Ask where a message is."""
        return self._runner.run(self._client.query_status(msg_id))

    def query_balance(self) -> Any:
        """Ask for the balance."""
        return self._runner.run(self._client.query_balance())

    def create_bulk(self, job: BulkJob, **options: Any) -> Any:
        """Create a bulk job."""
        return self._runner.run(self._client.create_bulk(job, **options))

    def handle(self, request: Request) -> Response:
        """Hand a request straight to the transport."""
        return self._runner.run(self._transport.exchange(self._transport.prepare(request)))

    def close(self) -> None:
        """Close the session and the event loop."""
        self._runner.run(self._transport.__aexit__())
        self._runner.close()


@pytest.fixture
def gateway(clock: Callable[[], datetime]) -> Iterator[SimulatedGateway]:
    """A bookshop's account with ten somoni, at ten diram a part."""
    with SimulatedGateway(
        login="kitobkhona",
        secret=SECRET,
        senders=["KITOB"],
        balance=Decimal(10),
        clock=clock,
        hang_seconds=20,
    ) as running:
        yield running


@pytest.fixture(params=["hash", "bearer"])
def account(request: pytest.FixtureRequest, gateway: SimulatedGateway) -> Account:
    """The same account on the client's side."""
    return Account(
        login="kitobkhona",
        secret=SECRET,
        auth_scheme=AuthScheme(request.param),
        api_url=gateway.url,
        bulk_url=gateway.url,
        timeout=5,
        upload_timeout=10,
    )


@pytest.fixture(params=["sync", "async"])
def connect(
    request: pytest.FixtureRequest, account: Account, gateway: SimulatedGateway
) -> Iterator[Callable[..., Any]]:
    """Open clients for the account, or for one that differs; where the gateway will hang they wait a moment.

    Elsewhere they have the account's patience, for a machine may be busy.
    """
    clients = []

    def hasten(request: Request) -> Request:
        will_hang = any(rule.fault in HANGS for rule in gateway._faults.list_rules())
        return replace(request, timeout=MOMENT) if will_hang else request

    def open_client(**changes: Any) -> SyncClient | AsyncClientInLine:
        kind = SyncClient if request.param == "sync" else AsyncClientInLine
        clients.append(kind(replace(account, **changes), hasten=hasten))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Any]) -> Any:
    """A client of the account."""
    return connect()


@pytest.fixture
def message() -> Message:
    """A message that is right in every respect."""
    return Message(phone="992900001200", text="Salom, Dilshod", sender="KITOB", txn_id="invoice-31")


@pytest.fixture
def job() -> BulkJob:
    """A bulk job that is right in every respect."""
    return BulkJob(
        csv=b"992900001200\n992900001201\n",
        text="Kitobhoi nav",
        sender="KITOB",
        txn_id="navsol-2027",
        send_at=datetime(2026, 12, 31, 20, 0, 0, tzinfo=TAJIK_TIME),
    )


@pytest.fixture
def assert_discreet() -> Callable[[BaseException], None]:
    """Look for anything private in an error and in whatever stands behind it."""

    def check(error: BaseException | None) -> None:
        while error is not None:
            shown = f"{error} {error!r} {error.args!r}"
            assert not [word for word in PRIVATE if word in shown]
            error = error.__cause__ or error.__context__

    return check
