"""The asynchronous client: drives the flows of the protocol over an asynchronous transport.

For many messages, the requests of some can be built at once and sent afterwards. Built between the answers to
others, each takes three times as long.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

from airflow_provider_osonsms.client.blocking import make_nonce
from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.build import build_query, build_send
from airflow_provider_osonsms.protocol.errors import TransportError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import (
    Account,
    BulkJob,
    BulkReceipt,
    Flow,
    Message,
    Pause,
    Request,
    Response,
    SendReceipt,
    T,
)
from airflow_provider_osonsms.protocol.parse import parse_query
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

PreparedRequest: TypeAlias = Any
"""What a transport has made of a request, for itself."""


class AsyncTransport(Protocol):
    """Turns a Request into a Response or a TransportError, in two steps."""

    def prepare(self, request: Request) -> PreparedRequest:
        """Make all of *request* that can be made before it is sent."""
        ...

    async def exchange(self, prepared: PreparedRequest) -> Response:
        """Send a request of `prepare` and return its answer."""
        ...


class AsyncOsonSmsClient:
    """Sends messages, queries statuses and the balance, creates bulk jobs; many calls at a time.

    Attributes:
        account: Who calls.
        exchange: Sends a request of `build_send` or `build_query` once, and returns its answer unread.
    """

    def __init__(
        self,
        account: Account,
        transport: AsyncTransport,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.account = account
        self.exchange = transport.exchange
        self._prepare = transport.prepare
        self._sleep = sleep

    def build_send(self, message: Message) -> PreparedRequest:
        """Build the request that sends *message*; see `protocol.build.build_send`."""
        return self._prepare(build_send(message, self.account))

    async def send(
        self,
        message: Message,
        *,
        history: TxnIdHistory = TxnIdHistory.UNUSED,
        on_history: Callable[[TxnIdHistory], None] = lambda _history: None,
        attempts: int = flows.ATTEMPTS,
        patience: float = flows.PATIENCE,
    ) -> SendReceipt:
        """Submit *message* at most once; see `flows.send_once`."""
        flow = flows.send_once(
            message,
            self.account,
            history=history,
            on_history=on_history,
            attempts=attempts,
            patience=patience,
        )
        return await self.drive(flow)

    def build_query(self, msg_id: str) -> PreparedRequest:
        """Build the question for the status of a message; see `protocol.build.build_query`."""
        return self._prepare(build_query(msg_id, self.account, nonce=make_nonce()))

    async def ask(self, query: PreparedRequest) -> DeliveryStatus:
        """Ask a question of `build_query` once; asking again is the caller's rhythm (§3)."""
        return parse_query(await self.exchange(query))

    async def query_status(self, msg_id: str) -> DeliveryStatus:
        """Query the status of a message once."""
        return await self.ask(self.build_query(msg_id))

    async def query_balance(self) -> Decimal:
        """Query the balance in somoni; see `flows.query_balance`."""
        return await self.drive(flows.query_balance(self.account, make_nonce=make_nonce))

    async def create_bulk(
        self,
        job: BulkJob,
        *,
        may_resend: bool = False,
        history: TxnIdHistory = TxnIdHistory.UNUSED,
        on_history: Callable[[TxnIdHistory], None] = lambda _history: None,
        patience: float = flows.PATIENCE,
    ) -> BulkReceipt:
        """Create a bulk job; see `flows.create_bulk`."""
        flow = flows.create_bulk(
            job,
            self.account,
            may_resend=may_resend,
            history=history,
            on_history=on_history,
            patience=patience,
        )
        return await self.drive(flow)

    async def drive(self, flow: Flow[T]) -> T:
        """Hold the conversation *flow* over this client's transport, and return what it comes to."""
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    step = next(flow)
                    continue
                try:
                    response = await self.exchange(self._prepare(step))
                except TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as stop:
            result: T = stop.value
            return result


@asynccontextmanager
async def open_async_client(
    account: Account, *, max_connections: int = 100
) -> AsyncIterator[AsyncOsonSmsClient]:
    """Open a client with a session of its own, which is closed at the end."""
    from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport

    async with AiohttpTransport(max_connections=max_connections) as transport:
        yield AsyncOsonSmsClient(account, transport)
