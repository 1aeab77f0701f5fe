"""The journal of a campaign: what a later try must know of each row, a chunk of it each second.

``{store key}_meta`` holds ``{"past": ...}``, the `TxnIdHistory` of rows that no chunk names, and the seconds
that the tries have taken together. ``{store key}_0``, ``{store key}_1`` ... each hold ``{first 12 hex of
txn_id: code}``, with the codes of `CampaignRows.encode`.

Reference:
    docs/design.md "The journal".
"""

import asyncio
import contextlib
import logging
from typing import Any, Final, Self

from airflow_provider_osonsms.campaign.rows import CampaignRows, is_settled_code
from airflow_provider_osonsms.exactly_once.store import NullStateStore, StateStore, save_result
from airflow_provider_osonsms.protocol.history import TxnIdHistory

log = logging.getLogger(__name__)

SECONDS_BETWEEN_CHUNKS: Final = 1.0
MAX_ENTRIES_PER_CHUNK: Final = 1000
"""A value of the store holds 64 KB at most; this many entries take less than 40."""
MAX_UNWRITTEN: Final = 2000
"""More results than the store has taken in: workers wait, so that a killed task forgets no more."""
_PREFIX: Final = 12


class CampaignJournal:
    """Reads what earlier tries of a campaign have stored, and stores what this one finds out.

    Args:
        store: Where to.
        store_key: Names the campaign and everything that its txn_ids are made of.
        history: What the try number and the user's own campaign_id tell of earlier tries.

    Attributes:
        history: What is known beforehand of txn_ids that no chunk names.
        is_resumed: Whether an earlier try has begun to send.
        meta: What is stored about the campaign as a whole.
    """

    def __init__(self, store: StateStore, *, store_key: str, history: TxnIdHistory) -> None:
        self._store = store
        self._store_key = store_key
        meta = store.get(f"{store_key}_meta")
        self.is_resumed = isinstance(meta, dict)
        self.meta: dict[str, Any] = meta if isinstance(meta, dict) else {}
        stored = self.meta.get("past")
        if stored in tuple(TxnIdHistory):
            self.history = TxnIdHistory(stored)
        else:
            self.history = max(history, TxnIdHistory.MAYBE_ACCEPTED) if self.is_resumed else history
        self._known: dict[str, str] = {}
        self._chunks = 0
        while isinstance(chunk := store.get(f"{store_key}_{self._chunks}"), dict):
            self._known |= chunk
            self._chunks += 1
        self._unwritten: dict[str, str] = {}
        self._is_silent = isinstance(store, NullStateStore)

    @property
    def remembers(self) -> bool:
        """Whether this Airflow keeps anything from try to try."""
        return not self._is_silent

    @property
    def unwritten(self) -> int:
        """How many entries are not written yet."""
        return len(self._unwritten)

    def load_row(self, rows: CampaignRows, position: int, txn_id: str) -> None:
        """Put into *rows* what an earlier try has stored of a row."""
        code = self._known.pop(txn_id[:_PREFIX], None)
        if code is not None:
            rows.decode(position, code)

    def discard_unknown(self) -> int:
        """Return how many settled rows are not in the audience any more, and let go of them."""
        vanished = sum(map(is_settled_code, self._known.values()))
        self._known = {}
        return vanished

    def mark_started(self) -> None:
        """Store that rows may be on their way from now on, whatever happens to this process."""
        self._write_meta(max(self.history, TxnIdHistory.MAYBE_ACCEPTED))

    def unmark_started(self) -> None:
        """Store that what this try has not stored was not sent by it."""
        self._write_meta(self.history)

    def add(self, txn_id: str, code: str) -> None:
        """Let the next chunk hold the *code* of a row."""
        if not self._is_silent:
            self._unwritten[txn_id[:_PREFIX]] = code

    def drain(self) -> dict[str, str]:
        """Return the entries that are not written yet, to be flushed."""
        chunk, self._unwritten = self._unwritten, {}
        return chunk

    def flush(self, chunk: dict[str, str]) -> None:
        """Write entries in values far below the 64 KB that a store takes; blocks for some 15 ms each."""
        entries = list(chunk.items())
        for start in range(0, len(entries), MAX_ENTRIES_PER_CHUNK):
            part = dict(entries[start : start + MAX_ENTRIES_PER_CHUNK])
            save_result(self._store, f"{self._store_key}_{self._chunks}", part)
            self._chunks += 1

    def close(self, *, seconds: float) -> None:
        """Write what is left, and the *seconds* that the tries have taken together."""
        self.flush(self.drain())
        self.meta["seconds"] = seconds
        save_result(self._store, f"{self._store_key}_meta", self.meta)

    def _write_meta(self, history: TxnIdHistory) -> None:
        self.meta["past"] = int(history)
        self._store.set(f"{self._store_key}_meta", self.meta)


class JournalFlusher:
    """Writes a chunk each second, or as soon as it is large, while its block lasts.

    Args:
        journal: Whose entries are written.
        reserve: How many entries may still come once it is not ready.

    Attributes:
        is_ready: Not set while the store is too far behind.
    """

    def __init__(self, journal: CampaignJournal, *, reserve: int) -> None:
        self.is_ready = asyncio.Event()
        self.is_ready.set()
        self._journal = journal
        self._max_unwritten = MAX_UNWRITTEN - reserve
        self._is_due = asyncio.Event()
        self._is_over = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        self._is_due.set()
        await self._task

    def add(self, txn_id: str, code: str) -> None:
        """Let the journal hold the *code* of a row, soon."""
        self._journal.add(txn_id, code)
        unwritten = self._journal.unwritten
        if unwritten >= MAX_ENTRIES_PER_CHUNK:
            self._is_due.set()
        if unwritten >= self._max_unwritten:
            self.is_ready.clear()

    async def _run(self) -> None:
        while not self._is_over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), SECONDS_BETWEEN_CHUNKS)
            self._is_due.clear()
            await asyncio.to_thread(self._journal.flush, self._journal.drain())
            self.is_ready.set()
