"""The life of a row of a campaign, as one table: everything that decides a row's state stands in this file.

A row is sent in attempts. `RowState` is what is known of it between two attempts; `Shown` is what an attempt
has shown; `_NEXT_STATE` says which state follows from both. Each state has an `Outcome` for people, a reason
in words, and a code under which the journal keeps it, where a later try must know it.

A state only says what is known. Whether the row's txn_id may have been used is its `TxnIdHistory`, which is
kept beside it and only grows: a row may be NOT_REACHED now, and a 108 still mean that an earlier attempt was
accepted.

Two rules of exactly-once are in the table and easy to miss:

* Before the first byte leaves, the row is NO_ANSWER: if the task is killed or cancelled then, that is the
  truth.
* An attempt that proves nothing takes nothing back. A row whose answer was lost stays NO_ANSWER (uncertain)
  when the next attempt meets a refusal: the message may be on its way, whatever the account is told
  afterwards.

Reference:
    docs/design.md "The life of a row"; OsonSMS protocol 1.5, §1, §2.3.
"""

from array import array
from collections import Counter
from enum import Enum, IntEnum
from typing import Final

from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    InvalidMessageError,
    OsonSmsError,
)
from airflow_provider_osonsms.protocol.history import SendAgain, TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import Outcome, SendReceipt
from airflow_provider_osonsms.tables.msg_ids import pack_msg_id


class RowState(IntEnum):
    """What is known of a row."""

    NOT_ATTEMPTED = 0
    """No attempt of this try, and none that the journal knows."""
    NOT_REACHED = 1
    """Every attempt failed before a byte reached the gateway."""
    REFUSED_FOR_NOW = 2
    """The last attempt met 109, 112 or 113."""
    NO_ANSWER = 3
    """An attempt is under way, or its answer was lost: it may have been accepted."""
    ACCEPTED = 4
    """201, with a msg_id."""
    ANSWER_LOST = 5
    """108, explained by an attempt whose answer was lost: accepted, and its msg_id is unknown for ever."""
    UNDECIDED = 6
    """Nobody can tell whether it was sent: a person has to look."""
    ACCOUNT_REFUSED = 7
    """The gateway refused the account, the sender or the address."""
    UNSENDABLE = 8
    """The message breaks a rule that only shows when its request is built."""
    REJECTED = 9
    """The row was rejected before the campaign began, with a `RejectReason` of its own."""

    @property
    def outcome(self) -> Outcome:
        """What the row counts as."""
        return _OUTCOMES[self]

    @property
    def reason(self) -> str | None:
        """Why it is not simply accepted; None for a row that is."""
        return None if self is RowState.ACCEPTED else self.name.lower()

    @property
    def is_open(self) -> bool:
        """Whether another attempt with the same txn_id may settle it."""
        return self <= _LAST_OPEN

    @property
    def is_taken(self) -> bool:
        """Whether the gateway has surely accepted it."""
        return self in (RowState.ACCEPTED, RowState.ANSWER_LOST)

    @property
    def is_failed(self) -> bool:
        """Whether it has ended without being surely accepted, though it was worth an attempt."""
        return self in (RowState.UNDECIDED, RowState.ACCOUNT_REFUSED, RowState.UNSENDABLE)


_LAST_OPEN: Final = RowState.NO_ANSWER
_OUTCOMES: Final = {
    RowState.NOT_ATTEMPTED: Outcome.PENDING,
    RowState.NOT_REACHED: Outcome.PENDING,
    RowState.REFUSED_FOR_NOW: Outcome.PENDING,
    RowState.NO_ANSWER: Outcome.UNCERTAIN,
    RowState.ACCEPTED: Outcome.ACCEPTED,
    RowState.ANSWER_LOST: Outcome.ACCEPTED_UNTRACKED,
    RowState.UNDECIDED: Outcome.UNCERTAIN,
    RowState.ACCOUNT_REFUSED: Outcome.REFUSED,
    RowState.UNSENDABLE: Outcome.REJECTED,
    RowState.REJECTED: Outcome.REJECTED,
}


class Shown(Enum):
    """What an attempt at a row has shown."""

    ACCEPTED = "201 with a msg_id"
    ACCEPTED_BEFORE = "108, explained by a lost answer"
    TAKEN_UNPROVEN = "108 after 109, 112 or 113"
    NOT_SENT = "no connection"
    NO_ANSWER = "no answer, or one that cannot be read"
    REFUSED_FOR_NOW = "109, 112, 113"
    NOTHING = "119, or a 108 that nothing explains: it was not sent, and the campaign stops"
    ACCOUNT_REFUSED = "100, 105, 106, 107, 114"
    UNSENDABLE = "no request could be built"


_S = RowState
_NEXT_STATE: Final[dict[Shown, tuple[RowState, RowState, RowState, RowState]]] = {
    # before:                NOT_ATTEMPTED       NOT_REACHED         REFUSED_FOR_NOW     NO_ANSWER
    Shown.ACCEPTED:         (_S.ACCEPTED,        _S.ACCEPTED,        _S.ACCEPTED,        _S.ACCEPTED),
    Shown.ACCEPTED_BEFORE:  (_S.ANSWER_LOST,     _S.ANSWER_LOST,     _S.ANSWER_LOST,     _S.ANSWER_LOST),
    Shown.TAKEN_UNPROVEN:   (_S.UNDECIDED,       _S.UNDECIDED,       _S.UNDECIDED,       _S.UNDECIDED),
    Shown.NOT_SENT:         (_S.NOT_REACHED,     _S.NOT_REACHED,     _S.REFUSED_FOR_NOW, _S.NO_ANSWER),
    Shown.NO_ANSWER:        (_S.NO_ANSWER,       _S.NO_ANSWER,       _S.NO_ANSWER,       _S.NO_ANSWER),
    Shown.REFUSED_FOR_NOW:  (_S.REFUSED_FOR_NOW, _S.REFUSED_FOR_NOW, _S.REFUSED_FOR_NOW, _S.NO_ANSWER),
    Shown.NOTHING:          (_S.NOT_ATTEMPTED,   _S.NOT_REACHED,     _S.REFUSED_FOR_NOW, _S.NO_ANSWER),
    Shown.ACCOUNT_REFUSED:  (_S.ACCOUNT_REFUSED, _S.ACCOUNT_REFUSED, _S.ACCOUNT_REFUSED, _S.NO_ANSWER),
    Shown.UNSENDABLE:       (_S.UNSENDABLE,      _S.UNSENDABLE,      _S.UNSENDABLE,      _S.UNDECIDED),
}  # fmt: skip

_LOST_CODE, _UNDECIDED_CODE, _CONSUMED_CODE = "lost", "undecided", "refused"
_STATES: Final = tuple(RowState)
_HISTORIES: Final = tuple(TxnIdHistory)
_MAX_PARTS: Final = 0xFFFF


def read_receipt(receipt: SendReceipt) -> Shown:
    """Return what an answered attempt has shown."""
    if receipt.outcome is Outcome.ACCEPTED and receipt.msg_id is not None:
        return Shown.ACCEPTED
    return Shown.TAKEN_UNPROVEN if receipt.outcome is Outcome.UNCERTAIN else Shown.ACCEPTED_BEFORE


def read_failure(error: OsonSmsError) -> Shown:
    """Return what an attempt that ended in *error* has shown, by what the error proves about its txn_id."""
    if isinstance(error, InvalidMessageError):
        return Shown.UNSENDABLE
    if isinstance(error, BalanceExhaustedError | DuplicateTransactionError):
        return Shown.NOTHING
    proof = read_proof(error)
    if proof.history is TxnIdHistory.MAYBE_CONSUMED:
        return Shown.REFUSED_FOR_NOW
    if proof.history is TxnIdHistory.MAYBE_ACCEPTED:
        return Shown.NO_ANSWER
    return Shown.NOT_SENT if proof.send_again is SendAgain.AT_ONCE else Shown.ACCOUNT_REFUSED


class CampaignRows:
    """State, history, msg_id and billed parts of each row, in a dozen bytes, by its position in the input.

    Args:
        rows: Rows of the input; each is REJECTED until it is expected.
        history: What is known beforehand of all txn_ids.
    """

    def __init__(self, rows: int, *, history: TxnIdHistory) -> None:
        self._states = bytearray([RowState.REJECTED]) * rows
        self._histories = bytearray([history]) * rows
        self._parts = array("H", bytes(2 * rows))
        self._msg_ids = array("q", bytes(8 * rows))
        self._odd_msg_ids: dict[int, str] = {}

    def expect(self, position: int) -> None:
        """Let a row be one that is sent."""
        self._states[position] = RowState.NOT_ATTEMPTED

    def state(self, position: int) -> RowState:
        """Return what is known of a row."""
        return _STATES[self._states[position]]

    def is_open(self, position: int) -> bool:
        """Say whether a row waits for an attempt."""
        return self._states[position] <= _LAST_OPEN

    def history(self, position: int) -> TxnIdHistory:
        """Return what has happened to the txn_id of a row: in its light a 108 is read."""
        return _HISTORIES[self._histories[position]]

    def begin_attempt(self, position: int) -> RowState:
        """Let an attempt at an open row be under way, and return the state before it."""
        before = _STATES[self._states[position]]
        self._states[position] = RowState.NO_ANSWER
        return before

    def end_attempt(
        self,
        position: int,
        shown: Shown,
        *,
        before: RowState,
        left_behind: TxnIdHistory = TxnIdHistory.UNUSED,
    ) -> None:
        """Keep what an attempt has shown, and what it has left behind of the txn_id."""
        self._states[position] = _NEXT_STATE[shown][before]
        self._histories[position] = max(self._histories[position], left_behind)

    def keep_receipt(self, position: int, *, msg_id: str, parts: int) -> None:
        """Keep under which msg_id a row was accepted, and at how many billed parts."""
        self._states[position] = RowState.ACCEPTED
        self._parts[position] = min(parts, _MAX_PARTS)
        packed = pack_msg_id(msg_id)
        if packed is None:
            self._odd_msg_ids[position] = msg_id
        else:
            self._msg_ids[position] = packed

    def parts(self, position: int) -> int | None:
        """Return the billed parts of a row; None where they are unknown."""
        return self._parts[position] or None

    @property
    def total_parts(self) -> int:
        """The billed parts of all rows."""
        return sum(self._parts)

    def msg_id(self, position: int) -> str | None:
        """Return the msg_id of a row; None where there is none."""
        number = self._msg_ids[position]
        return str(number) if number else self._odd_msg_ids.get(position)

    def count(self) -> Counter[RowState]:
        """Count the rows by state."""
        counts = {state: self._states.count(state) for state in RowState}
        return Counter({state: count for state, count in counts.items() if count})

    @property
    def open_rows(self) -> int:
        """How many rows wait for an attempt."""
        return sum(count for state, count in self.count().items() if state.is_open)

    def encode(self, position: int) -> str | None:
        """Return the journal's code of a row; None where a later try need not know of it.

        ``"163938568/2"`` is a msg_id and its billed parts, ``"lost"`` an ANSWER_LOST row, ``"undecided"`` an
        UNDECIDED one, ``"refused"`` an open row whose txn_id may be consumed.
        """
        state = _STATES[self._states[position]]
        if state is RowState.ACCEPTED:
            return f"{self.msg_id(position)}/{self._parts[position]}"
        if state is RowState.ANSWER_LOST:
            return _LOST_CODE
        if state is RowState.UNDECIDED:
            return _UNDECIDED_CODE
        is_consumed = self._histories[position] == TxnIdHistory.MAYBE_CONSUMED
        return _CONSUMED_CODE if is_consumed and state.is_open else None

    def decode(self, position: int, code: str) -> None:
        """Put into a row what an earlier try has written as *code*."""
        if code == _LOST_CODE:
            self._states[position] = RowState.ANSWER_LOST
        elif code == _UNDECIDED_CODE:
            self._states[position] = RowState.UNDECIDED
        elif code == _CONSUMED_CODE:
            self._histories[position] = TxnIdHistory.MAYBE_CONSUMED
        else:
            msg_id, _, parts = code.partition("/")
            self.keep_receipt(position, msg_id=msg_id, parts=int(parts or 0))


def is_settled_code(code: str) -> bool:
    """Whether the journal's *code* is that of a row that needs no further attempt."""
    return code != _CONSUMED_CODE
