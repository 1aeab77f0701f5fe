"""The journal of a campaign: which rows earlier tries have settled, a chunk of them each second.

``{key}_meta`` holds ``{"past": ...}``, what a 409 means for rows that no chunk knows, and the seconds that
the tries have taken together. ``{key}_0``, ``{key}_1`` ... each hold ``{first 12 hex of txn_id: entry}``:
``"163938568/2"`` for a msg_id and its billed parts, ``"lost"``, ``"undecided"`` and ``"refused"`` (for now).

Reference:
    design §2 "Journal".
"""

import asyncio
import contextlib
import logging
from typing import Any, Final, Self

from airflow_provider_osonsms.campaign.rows import CampaignRows, RowState
from airflow_provider_osonsms.exactly_once.store import NullStateStore, StateStore, save_result
from airflow_provider_osonsms.protocol.history import TxnIdHistory

log = logging.getLogger(__name__)

SECONDS_BETWEEN_CHUNKS: Final = 1.0
MAX_ENTRIES_PER_CHUNK: Final = 1000
MAX_UNWRITTEN: Final = 2000
"""More results than the journal has taken in: workers wait, so that a killed task forgets no more."""
_PREFIX: Final = 12
_LOST, _UNDECIDED, _REFUSED_FOR_NOW = "lost", "undecided", "refused"
_ENTRIES: Final = {
    RowState.ANSWER_LOST: _LOST,
    RowState.UNDECIDED: _UNDECIDED,
    RowState.REFUSED_FOR_NOW: _REFUSED_FOR_NOW,
}


class CampaignJournal:
    """Reads what earlier tries of a campaign have noted, and notes what this one finds out.

    Args:
        journal: Where to.
        key: Names the campaign and everything that its txn_ids are made of.
        past: What the try number and the user's own key tell of earlier tries.
    """

    def __init__(self, store: StateStore, *, key: str, history: TxnIdHistory) -> None:
        self._store = store
        self._key = key
        meta = store.get(f"{key}_meta")
        self.is_resumed = isinstance(meta, dict)
        self.meta: dict[str, Any] = meta if isinstance(meta, dict) else {}
        noted = self.meta.get("past")
        self.history = (
            TxnIdHistory(noted)
            if noted in tuple(TxnIdHistory)
            else max(history, TxnIdHistory(int(self.is_resumed)))
        )
        self._known: dict[str, str] = {}
        self._chunks = 0
        while isinstance(chunk := store.get(f"{key}_{self._chunks}"), dict):
            self._known |= chunk
            self._chunks += 1
        self._waiting: dict[str, str] = {}
        self._is_silent = isinstance(store, NullStateStore)

    @property
    def remembers(self) -> bool:
        """Whether this Airflow keeps anything from try to try."""
        return not self._is_silent

    @property
    def waiting(self) -> int:
        """How many entries are not written yet."""
        return len(self._waiting)

    def load_row(self, results: CampaignRows, position: int, txn_id: str) -> None:
        """Put into *results* what an earlier try has noted of a row."""
        entry = self._known.pop(txn_id[:_PREFIX], None)
        if entry is None:
            return
        if entry == _LOST:
            results.note(position, RowState.ANSWER_LOST)
        elif entry == _UNDECIDED:
            results.note(position, RowState.UNDECIDED)
        elif entry == _REFUSED_FOR_NOW:
            results.note(position, RowState.NOT_ATTEMPTED, history=TxnIdHistory.MAYBE_CONSUMED)
        else:
            msg_id, _, parts = entry.partition("/")
            results.note_accepted(position, msg_id=msg_id, parts=int(parts or 0))

    def discard_unknown(self) -> int:
        """Return how many settled rows are not in the audience any more, and let go of them."""
        vanished = sum(entry != _REFUSED_FOR_NOW for entry in self._known.values())
        self._known = {}
        return vanished

    def begin(self) -> None:
        """Note that rows may be on their way from now on, whatever happens to this process."""
        self._write_meta(history=max(self.history, TxnIdHistory.MAYBE_ACCEPTED))

    def unmark_started(self) -> None:
        """Note that what this try has not noted was not sent by it."""
        self._write_meta(history=self.history)

    def add_accepted(self, txn_id: str, *, msg_id: str, parts: int) -> None:
        """Let the next chunk hold an accepted row."""
        if not self._is_silent:
            self._waiting[txn_id[:_PREFIX]] = f"{msg_id}/{parts}"

    def add(self, txn_id: str, state: RowState) -> None:
        """Let the next chunk hold a row in *state*, where that is worth remembering."""
        if not self._is_silent and state in _ENTRIES:
            self._waiting[txn_id[:_PREFIX]] = _ENTRIES[state]

    def take(self) -> dict[str, str]:
        """Return the entries that wait, to be written."""
        chunk, self._waiting = self._waiting, {}
        return chunk

    def write(self, chunk: dict[str, str]) -> None:
        """Write entries in values far below the 64 KB that a store takes; blocks for some 15 ms each."""
        entries = list(chunk.items())
        for start in range(0, len(entries), MAX_ENTRIES_PER_CHUNK):
            part = dict(entries[start : start + MAX_ENTRIES_PER_CHUNK])
            save_result(self._store, f"{self._key}_{self._chunks}", part)
            self._chunks += 1

    def end(self, **facts: Any) -> None:
        """Write what is left, and what the tries have taken together."""
        self.write(self.take())
        self.meta |= facts
        save_result(self._store, f"{self._key}_meta", self.meta)

    def _write_meta(self, *, history: TxnIdHistory) -> None:
        self.meta["past"] = int(history)
        self._store.set(f"{self._key}_meta", self.meta)


class JournalFlusher:
    """Writes a chunk each second, or as soon as it is large, while its block lasts.

    Args:
        notebook: Whose entries are written.
        reserve: How many entries may still come once there is no room.

    Attributes:
        has_room: Not set while the journal is too far behind.
    """

    def __init__(self, journal: CampaignJournal, *, reserve: int) -> None:
        self.has_room = asyncio.Event()
        self.has_room.set()
        self._journal = journal
        self._most = MAX_UNWRITTEN - reserve
        self._is_due = asyncio.Event()
        self._is_over = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        self._is_due.set()
        await self._task

    def look(self) -> None:
        """See whether a chunk is due; called after each entry."""
        waiting = self._journal.waiting
        if waiting >= MAX_ENTRIES_PER_CHUNK:
            self._is_due.set()
        if waiting >= self._most:
            self.has_room.clear()

    async def _run(self) -> None:
        while not self._is_over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), SECONDS_BETWEEN_CHUNKS)
            self._is_due.clear()
            await asyncio.to_thread(self._journal.write, self._journal.take())
            self.has_room.set()
