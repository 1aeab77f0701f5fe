"""The simulated gateway as a context manager: a server in a thread of this process, and its ledger."""

import asyncio
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from shlex import quote
from threading import Thread
from typing import Any, Final, Self

from aiohttp import web

from airflow_provider_osonsms.simulator.backend import GatewayBackend, tajik_now
from airflow_provider_osonsms.simulator.behavior import Behavior
from airflow_provider_osonsms.simulator.faults import Fault, FaultRule, FaultRules
from airflow_provider_osonsms.simulator.ledger.records import (
    AcceptedMessage,
    BulkJob,
    Call,
    Refusal,
    SimAccount,
)
from airflow_provider_osonsms.simulator.web.app import make_runner
from airflow_provider_osonsms.simulator.web.origin import is_loopback
from airflow_provider_osonsms.simulator.web.server import GatewayServer

_LOOPBACK: Final = "127.0.0.1"
_DEFAULT_BALANCE: Final = Decimal(100)
_DEFAULT_PRICE: Final = Decimal("0.10")


class SimulatedGateway:
    """An OsonSMS gateway on this machine, served while the ``with`` block lasts.

    Args:
        login: Of the account; ``backend.put_account`` adds others.
        secret: Salt of the hash, and Bearer token.
        senders: The names that the account may send from.
        balance: In somoni.
        price: Of one part, in somoni.
        accounts: Used in place of the account that the arguments above describe; the first is the default.
        host: Address to listen on.
        port: Port to listen on; 0 for any free port.
        state: SQLite file that keeps the ledger over restarts; None for memory.
        seed: Of all random choices.
        clock: Returns aware datetimes; the machine's clock by default.
        **behavior: Attributes of Behavior: ``enroute_seconds``, ``latency="20ms"``, ``max_rate`` ...

    A second ``with`` block serves the same gateway again, on the same port and with the same ledger.

    Attributes:
        backend: The gateway without HTTP.
        url: ``http://host:port``, for sending, queries, balance and bulk alike; kept after the block.

    Raises:
        ValidationError: An account or a behavior is not valid.
        StateFileError: The state file cannot be used.
    """

    def __init__(
        self,
        *,
        login: str = "demo",
        secret: str = "demo-salt",  # noqa: S107 - the simulator's own, not a secret
        senders: Iterable[str] = ("SHOP",),
        balance: Decimal = _DEFAULT_BALANCE,
        price: Decimal = _DEFAULT_PRICE,
        accounts: Iterable[SimAccount] = (),
        host: str = _LOOPBACK,
        port: int = 0,
        state: Path | None = None,
        seed: int = 0,
        clock: Callable[[], datetime] | None = None,
        **behavior: Any,
    ) -> None:
        senders = tuple(senders)
        described = SimAccount(
            login=login, secret=secret, senders=frozenset(senders), balance=balance, price=price
        )
        known = tuple(accounts) or (described,)
        self.backend = GatewayBackend(
            *known, clock=clock or tajik_now, behavior=Behavior(**behavior), state=state
        )
        self.url = ""
        self._login = known[0].login
        self._sender = senders[0] if known[0] is described else min(known[0].senders, default="")
        self._host, self._port = host, port
        self._faults = FaultRules(seed)
        self._server = GatewayServer(self.backend, self._faults, seed=seed)
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
        """Stop serving at once; does nothing when the gateway is not serving."""
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
        """How many requests each call has had, with every outcome."""
        return {call: self._server.requests[call] for call in Call}

    @property
    def balance(self) -> Decimal:
        """The balance of the default account, in somoni."""
        return self.backend.accounts[self._login].balance

    def inbox(self, phone: str) -> list[AcceptedMessage]:
        """Return the messages accepted for *phone* (12 digits), delivered or not."""
        return self.backend.newest_messages(None, phone=phone)

    def inject(
        self,
        fault: Fault | str,
        *,
        call: str = Call.SEND,
        times: int | None = 1,
        every: int = 1,
        probability: float = 1.0,
    ) -> None:
        """Add a rule: requests of *call* ("send", "query", "balance", "bulk") meet *fault*.

        Earlier rules apply first.

        Args:
            fault: What happens instead of a proper answer.
            call: The call of these requests.
            times: How many in all; None for no limit.
            every: Only each n-th request.
            probability: Of these only this share, chosen by the gateway's seed.

        Raises:
            ValidationError: The rule is not valid.
        """
        rule = {"fault": fault, "call": call, "times": times, "every": every, "probability": probability}
        self._faults.add(FaultRule.model_validate(rule))

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self._faults.clear()

    def advance(self, seconds: float) -> None:
        """Let time pass at once, for deliveries and time stamps."""
        self.backend.advance(seconds)

    def connection_json(self, **extra: Any) -> str:
        """Return an Airflow Connection to this gateway, for an ``AIRFLOW_CONN_...`` variable.

        Args:
            **extra: Fields of the Connection's ``extra``.
        """
        connection = {
            "conn_type": "osonsms",
            "host": self.url,
            "port": self._port,  # the Test button of Airflow 3.3.1 and 3.3.2 needs it
            "login": self._login,
            "password": self.backend.accounts[self._login].secret,
            "extra": {"sender": self._sender, "bulk_url": self.url, **extra},
        }
        return json.dumps(connection)

    def connection_command(self) -> str:
        """Return the command for a shell that adds this Connection to an Airflow."""
        return f"airflow connections add osonsms_default --conn-json {quote(self.connection_json())}"

    def _run(self, listening: Future[int]) -> None:
        try:
            asyncio.run(self._serve(listening))
        except BaseException as error:
            if listening.done():
                raise
            listening.set_exception(error)

    async def _serve(self, listening: Future[int]) -> None:
        is_local = is_loopback(self._host)
        runner = make_runner(self._server, self.backend, self._faults, is_local=is_local)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            listening.set_result(runner.addresses[0][1])
            await self._stop.wait()
        finally:
            await runner.cleanup()
