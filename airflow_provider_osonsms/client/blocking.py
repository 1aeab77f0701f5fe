"""The blocking client: drives the flows of the protocol over a blocking transport."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Final, Protocol

from airflow_provider_osonsms.protocol import flows
from airflow_provider_osonsms.protocol.build import build_query
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

_RANDOM: Final = Random()  # noqa: S311 - a nonce is no secret
"""Of its own: a DAG that calls `random.seed` would let each of its tasks ask with the same nonces."""
if hasattr(os, "register_at_fork"):  # not on Windows, where people write DAG files
    os.register_at_fork(after_in_child=_RANDOM.seed)


class Transport(Protocol):
    """Turns a Request into a Response or a TransportError."""

    def handle(self, request: Request) -> Response:
        """Send *request* and return its answer."""
        ...


class OsonSmsClient:
    """Sends messages, queries statuses and the balance, creates bulk jobs; one call at a time."""

    def __init__(
        self, account: Account, transport: Transport, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.account = account
        self._transport = transport
        self._sleep = sleep

    def send(
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
        return self.drive(flow)

    def query_status(self, msg_id: str) -> DeliveryStatus:
        """Query the status of a message once; asking again is the caller's rhythm (§3)."""
        query = build_query(msg_id, self.account, nonce=make_nonce())
        return parse_query(self._transport.handle(query))

    def query_balance(self) -> Decimal:
        """Query the balance in somoni; see `flows.query_balance`."""
        return self.drive(flows.query_balance(self.account, make_nonce=make_nonce))

    def create_bulk(
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
        return self.drive(flow)

    def drive(self, flow: Flow[T]) -> T:
        """Hold the conversation *flow* over this client's transport, and return what it comes to."""
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    step = next(flow)
                    continue
                try:
                    response = self._transport.handle(step)
                except TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as stop:
            result: T = stop.value
            return result


@contextmanager
def open_client(account: Account) -> Iterator[OsonSmsClient]:
    """Open a client with a session of its own, which is closed at the end."""
    from airflow_provider_osonsms.transport.blocking import RequestsTransport

    with RequestsTransport() as transport:
        yield OsonSmsClient(account, transport)


def make_nonce() -> str:
    """Make a txn_id that seasons the hash of one question, and is no secret (wire-notes, "Asking").

    The system's own random numbers would cost a question a tenth of its time.
    """
    return f"{_RANDOM.getrandbits(128):032x}"
