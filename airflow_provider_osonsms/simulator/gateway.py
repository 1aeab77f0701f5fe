"""The simulated gateway as a context manager: a server in a thread, with its ledger at hand."""

import asyncio
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import datetime
from decimal import Decimal
from threading import Thread
from typing import Any, Final, Self

from aiohttp import web

from airflow_provider_osonsms.simulator.backend import GatewayBackend, tajik_now
from airflow_provider_osonsms.simulator.delivery import DeliveryPace
from airflow_provider_osonsms.simulator.faults import Fault, FaultQueue
from airflow_provider_osonsms.simulator.ledger import AcceptedMessage, BulkJob, Call, Refusal, SimAccount
from airflow_provider_osonsms.simulator.server import GatewayDoor

_LOOPBACK: Final = "127.0.0.1"
_DEFAULT_BALANCE: Final = Decimal(100)
_DEFAULT_PRICE: Final = Decimal("0.10")


class SimulatedGateway:
    """An OsonSMS gateway on this machine, served while the ``with`` block lasts.

    Args:
        login: Of the one account; add others to ``backend.accounts``.
        secret: Salt of the hash, and Bearer token.
        senders: The names that the account may send from.
        balance: In somoni.
        price: Of one part, in somoni.
        host: Address to listen on.
        port: 0 takes a free one.
        enroute_seconds: How long a message stays ENROUTE.
        accepted_seconds: How long it stays ACCEPTED after that.
        hang_seconds: How long a hanging request stays without an answer.
        clock: Gives aware datetimes; the machine's clock by default.

    A second block opens the same gateway again, on the same port and with everything it knew.

    Attributes:
        backend: The gateway behind the HTTP.
        url: ``http://host:port``, for sending, queries, balance and bulk alike; kept after the block.
    """

    def __init__(
        self,
        *,
        login: str = "demo",
        secret: str = "demo-salt",  # noqa: S107 - the simulator's own, not a secret
        senders: Iterable[str] = ("SHOP",),
        balance: Decimal = _DEFAULT_BALANCE,
        price: Decimal = _DEFAULT_PRICE,
        host: str = _LOOPBACK,
        port: int = 0,
        enroute_seconds: float = 0.5,
        accepted_seconds: float = 0.5,
        hang_seconds: float = 30.0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        senders = tuple(senders)
        account = SimAccount(
            login=login, secret=secret, senders=frozenset(senders), balance=balance, price=price
        )
        pace = DeliveryPace(enroute_seconds=enroute_seconds, accepted_seconds=accepted_seconds)
        self.backend = GatewayBackend(account, clock=clock or tajik_now, pace=pace)
        self.url = ""
        self._login, self._sender = login, senders[0]
        self._host, self._port = host, port
        self._faults = FaultQueue()
        self._door = GatewayDoor(self.backend, self._faults, hang_seconds=hang_seconds)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        listening: Future[int] = Future()
        self._thread = Thread(target=self._run, args=(listening,), name="osonsms-simulator", daemon=True)
        self._thread.start()
        try:
            self._port = listening.result()
        except Exception:
            self._thread.join()
            raise
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{host}:{self._port}"
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop serving, at once; a gateway that does not serve is left alone."""
        loop, self._loop = self._loop, None
        if loop and self._thread:
            loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    @property
    def sent(self) -> list[AcceptedMessage]:
        """Every accepted message, in the order of acceptance."""
        return self.backend.messages

    @property
    def bulks(self) -> list[BulkJob]:
        """Every bulk job, in the order of creation."""
        return self.backend.bulks

    @property
    def refusals(self) -> list[Refusal]:
        """Every refusal, in order."""
        return self.backend.refusals

    @property
    def requests(self) -> dict[Call, int]:
        """How many requests each call has had, whatever became of them."""
        return {call: self._door.requests[call] for call in Call}

    @property
    def balance(self) -> Decimal:
        """What the default account has left, in somoni."""
        return self.backend.accounts[self._login].balance

    def inbox(self, phone: str) -> list[AcceptedMessage]:
        """Return the messages accepted for *phone* (12 digits), delivered or not."""
        return [message for message in self.sent if message.phone == phone]

    def inject(self, fault: Fault, *, call: str = Call.SEND, times: int = 1) -> None:
        """Let the next *times* requests of *call* ("send", "query", "balance", "bulk") meet *fault*."""
        self._faults.inject(fault, call=Call(call), times=times)

    def connection_json(self, **extra: Any) -> str:
        """Return an Airflow Connection to this gateway, for an ``AIRFLOW_CONN_...`` variable.

        Args:
            **extra: Settings that go into the Connection's ``extra``.
        """
        connection = {
            "conn_type": "osonsms",
            "host": self.url,
            "login": self._login,
            "password": self.backend.accounts[self._login].secret,
            "extra": {"sender": self._sender, "bulk_url": self.url, **extra},
        }
        return json.dumps(connection)

    def _run(self, listening: Future[int]) -> None:
        try:
            asyncio.run(self._serve(listening))
        except BaseException as error:
            if listening.done():
                raise
            listening.set_exception(error)

    async def _serve(self, listening: Future[int]) -> None:
        runner = self._door.make_runner()
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            listening.set_result(runner.addresses[0][1])
            await self._stop.wait()
        finally:
            await runner.cleanup()
