"""What became of every row of a campaign, in a dozen bytes a row."""

from array import array
from collections import Counter
from enum import IntEnum
from typing import Final

from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Outcome


class RowState(IntEnum):
    """What is known of a row; each has an `Outcome` and a reason in words."""

    NOT_ATTEMPTED = 0
    NOT_REACHED = 1
    REFUSED_FOR_NOW = 2
    NO_ANSWER = 3
    ACCEPTED = 4
    ANSWER_LOST = 5
    UNDECIDED = 6
    ACCOUNT_REFUSED = 7
    UNSENDABLE = 8
    REJECTED = 9

    @property
    def outcome(self) -> Outcome:
        """What the row counts as (design §2)."""
        return _OUTCOMES[self]

    @property
    def reason(self) -> str:
        """Why it is not simply accepted; empty for a row that is."""
        return "" if self is RowState.ACCEPTED else self.name.lower()

    @property
    def is_open(self) -> bool:
        """Whether another attempt under the same key may settle it."""
        return self <= RowState.NO_ANSWER


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
_STATES: Final = tuple(RowState)
_HISTORIES: Final = tuple(TxnIdHistory)
_MAX_NUMBER: Final = 2**63 - 1


class CampaignRows:
    """States, doubts, msg_ids and billed parts, by the position of the row in the input.

    Args:
        rows: Rows of the input.
        past: What is known beforehand of earlier uses of the keys.
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
        return self._states[position] <= RowState.NO_ANSWER

    def history(self, position: int) -> TxnIdHistory:
        """Return what a 409 would mean for a row."""
        return _HISTORIES[self._histories[position]]

    def note(self, position: int, state: RowState, *, history: TxnIdHistory = TxnIdHistory.UNUSED) -> None:
        """Keep what an attempt has shown; *past* is what it leaves open about the key."""
        self._states[position] = state
        self._histories[position] = max(self._histories[position], history)

    def note_accepted(self, position: int, *, msg_id: str, parts: int) -> None:
        """Keep that a row was accepted, under which msg_id and at how many parts."""
        self._states[position] = RowState.ACCEPTED
        self._parts[position] = min(parts, 0xFFFF)
        if msg_id.isascii() and msg_id.isdigit() and msg_id[0] != "0" and int(msg_id) <= _MAX_NUMBER:
            self._msg_ids[position] = int(msg_id)
        else:
            self._odd_msg_ids[position] = msg_id

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
