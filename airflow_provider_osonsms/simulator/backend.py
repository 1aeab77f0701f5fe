"""The simulated gateway without HTTP: fields in, HTTP status and JSON out, and a ledger of what happened.

Reference:
    OsonSMS protocol 1.5, §2-§5; wire-notes 3-9, 11-15.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import count
from threading import RLock
from typing import Any, Final

from airflow_provider_osonsms.protocol.vocabulary import (
    TAJIK_TIME,
    TIMESTAMP_FORMAT,
    Channel,
    DeliveryStatus,
    ErrorCode,
)
from airflow_provider_osonsms.simulator.bulk import read_bulk
from airflow_provider_osonsms.simulator.checks import bearer_token, check_balance, check_query, check_send
from airflow_provider_osonsms.simulator.delivery import CODE_BY_STATUS, DeliveryPace
from airflow_provider_osonsms.simulator.ledger import AcceptedMessage, BulkJob, Call, Refusal, SimAccount
from airflow_provider_osonsms.simulator.refusals import (
    UNKNOWN_MSG_ID,
    CallRefusedError,
    RefusedError,
    failed_by_fault,
)
from airflow_provider_osonsms.simulator.segments import count_parts

Answer = tuple[int, dict[str, Any]]
"""HTTP status and JSON body."""

_FIRST_MSG_ID: Final = 100_000_001


def tajik_now() -> datetime:
    """Return the moment by the machine's clock."""
    return datetime.now(TAJIK_TIME)


class GatewayBackend:
    """Accounts, the four calls and the ledger; every method may be called from any thread.

    Reading the properties gives copies that do not change any more.
    """

    def __init__(
        self,
        *accounts: SimAccount,
        clock: Callable[[], datetime] = tajik_now,
        pace: DeliveryPace | None = None,
    ) -> None:
        self.accounts = {account.login: account for account in accounts}
        self.pace = pace or DeliveryPace()
        self._clock = clock
        self._lock = RLock()
        self._msg_ids = count(_FIRST_MSG_ID)
        self._messages: dict[str, AcceptedMessage] = {}
        self._used_txn_ids: set[tuple[str, str]] = set()
        self._bulks: dict[tuple[str, str], BulkJob] = {}
        self._refusals: list[Refusal] = []

    @property
    def messages(self) -> list[AcceptedMessage]:
        """Every accepted message, in the order of acceptance."""
        with self._lock:
            return list(self._messages.values())

    @property
    def bulks(self) -> list[BulkJob]:
        """Every bulk job, in the order of creation."""
        with self._lock:
            return list(self._bulks.values())

    @property
    def refusals(self) -> list[Refusal]:
        """Every refusal, in order."""
        with self._lock:
            return list(self._refusals)

    def change_account(self, login: str, **changes: Any) -> None:
        """Block an account, top it up, change its secret ... while it is in use.

        Args:
            login: Of the account.
            **changes: Attributes of SimAccount and their new values.
        """
        with self._lock:
            self.accounts[login] = replace(self.accounts[login], **changes)

    def status(self, message: AcceptedMessage) -> DeliveryStatus:
        """Return where *message* is now."""
        return self.pace.status_at(message, self._clock())

    def send(
        self, query: Mapping[str, str], *, authorization: str | None = None, remote: str = "127.0.0.1"
    ) -> Answer:
        """Accept and bill one message, or refuse it (§2)."""
        work = partial(self._send, token=bearer_token(authorization), remote=remote)
        return self._serve(Call.SEND, query, work=work)

    def query(self, query: Mapping[str, str], *, authorization: str | None = None) -> Answer:
        """Tell where a message is, in both shapes at once (§3, wire-notes 7)."""
        work = partial(self._query, token=bearer_token(authorization))
        return self._serve(Call.QUERY, query, work=work)

    def balance(self, query: Mapping[str, str], *, authorization: str | None = None) -> Answer:
        """Tell the balance (§4)."""
        work = partial(self._balance, token=bearer_token(authorization))
        return self._serve(Call.BALANCE, query, work=work)

    def create_bulk(
        self, fields: Mapping[str, str], file: bytes | None, *, authorization: str | None = None
    ) -> Answer:
        """Create a bulk job, or refuse it (§5); it is neither billed nor sent."""
        work = partial(self._create_bulk, file=file, token=bearer_token(authorization))
        return self._serve(Call.BULK, fields, work=work)

    def fail(
        self, call: Call, fields: Mapping[str, str], *, code: ErrorCode, uses_up_txn_id: bool = False
    ) -> Answer:
        """Fail with *code* without a look at the request (wire-notes 10)."""

        def work(fields: Mapping[str, str], _now: datetime) -> Answer:
            if uses_up_txn_id:
                self._used_txn_ids.add((fields.get("login", ""), fields.get("txn_id", "")))
            raise failed_by_fault(code, is_bulk=call is Call.BULK)

        return self._serve(call, fields, work=work)

    def _serve(
        self, call: Call, fields: Mapping[str, str], *, work: Callable[[Mapping[str, str], datetime], Answer]
    ) -> Answer:
        with self._lock:
            now = self._clock()
            try:
                return work(fields, now)
            except RefusedError as refused:
                refusal = Refusal(
                    call=call,
                    http_status=refused.http_status,
                    code=refused.code,
                    reason=refused.reason,
                    login=fields.get("login", ""),
                    txn_id=fields.get("txn_id", ""),
                    at=now,
                )
                self._refusals.append(refusal)
                return refused.http_status, refused.body(_stamp(now))

    def _send(self, query: Mapping[str, str], now: datetime, *, token: str | None, remote: str) -> Answer:
        account, phone = check_send(query, self.accounts, token=token, remote=remote)
        if (account.login, query["txn_id"]) in self._used_txn_ids:
            raise CallRefusedError(ErrorCode.DUPLICATE_TXN_ID, "the txn_id was used before")
        message = self._compose(query, account, phone=phone, now=now)
        balance = account.balance - account.price * message.parts
        if balance < 0:
            raise CallRefusedError(ErrorCode.BALANCE_EXHAUSTED, "the message costs more than is left")
        self.accounts[account.login] = replace(account, balance=balance)
        self._used_txn_ids.add((account.login, message.txn_id))
        self._messages[str(message.msg_id)] = message
        return 201, {
            "status": "ok",
            "timestamp": _stamp(now),
            "txn_id": message.txn_id,
            "msg_id": message.msg_id,
            "smsc_msg_id": f"+{message.msg_id:08X}",
            "smsc_msg_status": "success",
            "smsc_msg_parts": message.parts,
        }

    def _compose(
        self, query: Mapping[str, str], account: SimAccount, *, phone: str, now: datetime
    ) -> AcceptedMessage:
        return AcceptedMessage(
            msg_id=next(self._msg_ids),
            txn_id=query["txn_id"],
            login=account.login,
            sender=query["from"],
            phone=phone,
            text=query["msg"],
            parts=count_parts(query["msg"]),
            channel=Channel(query["channel"]) if query.get("channel") else None,
            is_confidential=query.get("is_confidential") == "true",
            accepted_at=now,
        )

    def _query(self, query: Mapping[str, str], now: datetime, *, token: str | None) -> Answer:
        account = check_query(query, self.accounts, token=token)
        message = self._messages.get(query["msg_id"])
        if message is None or message.login != account.login:
            raise CallRefusedError(ErrorCode.INCORRECT_SENDER, "unknown msg_id", msg=UNKNOWN_MSG_ID)
        status = self.pace.status_at(message, now)
        return 200, {
            "status": status.value,
            "timestamp": _stamp(now),
            "txn_id": message.txn_id,
            "msg_id": message.msg_id,
            "message_state": status.value.capitalize(),
            "message_state_code": CODE_BY_STATUS[status],
        }

    def _balance(self, query: Mapping[str, str], now: datetime, *, token: str | None) -> Answer:
        account = check_balance(query, self.accounts, token=token)
        return 200, {"balance": float(account.balance), "timestamp": _stamp(now)}

    def _create_bulk(
        self, fields: Mapping[str, str], now: datetime, *, file: bytes | None, token: str | None
    ) -> Answer:
        name = f"bulk-{len(self._bulks) + 1}"
        job = read_bulk(fields, file, accounts=self.accounts, token=token, name=name, now=now)
        # A guess: §1 promises that a repeat is not sent twice, and §5.3 has no word for a duplicate.
        job = self._bulks.setdefault((job.login, job.txn_id), job)
        return 200, {
            "status": "success",
            "message": "Bulk SMS created successfully",
            "sms_bulk_name": job.name,
        }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(TAJIK_TIME).strftime(TIMESTAMP_FORMAT)
