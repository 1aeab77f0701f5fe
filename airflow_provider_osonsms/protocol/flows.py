"""Conversations of several requests, each written once for blocking and asynchronous clients.

A flow yields a Request and is sent its Response, or is thrown a TransportError; it yields a Pause where it
wants to wait. It does no I/O and reads no clock.

Reference:
    OsonSMS protocol 1.5, §1: after a timeout the same request may be sent again.
"""

from collections.abc import Callable
from decimal import Decimal

from airflow_provider_osonsms.protocol.build import build_balance, build_bulk, build_send
from airflow_provider_osonsms.protocol.errors import (
    DuplicateTransactionError,
    GatewayError,
    OutcomeUnknownError,
    TemporaryRefusalError,
    ThrottledError,
    TransportError,
)
from airflow_provider_osonsms.protocol.history import (
    TxnIdHistory,
    add_to_history,
    explain_duplicate,
    may_send_again_soon,
    read_proof,
)
from airflow_provider_osonsms.protocol.models import (
    Account,
    BulkJob,
    BulkReceipt,
    Flow,
    Message,
    Outcome,
    Pause,
    Response,
    SendReceipt,
)
from airflow_provider_osonsms.protocol.parse import parse_balance, parse_bulk, parse_send

ATTEMPTS = 3
FIRST_PAUSE = 1.0
"""Seconds before the second attempt; doubled before each further one."""
PATIENCE = 60.0
"""Seconds that a conversation waits in all because the gateway asks it to slow down."""


def read_send(response: Response, message: Message, *, history: TxnIdHistory) -> SendReceipt:
    """Read the answer to one attempt at *message*, in the light of what happened to its txn_id before.

    Raises:
        DuplicateTransactionError: Nothing explains the 108: the txn_id belongs to another message.
        GatewayError, UnexpectedAnswerError: See `protocol.parse.parse_send`.

    Reference:
        OsonSMS protocol 1.5, §2.2, §2.3; docs/design.md "Exactly once".
    """
    try:
        return parse_send(response, txn_id=message.txn_id)
    except DuplicateTransactionError:
        outcome = explain_duplicate(history, is_capped=message.is_capped)
        if outcome is None:
            raise
        return SendReceipt(txn_id=message.txn_id, outcome=outcome)


def send_once(
    message: Message,
    account: Account,
    *,
    attempts: int = ATTEMPTS,
    history: TxnIdHistory = TxnIdHistory.UNUSED,
    on_history: Callable[[TxnIdHistory], None] = lambda _history: None,
    patience: float = PATIENCE,
) -> Flow[SendReceipt]:
    """Submit *message* at most once, however often the network fails.

    Args:
        message: What to send.
        account: Who sends.
        attempts: Requests at most, all with the same txn_id.
        history: What has happened to this txn_id before.
        on_history: Told what this call's attempts have left behind of the txn_id, before the next one.
        patience: Seconds to wait in all where the gateway asks to slow down.

    Returns:
        A receipt whose outcome is ``accepted``; ``accepted_untracked`` after an explained 108; ``uncertain``
        when the 108 follows a temporary refusal, which may have used up the txn_id. Of a txn_id of a cap,
        ``capped`` when it is taken, or ``uncertain`` when an earlier attempt may have taken it.

    Raises:
        DuplicateTransactionError: Nothing explains the 108: the txn_id belongs to another message.
        TemporaryRefusalError: The gateway could not take it in any attempt.
        OutcomeUnknownError: No attempt was answered and at least one may have arrived.
        RequestNotSentError: No attempt reached the gateway.
        TooManyRequestsError: Each attempt was turned away; nothing was accepted.
        FinalRefusalError, BalanceExhaustedError: At once, without a repeat.

    Reference:
        OsonSMS protocol 1.5, §1, §2; docs/wire-notes.md "Repeats"; docs/design.md "Exactly once".
    """
    request = build_send(message, account)
    failures: list[Exception] = []
    for attempt in range(attempts):
        if attempt and not (yield from _pause_before(attempt, failures, patience=patience)):
            break
        try:
            response = yield request
            return read_send(response, message, history=add_to_history(history, failures))
        except (TransportError, TemporaryRefusalError) as error:
            failures.append(error)
            # Told before the next attempt: whoever is killed during it must not take its 108 for somebody
            # else's.
            if (left_behind := add_to_history(TxnIdHistory.UNUSED, failures)) is not TxnIdHistory.UNUSED:
                on_history(left_behind)
    raise _pick_least_proving(failures)


def query_balance(
    account: Account, *, make_nonce: Callable[[], str], attempts: int = ATTEMPTS
) -> Flow[Decimal]:
    """Ask for the balance in somoni, again after a failure: asking changes nothing.

    Reference:
        OsonSMS protocol 1.5, §4.
    """
    failures: list[Exception] = []
    for attempt in range(attempts):
        if attempt and not (yield from _pause_before(attempt, failures)):
            break
        try:
            return parse_balance((yield build_balance(account, nonce=make_nonce())))
        except (TransportError, TemporaryRefusalError) as error:
            failures.append(error)
    raise failures[-1]


def create_bulk(
    job: BulkJob,
    account: Account,
    *,
    attempts: int = ATTEMPTS,
    may_resend: bool = False,
    history: TxnIdHistory = TxnIdHistory.UNUSED,
    on_history: Callable[[TxnIdHistory], None] = lambda _history: None,
    patience: float = PATIENCE,
) -> Flow[BulkReceipt]:
    """Create a bulk job; an upload that may have arrived is repeated only if the caller allows it.

    Args:
        job: What to create.
        account: Who creates it.
        attempts: Requests at most, all with the same txn_id.
        may_resend: Trust §1 for bulk jobs too, although §5 documents no duplicate error.
        history: What has happened to this txn_id before.
        on_history: Told what this call's attempts have left behind of the txn_id, before the next one.
        patience: Seconds to wait in all where the gateway asks to slow down.

    Returns:
        A receipt; without a name after an explained 108, should the gateway answer with one.

    Raises:
        OutcomeUnknownError: The job may exist: look for it in the cabinet.
        RequestNotSentError: No attempt reached the gateway; no job was created.
        TooManyRequestsError: Each attempt was turned away; no job was created.
        FinalRefusalError, BulkRefusedError, BalanceExhaustedError: No job was created.

    Reference:
        OsonSMS protocol 1.5, §5; docs/design.md "Bulk is different".
    """
    request = build_bulk(job, account)
    failures: list[Exception] = []
    for attempt in range(attempts):
        if attempt and not (yield from _pause_before(attempt, failures, patience=patience)):
            break
        try:
            return parse_bulk((yield request), txn_id=job.txn_id)
        except DuplicateTransactionError as error:
            return _read_bulk_duplicate(error, job, history=history, failures=failures)
        except (TransportError, GatewayError) as error:
            proof = read_proof(error)
            if proof.history is TxnIdHistory.UNUSED and not may_send_again_soon(error):
                # A refusal proves that this upload made no job, and nothing about the one before it.
                if add_to_history(TxnIdHistory.UNUSED, failures) is TxnIdHistory.UNUSED:
                    raise
                break
            failures.append(error)
            if (left_behind := add_to_history(TxnIdHistory.UNUSED, failures)) is not TxnIdHistory.UNUSED:
                on_history(left_behind)
            # §5 documents no refusal of a second job: an upload that may have arrived is repeated by choice
            # only.
            if proof.history is not TxnIdHistory.UNUSED and not may_resend:
                break
    raise _pick_least_proving(failures)


def _read_bulk_duplicate(
    error: DuplicateTransactionError, job: BulkJob, *, history: TxnIdHistory, failures: list[Exception]
) -> BulkReceipt:
    """Return the receipt of a job that a 108 says exists; raise where it does not say so."""
    outcome = explain_duplicate(add_to_history(history, failures))
    if outcome is Outcome.ACCEPTED_UNTRACKED:
        return BulkReceipt(txn_id=job.txn_id, bulk_name=None)
    if outcome is None:
        raise error
    # "Not sent" would tell the caller that no job exists, and this 108 tells that nobody knows.
    if add_to_history(TxnIdHistory.UNUSED, failures) is not TxnIdHistory.UNUSED:
        raise _pick_least_proving(failures)
    raise OutcomeUnknownError(
        "the gateway knows this txn_id, and an earlier upload under it met a temporary refusal: nobody can "
        "tell whether the job exists"
    )


def back_off(attempt: int) -> float:
    """Return the seconds before *attempt*, of which the first is 0: doubled each time."""
    return FIRST_PAUSE * 2 ** (attempt - 1) if attempt else 0.0


def _pause_before(attempt: int, failures: list[Exception], *, patience: float = PATIENCE) -> Flow[bool]:
    """Wait before a further *attempt*, as long as the gateway asks; return False where that is too long."""
    asked = [error.retry_after if isinstance(error, ThrottledError) else 0.0 for error in failures]
    if asked[-1] and sum(asked) > patience:
        return False
    yield Pause(max(back_off(attempt), asked[-1]))
    return True


def _pick_least_proving(failures: list[Exception]) -> Exception:
    """Pick the failure that forbids most to the caller: the last of those that leave most open."""
    left_behind = add_to_history(TxnIdHistory.UNUSED, failures)
    return [error for error in failures if read_proof(error).history is left_behind][-1]
