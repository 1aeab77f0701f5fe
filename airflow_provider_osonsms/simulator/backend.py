"""The simulated gateway without HTTP: fields in, HTTP status and JSON out, and a ledger of all calls."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME, DeliveryStatus, ErrorCode
from airflow_provider_osonsms.simulator.behavior import Behavior
from airflow_provider_osonsms.simulator.calls.checks import bearer_token
from airflow_provider_osonsms.simulator.calls.refusals import RefusedError, failed_by_fault
from airflow_provider_osonsms.simulator.calls.serve import (
    Answer,
    serve_balance,
    serve_bulk,
    serve_query,
    serve_send,
    stamp,
)
from airflow_provider_osonsms.simulator.delivery import History, history
from airflow_provider_osonsms.simulator.ledger.records import (
    AcceptedMessage,
    BulkJob,
    Call,
    Refusal,
    SimAccount,
)
from airflow_provider_osonsms.simulator.ledger.storage import Storage


def tajik_now() -> datetime:
    """Return the machine's time, in the zone of Tajikistan."""
    return datetime.now(TAJIK_TIME)


class GatewayBackend:
    """The accounts, the four calls and the ledger; every method may be called from any thread.

    The properties return copies, which do not change later.

    Args:
        *accounts: The clients of the gateway. A balance in the state file replaces theirs.
        clock: Returns aware datetimes; ``advance`` adds to them.
        behavior: Delivery, latency and rate limit.
        state: File that keeps the ledger over restarts; None for memory.

    Attributes:
        accounts: By login.
        revision: A number that grows with every change of what the page shows.

    Raises:
        StateFileError: The file cannot be used.
    """

    def __init__(
        self,
        *accounts: SimAccount,
        clock: Callable[[], datetime] = tajik_now,
        behavior: Behavior | None = None,
        state: Path | None = None,
    ) -> None:
        self.behavior = behavior or Behavior()
        self.revision = 0
        self._storage = Storage(state)
        balances = self._storage.balances()
        self.accounts = {
            account.login: replace(account, balance=balances.get(account.login, account.balance))
            for account in accounts
        }
        self._clock = clock
        self._ahead = timedelta()
        self._lock = RLock()

    @property
    def messages(self) -> list[AcceptedMessage]:
        """Every accepted message, in the order of acceptance."""
        return self.newest_messages(None)

    @property
    def bulks(self) -> list[BulkJob]:
        """Every bulk job, in the order of creation."""
        with self._lock:
            return self._storage.bulks()

    @property
    def refusals(self) -> list[Refusal]:
        """Every refusal, in order."""
        with self._lock:
            return self._storage.refusals()

    @property
    def totals(self) -> dict[str, int]:
        """Counts of messages, parts, bulks and refusals."""
        with self._lock:
            return self._storage.totals()

    def newest_messages(self, limit: int | None, *, phone: str | None = None) -> list[AcceptedMessage]:
        """Return the last *limit* messages (of one phone), in the order of acceptance."""
        with self._lock:
            return self._storage.messages(newest=limit, phone=phone)

    def newest_refusals(self, limit: int) -> list[Refusal]:
        """Return the last *limit* refusals, in order."""
        with self._lock:
            return self._storage.refusals(newest=limit)

    def now(self) -> datetime:
        """Return the gateway's time."""
        now = self._clock()
        return (now + self._ahead if self._ahead else now).astimezone(TAJIK_TIME)

    def advance(self, seconds: float) -> None:
        """Let time pass at once, for deliveries and time stamps."""
        with self._lock:
            self._ahead += timedelta(seconds=seconds)
            self.revision += 1

    def change_behavior(self, **changes: Any) -> None:
        """Change attributes of Behavior.

        Raises:
            ValidationError: There is no such attribute, or the value is not valid.
        """
        with self._lock:
            self.behavior = self.behavior.changed(changes)
            self.revision += 1

    def change_account(self, login: str, **changes: Any) -> None:
        """Block an account, top it up or change its secret while it is in use.

        Args:
            login: The account's login.
            **changes: Attributes of SimAccount and their new values.

        Raises:
            KeyError: No account has this login.
            ValidationError: A value is not valid.
        """
        with self._lock:
            self.put_account(replace(self.accounts[login], **changes))

    def put_account(self, account: SimAccount) -> None:
        """Add an account, or replace the one with its login."""
        with self._lock, self._storage.transaction():
            self._storage.save_balance(account.login, account.balance)
            self.accounts[account.login] = account
            self.revision += 1

    def clear(self) -> None:
        """Hide everything so far from the page; used txn_ids and msg_ids stay known."""
        with self._lock, self._storage.transaction():
            self._storage.clear()
            self.revision += 1

    def status(self, message: AcceptedMessage) -> DeliveryStatus:
        """Return the status of *message* now."""
        return self.history(message)[-1][0]

    def history(self, message: AcceptedMessage) -> History:
        """Return the statuses of *message* until now, with the times at which they began."""
        return history(message, self.behavior, until=self.now())

    def send(
        self, query: Mapping[str, str], *, authorization: str | None = None, remote: str = "127.0.0.1"
    ) -> Answer:
        """Accept and bill one message, or refuse it (§2)."""
        work = partial(serve_send, storage=self._storage, remote=remote)
        return self._serve(Call.SEND, query, work=work, authorization=authorization)

    def query(self, query: Mapping[str, str], *, authorization: str | None = None) -> Answer:
        """Tell where a message is, in both shapes at once (§3; wire-notes, "Statuses")."""
        work = partial(serve_query, storage=self._storage, behavior=self.behavior)
        return self._serve(Call.QUERY, query, work=work, authorization=authorization)

    def balance(self, query: Mapping[str, str], *, authorization: str | None = None) -> Answer:
        """Return the balance (§4)."""
        return self._serve(Call.BALANCE, query, work=serve_balance, authorization=authorization)

    def create_bulk(
        self, fields: Mapping[str, str], file: bytes | None, *, authorization: str | None = None
    ) -> Answer:
        """Create a bulk job, or refuse it (§5); it is neither billed nor sent."""
        work = partial(serve_bulk, file=file, storage=self._storage)
        return self._serve(Call.BULK, fields, work=work, authorization=authorization)

    def fail(
        self, call: Call, fields: Mapping[str, str], *, code: ErrorCode, uses_up_txn_id: bool = False
    ) -> Answer:
        """Fail with *code* without a look at the request (wire-notes, "Repeats")."""
        if uses_up_txn_id:
            with self._lock, self._storage.transaction():
                self._storage.use_up(fields.get("login", ""), fields.get("txn_id", ""))
        return self.refuse(call, fields, failed_by_fault(code, is_bulk=call is Call.BULK))

    def refuse(self, call: Call, fields: Mapping[str, str], refused: RefusedError) -> Answer:
        """Write a refusal to the ledger, and return its answer."""
        now = self.now()
        refusal = Refusal(
            call=call,
            http_status=refused.http_status,
            code=refused.code,
            problem=refused.problem,
            details=refused.details,
            login=fields.get("login", ""),
            txn_id=fields.get("txn_id", ""),
            at=now,
        )
        with self._lock, self._storage.transaction():
            self._storage.add_refusal(refusal)
            self.revision += 1
        return refused.http_status, refused.body(stamp(now))

    def close(self) -> None:
        """Close the state file; no call can be served after that."""
        with self._lock:
            self._storage.close()

    def _serve(
        self, call: Call, fields: Mapping[str, str], *, work: Callable[..., Answer], authorization: str | None
    ) -> Answer:
        with self._lock:
            try:
                with self._storage.transaction():
                    token = bearer_token(authorization)
                    answer = work(fields, accounts=self.accounts, now=self.now(), token=token)
            except RefusedError as refused:
                return self.refuse(call, fields, refused)
            self.revision += 1
            return answer
