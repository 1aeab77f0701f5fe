"""What is known of a txn_id, and what each error proves about it: the one place that decides it.

Theory of operation. The gateway takes a txn_id once. A second request with the same txn_id is refused with
108, whatever became of the first; so the same txn_id may be sent again after any failure, and nobody is
texted twice. What the caller cannot see is *why* a 108 comes back:

* An earlier attempt was accepted, and its answer was lost. The message is on its way: count it as accepted.
* An earlier attempt was refused for now (109, 112, 113), and the gateway kept the txn_id all the same.
  Nothing may have been sent. Nobody can tell, so a person has to look.
* Nothing of ours used this txn_id before. It belongs to somebody else's message: ours was not sent.

The three look alike on the wire. They differ in what happened before, so everything that has happened to a
txn_id is kept as a `TxnIdHistory`, which only grows: in a flow, from try to try in the task's state store,
and for each row of a campaign. A 108 is read in its light by `explain_duplicate`.

The txn_id of a cap (``once_per``) is shared on purpose: every task makes the same one for a category, a phone
and a period, and whoever comes second finds it taken. So a 108 without an earlier attempt of ours is a normal
end, "capped". After an earlier attempt nobody can tell whether that attempt or another task has taken it.

Each error adds to the history what `read_proof` says, and tells whether the same txn_id may be sent again:

=========================  ==============  ============  =================================================
error                      leaves behind   send again    why
=========================  ==============  ============  =================================================
InvalidMessage, -Settings  unused          never         nothing left this machine; it is wrong each time
RequestNotSent             unused          at once       no byte of it reached the gateway
OutcomeUnknown             maybe accepted  at once       it may have arrived before the answer was lost
UnexpectedAnswer           maybe accepted  at once       somebody answered, in words of their own
TooManyRequests            unused          more slowly   429: turned away before it was read
ServiceUnavailable         maybe accepted  more slowly   503: perhaps said after it was taken
TemporaryRefusal           maybe consumed  at once       109, 112, 113: perhaps refused, perhaps kept
BalanceExhausted           unused          in a new try  nothing is accepted before a top-up
DuplicateTransaction       unused          never         unexplained: the txn_id is somebody else's
FinalRefusal, BulkRefused  unused          never         refused before anything was registered
UnknownMessage             unused          never         the answer to a question, not to a message
=========================  ==============  ============  =================================================

No other module decides what an error proves about a txn_id; they ask here.

Reference:
    OsonSMS protocol 1.5, §1, §2.3; docs/wire-notes.md "Repeats"; docs/design.md "Exactly once".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum

from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    BulkRefusedError,
    DuplicateTransactionError,
    FinalRefusalError,
    InvalidMessageError,
    InvalidSettingsError,
    OutcomeUnknownError,
    RequestNotSentError,
    ServiceUnavailableError,
    SuppressionUnavailableError,
    TemporaryRefusalError,
    TooManyRequestsError,
    UnexpectedAnswerError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.models import Outcome


class TxnIdHistory(IntEnum):
    """What has happened to a txn_id so far, ordered by how little a 108 proves."""

    UNUSED = 0
    """Nothing of ours has used it: a 108 is somebody else's."""
    MAYBE_ACCEPTED = 1
    """An attempt may have been accepted: a 108 says that it was."""
    MAYBE_CONSUMED = 2
    """It met 109, 112 or 113, which may have used it up: a 108 proves nothing."""


class SendAgain(Enum):
    """When the same request may be sent again, with the same txn_id."""

    AT_ONCE = "at once"
    MORE_SLOWLY = "more slowly"
    IN_A_NEW_TRY = "in a new try"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Proof:
    """What an error proves.

    Attributes:
        history: What it leaves behind of the txn_id.
        send_again: When the same txn_id may be sent again.
    """

    history: TxnIdHistory
    send_again: SendAgain


_UNUSED, _MAYBE_ACCEPTED, _MAYBE_CONSUMED = TxnIdHistory
_PROOFS: dict[type[BaseException], Proof] = {
    InvalidMessageError: Proof(_UNUSED, SendAgain.NEVER),
    InvalidSettingsError: Proof(_UNUSED, SendAgain.NEVER),
    SuppressionUnavailableError: Proof(_UNUSED, SendAgain.IN_A_NEW_TRY),
    RequestNotSentError: Proof(_UNUSED, SendAgain.AT_ONCE),
    OutcomeUnknownError: Proof(_MAYBE_ACCEPTED, SendAgain.AT_ONCE),
    UnexpectedAnswerError: Proof(_MAYBE_ACCEPTED, SendAgain.AT_ONCE),
    TooManyRequestsError: Proof(_UNUSED, SendAgain.MORE_SLOWLY),
    ServiceUnavailableError: Proof(_MAYBE_ACCEPTED, SendAgain.MORE_SLOWLY),
    TemporaryRefusalError: Proof(_MAYBE_CONSUMED, SendAgain.AT_ONCE),
    BalanceExhaustedError: Proof(_UNUSED, SendAgain.IN_A_NEW_TRY),
    DuplicateTransactionError: Proof(_UNUSED, SendAgain.NEVER),
    FinalRefusalError: Proof(_UNUSED, SendAgain.NEVER),
    BulkRefusedError: Proof(_UNUSED, SendAgain.NEVER),
    UnknownMessageError: Proof(_UNUSED, SendAgain.NEVER),
}
_UNLISTED = Proof(_MAYBE_CONSUMED, SendAgain.IN_A_NEW_TRY)
"""An error that is in no line of the table proves nothing, so a 108 after it proves nothing either."""

_OUTCOME_OF_DUPLICATE = {
    TxnIdHistory.MAYBE_ACCEPTED: Outcome.ACCEPTED_UNTRACKED,
    TxnIdHistory.MAYBE_CONSUMED: Outcome.UNCERTAIN,
}
_OUTCOME_OF_CAPPED_DUPLICATE = {
    TxnIdHistory.UNUSED: Outcome.CAPPED,
    TxnIdHistory.MAYBE_ACCEPTED: Outcome.UNCERTAIN,
    TxnIdHistory.MAYBE_CONSUMED: Outcome.UNCERTAIN,
}


def read_proof(error: BaseException) -> Proof:
    """Return what *error* proves: the line of the table for its class, or for the nearest class above it."""
    return next((_PROOFS[kind] for kind in type(error).__mro__ if kind in _PROOFS), _UNLISTED)


def may_send_again(error: BaseException) -> bool:
    """Whether a later try with the same txn_id may end otherwise; if not, a retry is no use."""
    return read_proof(error).send_again is not SendAgain.NEVER


def may_send_again_soon(error: BaseException) -> bool:
    """Whether the same conversation may go on with the same txn_id."""
    return read_proof(error).send_again in (SendAgain.AT_ONCE, SendAgain.MORE_SLOWLY)


def is_collision(error: BaseException) -> bool:
    """Whether *error*, which nothing explains, says that the txn_id belongs to another message."""
    return isinstance(error, DuplicateTransactionError)


def add_to_history(history: TxnIdHistory, errors: Iterable[BaseException]) -> TxnIdHistory:
    """Return *history* after attempts that ended in *errors*: doubt is never taken back."""
    return max([history, *(read_proof(error).history for error in errors)])


def explain_duplicate(history: TxnIdHistory, *, is_capped: bool = False) -> Outcome | None:
    """Return what a 108 means for a txn_id with this *history*; None when nothing explains it.

    Args:
        history: What has happened to it.
        is_capped: Whether it is that of a cap, which other tasks make, too.
    """
    return (_OUTCOME_OF_CAPPED_DUPLICATE if is_capped else _OUTCOME_OF_DUPLICATE).get(history)
