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
from enum import IntEnum, StrEnum
from typing import Final

from airflow_provider_osonsms.campaign.acceptance import (
    Acceptance,
    read_acceptance,
    read_result,
    write_acceptance,
)
from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    InvalidMessageError,
    OsonSmsError,
    ThrottledError,
)
from airflow_provider_osonsms.protocol.history import Proof, SendAgain, TxnIdHistory, read_proof
from airflow_provider_osonsms.protocol.models import Outcome, SendReceipt
from airflow_provider_osonsms.tables.msg_ids import pack_msg_id
from airflow_provider_osonsms.tables.rows import ResultRow


class RowState(IntEnum):
    """What is known of a row."""

    NOT_ATTEMPTED = 0
    """No attempt of this try, and none that the journal knows."""
    NOT_REACHED = 1
    """Every attempt failed before a byte reached the gateway, or was turned away at its door (429)."""
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
    LOST_OR_CAPPED = 7
    """108 under the txn_id of a cap, after an attempt of ours: that attempt was accepted, or another message
    of the category. The phone has one message of the period, so nobody has to look."""
    KEY_TAKEN = 8
    """108, and nothing explains it: its txn_id belongs to another message, or to one of ours that nobody
    knows of."""
    CAPPED = 9
    """Not sent: another message of the category has reached the phone in this period."""
    ACCOUNT_REFUSED = 10
    """The gateway refused the account, the sender or the address."""
    UNSENDABLE = 11
    """The message breaks a rule that only shows when its request is built."""
    REJECTED = 12
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
    def may_be_accepted(self) -> bool:
        """Whether a message of ours may have been accepted for it."""
        return RowState.NO_ANSWER <= self <= RowState.LOST_OR_CAPPED

    @property
    def is_failed(self) -> bool:
        """Whether it has ended without being surely accepted, though it was worth an attempt."""
        return self in _FAILED

    @property
    def is_capped(self) -> bool:
        """Whether it was not sent because its phone has had enough."""
        return self is RowState.CAPPED

    @property
    def may_be_capped(self) -> bool:
        """Whether nobody can tell if it was accepted, or not sent because its phone has had enough."""
        return self is RowState.LOST_OR_CAPPED


_LAST_OPEN: Final = RowState.NO_ANSWER
_FAILED: Final = frozenset(
    {RowState.UNDECIDED, RowState.KEY_TAKEN, RowState.ACCOUNT_REFUSED, RowState.UNSENDABLE}
)
_OUTCOMES: Final = {
    RowState.NOT_ATTEMPTED: Outcome.PENDING,
    RowState.NOT_REACHED: Outcome.PENDING,
    RowState.REFUSED_FOR_NOW: Outcome.PENDING,
    RowState.NO_ANSWER: Outcome.UNCERTAIN,
    RowState.ACCEPTED: Outcome.ACCEPTED,
    RowState.ANSWER_LOST: Outcome.ACCEPTED_UNTRACKED,
    RowState.UNDECIDED: Outcome.UNCERTAIN,
    RowState.LOST_OR_CAPPED: Outcome.UNCERTAIN,
    RowState.KEY_TAKEN: Outcome.UNCERTAIN,
    RowState.CAPPED: Outcome.CAPPED,
    RowState.ACCOUNT_REFUSED: Outcome.REFUSED,
    RowState.UNSENDABLE: Outcome.REJECTED,
    RowState.REJECTED: Outcome.REJECTED,
}


class Shown(StrEnum):
    """What an attempt at a row has shown."""

    ACCEPTED = "201 with a msg_id"
    ACCEPTED_BEFORE = "108, explained by a lost answer"
    TAKEN_UNPROVEN = "108 after 109, 112 or 113"
    NOT_SENT = "no connection"
    TURNED_AWAY = "429: slower, please"
    UNAVAILABLE = "503: slower, please; it may have been taken"
    NO_ANSWER = "no answer, or one that cannot be read"
    REFUSED_FOR_NOW = "109, 112, 113"
    TAKEN = "108, and nothing explains it"
    CAPPED = "108 under the txn_id of a cap"
    TAKEN_BY_SOME = "108 under the txn_id of a cap, after a lost answer"
    NO_MONEY = "119: it was not sent"
    ACCOUNT_REFUSED = "100, 105, 106, 107, 114"
    UNSENDABLE = "no request could be built"


_S = RowState
_NEXT_STATE: Final[dict[Shown, tuple[RowState, RowState, RowState, RowState]]] = {
    # before:                NOT_ATTEMPTED       NOT_REACHED         REFUSED_FOR_NOW     NO_ANSWER
    Shown.ACCEPTED:         (_S.ACCEPTED,        _S.ACCEPTED,        _S.ACCEPTED,        _S.ACCEPTED),
    Shown.ACCEPTED_BEFORE:  (_S.ANSWER_LOST,     _S.ANSWER_LOST,     _S.ANSWER_LOST,     _S.ANSWER_LOST),
    Shown.TAKEN_UNPROVEN:   (_S.UNDECIDED,       _S.UNDECIDED,       _S.UNDECIDED,       _S.UNDECIDED),
    Shown.NOT_SENT:         (_S.NOT_REACHED,     _S.NOT_REACHED,     _S.REFUSED_FOR_NOW, _S.NO_ANSWER),
    Shown.TURNED_AWAY:      (_S.NOT_REACHED,     _S.NOT_REACHED,     _S.REFUSED_FOR_NOW, _S.NO_ANSWER),
    Shown.UNAVAILABLE:      (_S.NO_ANSWER,       _S.NO_ANSWER,       _S.NO_ANSWER,       _S.NO_ANSWER),
    Shown.NO_ANSWER:        (_S.NO_ANSWER,       _S.NO_ANSWER,       _S.NO_ANSWER,       _S.NO_ANSWER),
    Shown.REFUSED_FOR_NOW:  (_S.REFUSED_FOR_NOW, _S.REFUSED_FOR_NOW, _S.REFUSED_FOR_NOW, _S.NO_ANSWER),
    Shown.TAKEN:            (_S.KEY_TAKEN,       _S.KEY_TAKEN,       _S.UNDECIDED,       _S.UNDECIDED),
    Shown.CAPPED:           (_S.CAPPED,          _S.CAPPED,          _S.UNDECIDED,       _S.LOST_OR_CAPPED),
    Shown.TAKEN_BY_SOME:    (_S.LOST_OR_CAPPED,  _S.LOST_OR_CAPPED,  _S.UNDECIDED,       _S.LOST_OR_CAPPED),
    Shown.NO_MONEY:         (_S.NOT_ATTEMPTED,   _S.NOT_REACHED,     _S.REFUSED_FOR_NOW, _S.NO_ANSWER),
    Shown.ACCOUNT_REFUSED:  (_S.ACCOUNT_REFUSED, _S.ACCOUNT_REFUSED, _S.ACCOUNT_REFUSED, _S.NO_ANSWER),
    Shown.UNSENDABLE:       (_S.UNSENDABLE,      _S.UNSENDABLE,      _S.UNSENDABLE,      _S.UNDECIDED),
}  # fmt: skip

_LOST_CODE, UNDECIDED_CODE, TAKEN_CODE = "lost", "undecided", "taken"
_LOST_OR_CAPPED_CODE, _CAPPED_CODE = "lost_or_capped", "capped"
_REFUSED_CODE, UNANSWERED_CODE, _BOTH_CODE = "refused", "unanswered", "unanswered_after_refusal"
_CODES: Final = {
    RowState.ANSWER_LOST: _LOST_CODE,
    RowState.UNDECIDED: UNDECIDED_CODE,
    RowState.LOST_OR_CAPPED: _LOST_OR_CAPPED_CODE,
    RowState.KEY_TAKEN: TAKEN_CODE,
    RowState.CAPPED: _CAPPED_CODE,
}
_STATES_BY_CODE: Final = {code: state for state, code in _CODES.items()}
_DOUBTS_BY_CODE: Final = {
    _REFUSED_CODE: (RowState.REFUSED_FOR_NOW, TxnIdHistory.MAYBE_CONSUMED),
    UNANSWERED_CODE: (RowState.NO_ANSWER, TxnIdHistory.MAYBE_ACCEPTED),
    _BOTH_CODE: (RowState.NO_ANSWER, TxnIdHistory.MAYBE_CONSUMED),
}
"""What an open row has met in an earlier try. It is no row that was never attempted: the account may be
refused now, and the table must not say that nothing was sent."""
_STATES_BY_REASON: Final = {state.reason: state for state in (*_CODES, RowState.ACCEPTED)}
_ASKED_AGAIN: Final = frozenset(RowState) - {*_CODES, RowState.ACCEPTED, RowState.REJECTED}
_NO_ANSWER_AFTER_REFUSAL: Final = "no_answer_after_refusal"
"""The reason of a row whose answer was lost and whose txn_id may be consumed: a 108 will prove nothing."""
_DOUBTS_BY_REASON: Final = {
    RowState.REFUSED_FOR_NOW.reason: _DOUBTS_BY_CODE[_REFUSED_CODE],
    RowState.NO_ANSWER.reason: _DOUBTS_BY_CODE[UNANSWERED_CODE],
    _NO_ANSWER_AFTER_REFUSAL: _DOUBTS_BY_CODE[_BOTH_CODE],
}
_STATES: Final = tuple(RowState)
_HISTORIES: Final = tuple(TxnIdHistory)
_MAX_PARTS: Final = 0xFFFF
_MAX_TRY: Final = 0xFF
_MAX_SECONDS: Final = 2**32 - 1


def is_settled_code(code: str) -> bool:
    """Whether the journal's *code* is that of a row that needs no further attempt."""
    return code not in _DOUBTS_BY_CODE


def may_have_texted(code: object) -> bool:
    """Whether the journal's *code* is that of a row whose message was sent, or may have been."""
    state = _find_state(code)
    return state is not None and state.may_be_accepted


def was_refused_for_now(code: object) -> bool:
    """Whether the journal's *code* is that of an open row whose last attempt met 109, 112 or 113."""
    return code == _REFUSED_CODE


def is_capped_code(code: object) -> bool:
    """Whether the journal's *code* is that of a row that was not sent because of a cap."""
    return code == _CAPPED_CODE


def is_code(code: object) -> bool:
    """Whether *code* is one that `CampaignRows.encode` makes."""
    return _find_state(code) is not None


def _find_state(code: object) -> RowState | None:
    """Return what the journal's *code* says of a row; None for anything that is none."""
    if not isinstance(code, str):
        return None
    if (doubt := _DOUBTS_BY_CODE.get(code)) is not None:
        return doubt[0]
    return RowState.ACCEPTED if read_acceptance(code) is not None else _STATES_BY_CODE.get(code)


def read_receipt(receipt: SendReceipt, history: TxnIdHistory) -> Shown:
    """Return what an answered attempt at a row with this *history* has shown."""
    if receipt.outcome is Outcome.ACCEPTED and receipt.msg_id is not None:
        return Shown.ACCEPTED
    if receipt.outcome is Outcome.CAPPED:
        return Shown.CAPPED
    if receipt.outcome is not Outcome.UNCERTAIN:
        return Shown.ACCEPTED_BEFORE
    return Shown.TAKEN_UNPROVEN if history is TxnIdHistory.MAYBE_CONSUMED else Shown.TAKEN_BY_SOME


def read_failure(error: OsonSmsError) -> Shown:
    """Return what an attempt that ended in *error* has shown, by what the error proves about its txn_id."""
    if isinstance(error, InvalidMessageError):
        return Shown.UNSENDABLE
    if isinstance(error, DuplicateTransactionError):
        return Shown.TAKEN
    if isinstance(error, BalanceExhaustedError):
        return Shown.NO_MONEY
    return _read_proven(error, read_proof(error))


def _read_proven(error: OsonSmsError, proof: Proof) -> Shown:
    if isinstance(error, ThrottledError):
        return Shown.TURNED_AWAY if proof.history is TxnIdHistory.UNUSED else Shown.UNAVAILABLE
    if proof.history is TxnIdHistory.MAYBE_CONSUMED:
        return Shown.REFUSED_FOR_NOW
    if proof.history is TxnIdHistory.MAYBE_ACCEPTED:
        return Shown.NO_ANSWER
    return Shown.NOT_SENT if proof.send_again is SendAgain.AT_ONCE else Shown.ACCOUNT_REFUSED


class CampaignRows:
    """State, history, msg_id, parts, time and try of each row, in 17 bytes, by its position in the input.

    Args:
        rows: Rows of the input; each is REJECTED until it is expected.
        history: What is known beforehand of all txn_ids.
        try_number: The running try of the task.
    """

    def __init__(self, rows: int, *, history: TxnIdHistory, try_number: int = 0) -> None:
        self.try_number = min(try_number, _MAX_TRY)
        self._states = bytearray([RowState.REJECTED]) * rows
        self._histories = bytearray([history]) * rows
        self._tries = bytearray(rows)
        self._parts = array("H", bytes(2 * rows))
        self._accepted_at = array("I", bytes(4 * rows))
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

    def is_unused(self, position: int) -> bool:
        """Say whether a row waits for an attempt, and nothing of ours has used its txn_id."""
        return self.is_open(position) and self._histories[position] == TxnIdHistory.UNUSED

    def history(self, position: int) -> TxnIdHistory:
        """Return what has happened to the txn_id of a row: in its light a 108 is read."""
        return _HISTORIES[self._histories[position]]

    def raise_history(self, history: TxnIdHistory) -> None:
        """Let *history* be the least that is known of all txn_ids."""
        least = bytes([max(value, history) for value in range(len(_HISTORIES))]).ljust(256, b"\0")
        self._histories = self._histories.translate(least)

    def begin_attempt(self, position: int) -> RowState:
        """Let an attempt at an open row be under way, and return the state before it."""
        before = _STATES[self._states[position]]
        self._states[position] = RowState.NO_ANSWER
        self._tries[position] = self.try_number
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
        if left_behind:
            self._add_history(position, left_behind)

    def take_back_attempt(self, position: int) -> None:
        """Let a row be as if it had not been attempted: its txn_id is another message's."""
        self._states[position] = RowState.NOT_ATTEMPTED
        self._tries[position] = 0

    def doubt_attempt(self, position: int) -> None:
        """Let a row that is taken be one that may be accepted: by another try, which is at work, too."""
        self._states[position] = RowState.NO_ANSWER
        self._add_history(position, TxnIdHistory.MAYBE_ACCEPTED)

    @property
    def has_taken(self) -> bool:
        """Whether a 108 was left without an explanation."""
        return RowState.KEY_TAKEN in self._states

    def doubt_taken(self) -> None:
        """Let nobody be able to tell whose the txn_ids are whose 108 nothing has explained."""
        self._states = self._states.replace(bytes([RowState.KEY_TAKEN]), bytes([RowState.UNDECIDED]))

    def cap(self, position: int) -> bool:
        """Let an open row not be sent, because its phone was texted too often; say whether it was open.

        A row that an earlier try may have sent is not sent again either: then nobody can tell.
        """
        if not self.is_open(position):
            return False
        is_new = self._histories[position] == TxnIdHistory.UNUSED
        self._states[position] = RowState.CAPPED if is_new else RowState.LOST_OR_CAPPED
        return True

    def keep_acceptance(self, position: int, acceptance: Acceptance) -> None:
        """Keep that a row was accepted."""
        self._states[position] = RowState.ACCEPTED
        self._parts[position] = _fit(acceptance.parts, _MAX_PARTS)
        self._accepted_at[position] = _fit(acceptance.accepted_at, _MAX_SECONDS)
        self._tries[position] = _fit(acceptance.try_number, _MAX_TRY)
        packed = pack_msg_id(acceptance.msg_id)
        if packed is None:
            self._odd_msg_ids[position] = acceptance.msg_id
            self._msg_ids[position] = 0
        else:
            self._msg_ids[position] = packed

    def msg_id(self, position: int) -> str | None:
        """Return the msg_id of a row; None where there is none."""
        number = self._msg_ids[position]
        return str(number) if number else self._odd_msg_ids.get(position)

    def parts(self, position: int) -> int | None:
        """Return the billed parts of a row; None where they are unknown."""
        return self._parts[position] or None

    def accepted_at(self, position: int) -> int | None:
        """Return when a row was accepted, in seconds since the epoch; None where it is unknown."""
        return self._accepted_at[position] or None

    def tried_in(self, position: int) -> int | None:
        """Return the try of the last attempt at a row; None where it is unknown."""
        return self._tries[position] or None

    def reason(self, position: int) -> str | None:
        """Return why a row is not simply accepted; None for one that is."""
        state = _STATES[self._states[position]]
        if state is RowState.NO_ANSWER and self._histories[position] == TxnIdHistory.MAYBE_CONSUMED:
            return _NO_ANSWER_AFTER_REFUSAL
        return state.reason

    @property
    def total_parts(self) -> int:
        """The billed parts of all rows."""
        return sum(self._parts)

    @property
    def seconds(self) -> int:
        """Seconds from the first acceptance to the last."""
        last = max(self._accepted_at, default=0)
        return last - min(filter(None, self._accepted_at), default=last)

    def count(self) -> Counter[RowState]:
        """Count the rows by state."""
        counts = {state: self._states.count(state) for state in RowState}
        return Counter({state: count for state, count in counts.items() if count})

    def dump_states(self) -> bytes:
        """Return the state of each row, for `count_changes`."""
        return bytes(self._states)

    def count_changes(self, before: bytes) -> Counter[Outcome]:
        """Count the rows whose state is another than *before*, by outcome."""
        changed = Counter(now for was, now in zip(before, self._states, strict=True) if was != now)
        outcomes: Counter[Outcome] = Counter()
        for state, count in changed.items():
            outcomes[_STATES[state].outcome] += count
        return outcomes

    @property
    def may_have_sent(self) -> bool:
        """Whether a message of ours may have been accepted, in this try or, as far as it is known, before."""
        return any(state.may_be_accepted for state in self.count())

    @property
    def has_accepted(self) -> bool:
        """Whether a row was surely accepted, so that its txn_id, and those of the others, are ours."""
        return RowState.ACCEPTED in self._states

    @property
    def has_unsettled(self) -> bool:
        """Whether a later try attempts any row again; after a refusal of the account it does that, too."""
        return any(state in _ASKED_AGAIN for state in self.count())

    @property
    def open_rows(self) -> int:
        """How many rows wait for an attempt."""
        return sum(self._states.count(state) for state in range(_LAST_OPEN + 1))

    def encode(self, position: int) -> str | None:
        """Return the journal's code of a row; None where a later try need not know of it.

        ``"163938568/2/1764072000/1"`` is a msg_id with its billed parts, the second of its acceptance and the
        try, ``"lost"`` an ANSWER_LOST row, ``"undecided"`` and ``"taken"`` those that a person has to look
        at, ``"capped"`` a CAPPED row, ``"lost_or_capped"`` one that may be either, ``"refused"`` an open row
        whose txn_id may be consumed, ``"unanswered"`` one that may be accepted,
        ``"unanswered_after_refusal"`` one that may be either.
        """
        state = _STATES[self._states[position]]
        if state is RowState.ACCEPTED:
            return write_acceptance(
                self.msg_id(position) or "",
                self._parts[position],
                self._accepted_at[position],
                self._tries[position],
            )
        if state.is_open and self._histories[position] == TxnIdHistory.MAYBE_CONSUMED:
            return _BOTH_CODE if state is RowState.NO_ANSWER else _REFUSED_CODE
        return UNANSWERED_CODE if state is RowState.NO_ANSWER else _CODES.get(state)

    def decode(self, position: int, code: object) -> bool:
        """Put into a row what an earlier try has written as *code*; what is known better stays.

        Of two acceptances the first one stays: the journal is read before the results table, which may have
        been edited.

        Returns:
            Whether it is a code.
        """
        if not isinstance(code, str):
            return False
        if (doubt := _DOUBTS_BY_CODE.get(code)) is not None:
            self._keep_doubt(position, *doubt)
        elif (state := _STATES_BY_CODE.get(code)) is not None:
            self._settle(position, state)
        elif (acceptance := read_acceptance(code)) is None:
            return False
        elif not self.msg_id(position):
            self.keep_acceptance(position, acceptance)
        return True

    def load_result(self, position: int, result: ResultRow) -> None:
        """Put into a row what an earlier try has written to the results table."""
        state = _STATES_BY_REASON.get(result.reason)
        doubt = _DOUBTS_BY_REASON.get(result.reason)
        if state is RowState.ACCEPTED and result.msg_id and not self.msg_id(position):
            acceptance = read_result(result)
            if acceptance is None:  # its msg_id is damaged: the gateway is asked again
                doubt = _DOUBTS_BY_CODE[UNANSWERED_CODE]
            else:
                self.keep_acceptance(position, acceptance)
        elif state is not None and state is not RowState.ACCEPTED:
            self._settle(position, state)
        if doubt is not None:
            self._keep_doubt(position, *doubt)
        self._tries[position] = self._tries[position] or _fit(result.try_, _MAX_TRY)

    def _keep_doubt(self, position: int, state: RowState, history: TxnIdHistory) -> None:
        """Let an open row be at least in *state*, and its txn_id have at least *history*."""
        self._add_history(position, history)
        if self._states[position] <= _LAST_OPEN:
            self._states[position] = max(self._states[position], state)
        else:
            self._states[position] = self._doubt(position, _STATES[self._states[position]], doubt=state)

    def _settle(self, position: int, state: RowState) -> None:
        """Let a row be settled; of two tries the one that knows more is right.

        A 108 that one try has explained by a lost answer is not explained for one that knows of a refusal.
        """
        before = _STATES[self._states[position]]
        if state is RowState.ANSWER_LOST and before is RowState.UNDECIDED:
            state = RowState.UNDECIDED
        state = self._doubt(position, state, doubt=before)
        is_doubted = before is RowState.ANSWER_LOST and state is RowState.UNDECIDED
        if before.is_open or before > state or is_doubted:
            self._states[position] = state

    def _doubt(self, position: int, state: RowState, *, doubt: RowState) -> RowState:
        """Return what a settled *state* is in the light of the open state *doubt* of another try."""
        is_consumed = self._histories[position] == TxnIdHistory.MAYBE_CONSUMED
        if state in (RowState.ANSWER_LOST, RowState.CAPPED) and is_consumed:
            return RowState.UNDECIDED
        is_doubted = state is RowState.CAPPED and doubt is RowState.NO_ANSWER
        return RowState.LOST_OR_CAPPED if is_doubted else state

    def _add_history(self, position: int, history: TxnIdHistory) -> None:
        self._histories[position] = max(self._histories[position], history)


def _fit(number: int | None, most: int) -> int:
    """Return *number* as one that fits into a column of the rows."""
    number = number or 0
    return number if 0 <= number <= most else min(max(number, 0), most)
