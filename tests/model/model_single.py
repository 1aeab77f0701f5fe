"""A single send of the model: its task, what it remembers, and one try put together as the operator does."""

import re
from dataclasses import dataclass, field

from model_gateway import ACCOUNT, CONSUMING, Event, Fault, Gateway, KilledError, Line
from model_memory import MortalStore, Store

from airflow_provider_osonsms.client.blocking import OsonSmsClient
from airflow_provider_osonsms.exactly_once.send import send_exactly_once
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.protocol.errors import DuplicateTransactionError, OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome, SendReceipt

TXN_ID = "txn-1"
_PHONE = "992900000000"
_LIMIT = 3
_RECEIPT = re.compile(r'"outcome": "(\w+)", "msg_id": (?:"(\d+)"|null)')


@dataclass
class SingleTry:
    """What a try has done; *before* is what the store said at its beginning."""

    before: str
    has_earlier: bool
    line: Line
    receipt: SendReceipt | None = None
    error: BaseException | None = None
    is_overlapped: bool = False


@dataclass
class SingleSend:
    """A task that sends one message."""

    has_store: bool = True
    has_own_txn_id: bool = False
    gateway: Gateway = field(default_factory=Gateway)
    store: Store = field(default_factory=Store)
    text: str = "Salom"
    tries: list[SingleTry] = field(default_factory=list)
    depth: int = 0

    def run_try(self, script=(), inner=()) -> SingleTry:
        """Run the next try."""
        line = Line(
            self.gateway, script, limit=_LIMIT, on_event=lambda event: self._meet(event, attempt, inner)
        )
        attempt = SingleTry(" ".join(self.store.values.values()), bool(self.tries), line)
        self.tries.append(attempt)
        is_doubted = self.has_own_txn_id or attempt.has_earlier
        self.depth += 1
        try:
            attempt.receipt = send_exactly_once(
                OsonSmsClient(ACCOUNT, line, sleep=line.sleep),
                Message(phone=_PHONE, text=self.text, sender="KITOB", txn_id=TXN_ID),
                store=MortalStore(self.store, line.check) if self.has_store else NullStateStore(),
                history=TxnIdHistory.MAYBE_ACCEPTED if is_doubted else TxnIdHistory.UNUSED,
            )
        except (KilledError, OsonSmsError, ConnectionError) as error:
            attempt.error = error
        finally:
            self.depth -= 1
        return attempt

    def _meet(self, event: Event, attempt: SingleTry, inner) -> None:
        if event is Event.OVERLAP and self.depth == 1:
            attempt.is_overlapped = True
            self.run_try(inner)


def check_single(send: SingleSend, attempt: SingleTry) -> None:
    """What a try says of its message is true, and no less than what an earlier one has stored."""
    ours, receipt = send.gateway.sent(TXN_ID), attempt.receipt
    stored = " ".join(send.store.values.values())
    assert all(msg_id in stored for msg_id in send.store.tracked), "a receipt was lost"
    if known := _RECEIPT.search(attempt.before):
        assert not attempt.line.attempts
        assert receipt is not None
        assert (str(receipt.outcome), receipt.msg_id) == known.groups()
        return
    if isinstance(attempt.error, DuplicateTransactionError):
        assert _is_foreign(send) or (attempt.is_overlapped and not send.has_store), (
            "our own message was taken for somebody else's"
        )
    if receipt is None:
        return
    if receipt.msg_id is not None and send.has_store and not send.store.is_failing:
        assert receipt.msg_id in send.store.tracked, "the store was not given the receipt"
    if receipt.outcome is Outcome.ACCEPTED:
        assert ours is not None
        assert receipt.msg_id == ours.msg_id
    elif receipt.outcome is Outcome.ACCEPTED_UNTRACKED:
        assert ours is not None or _may_be_misread(send, attempt), "accepted_untracked, and not in the ledger"
    else:
        assert receipt.outcome is Outcome.UNCERTAIN


def _is_foreign(send: SingleSend) -> bool:
    message = send.gateway.messages.get(TXN_ID)
    return message is not None and not message.is_ours


def _may_be_misread(send: SingleSend, attempt: SingleTry) -> bool:
    if TXN_ID in send.gateway.messages:  # somebody else's
        unanswered = any(
            made.fault not in {Fault.ANSWERED, Fault.NOT_SENT, Fault.TURNED_AWAY}
            for made in attempt.line.attempts
        )
        return send.has_own_txn_id or attempt.has_earlier or attempt.is_overlapped or unanswered
    is_doubted = '"past": 2' in attempt.before
    return not is_doubted and not any(made.fault in CONSUMING for made in attempt.line.attempts)
