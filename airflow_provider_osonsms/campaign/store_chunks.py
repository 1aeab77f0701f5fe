"""The journal in the task's state store (Airflow 3.3 and newer): a chunk of entries each second.

Each try writes under store keys of its own, so that one that was taken for dead and is not overwrites
nothing:

* ``{store key}_{try}`` holds ``{"past": ..., "chunks": ..., "sent": ..., "handful": {...}}``: the
  `TxnIdHistory` of rows that no entry names, how many chunks there are, whether anything may have been sent,
  and the entries of the rows that go alone at first.
* ``{store key}_{try}_0``, ``_1`` ... each hold ``{first 16 hex of txn_id: code}``.
* ``osonsms_campaigns`` lists the store keys under which this task has begun to send.
"""

import logging
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

from airflow_provider_osonsms.campaign.entries import PREFIX
from airflow_provider_osonsms.campaign.rows import is_code, is_settled_code, may_have_texted
from airflow_provider_osonsms.exactly_once.store import (
    StateStore,
    note_used_key,
    read_history,
    refuse_other_keys,
)
from airflow_provider_osonsms.protocol.history import TxnIdHistory

log = logging.getLogger(__name__)

MAX_CHUNK_BYTES: Final = 48_000
"""A value of the store holds 64 KB at most."""
_ENTRY_OVERHEAD: Final = 8
_HOLE: Final = 3
"""So many missing chunks in a row are bridged: a hole hides nothing that follows it."""
_MAX_EXPECTED: Final = 20_000
"""More chunks than this are read as long as they follow each other; a number in the store may be anything."""
_CAMPAIGNS: Final = "osonsms_campaigns"
_LATER_TRIES: Final = 10
"""So many tries may have begun after this one, which they take for dead, until it asks for them."""


class StoreChunks:
    """Reads the chunks of all tries, and writes those of this one.

    Args:
        store: Where to.
        store_key: Names the campaign and everything that its txn_ids are made of.
        try_number: Of the running try.
    """

    def __init__(self, store: StateStore, *, store_key: str, try_number: int) -> None:
        self.history = TxnIdHistory.UNUSED
        self.is_resumed = False
        self._store = store
        self._store_key = store_key
        self._try_number = try_number
        self._chunks = 0
        self._marks: dict[int, Any] = {}

    def read_marks(self) -> None:
        """Find what may be on its way; see `JournalBackend`."""
        for try_number in range(1, self._try_number + 1):
            self._read_meta(self._store_key, try_number)

    def read(self) -> Iterator[tuple[str, object]]:
        """Yield the first characters of txn_ids and what stands under them, of all tries."""
        for try_number in range(1, self._try_number + 1):
            self._chunks = yield from self._read_try(self._store_key, try_number)  # the last are our own

    def has_rival(self) -> bool:
        """Whether another try has marked anything since its marks were read; see `JournalBackend`."""
        last = self._try_number + _LATER_TRIES
        others = (number for number in range(1, last + 1) if number != self._try_number)
        return any(
            self._store.get(f"{self._store_key}_{number}") != self._marks.get(number) for number in others
        )

    def refuse_other_keys(self) -> None:
        """Return when nobody was texted by this task under other txn_ids.

        Raises:
            KeysChangedError: Somebody was, so this audience would be texted a second time.
        """
        refuse_other_keys(self._store, _CAMPAIGNS, self._store_key, find_sent=self._find_sent)

    @property
    def has_begun(self) -> bool:
        """Whether anything became of a row under this store key, or may have."""
        tries = range(1, self._try_number + 1)
        return any(self._may_have_sent(self._store_key, number) for number in tries) or any(self.read())

    def mark_started(self, history: TxnIdHistory, handful: Mapping[str, str]) -> None:
        """Write what may be on its way; see `JournalBackend`."""
        note_used_key(self._store, _CAMPAIGNS, self._store_key)
        self._write_meta(history, may_have_sent=True, handful=handful)

    def unmark_started(self, history: TxnIdHistory, *, may_have_sent: bool) -> None:
        """Write what was not sent after all; see `JournalBackend`."""
        self._write_meta(history, may_have_sent=may_have_sent, handful={})

    def append(self, entries: Mapping[str, str]) -> None:
        """Write *entries*; see `JournalBackend`.

        The number of a chunk that could not be written is used again: there are no holes.
        """
        chunk: dict[str, str] = {}
        size = 0
        for txn_id, code in entries.items():
            key = txn_id[:PREFIX]
            size += len(key) + len(code) + _ENTRY_OVERHEAD
            if size > MAX_CHUNK_BYTES:
                self._write_chunk(chunk)
                chunk, size = {}, len(key) + len(code) + _ENTRY_OVERHEAD
            chunk[key] = code
        if chunk:
            self._write_chunk(chunk)

    def _write_chunk(self, chunk: dict[str, str]) -> None:
        self._store.set(f"{self._store_key}_{self._try_number}_{self._chunks}", chunk)
        self._chunks += 1

    def _write_meta(self, history: TxnIdHistory, *, may_have_sent: bool, handful: Mapping[str, str]) -> None:
        meta = {
            "past": int(history),
            "chunks": self._chunks,
            "sent": may_have_sent,
            "handful": {txn_id[:PREFIX]: code for txn_id, code in handful.items()},
        }
        self._store.set(f"{self._store_key}_{self._try_number}", meta)

    def _find_sent(self, store_key: str) -> str | None:
        """Return in words what all tries have sent under *store_key*, or may have; None for nothing."""
        tries = range(1, self._try_number + 1)
        texted = {
            txn_id
            for try_number in tries
            for txn_id, code in self._read_try(store_key, try_number)
            if may_have_texted(code)
        }
        # A try that was killed in its first second has left no chunk.
        if not texted and not any(self._may_have_sent(store_key, try_number) for try_number in tries):
            return None
        what = f"sent {len(texted)} messages" if texted else "begun to send"
        return (
            f"{what} in this run, or may have, under another key_namespace, campaign_id, channel, category "
            f"or once_per"
        )

    def _may_have_sent(self, store_key: str, try_number: int) -> bool:
        meta = self._store.get(f"{store_key}_{try_number}")
        return meta is not None and (not isinstance(meta, dict) or meta.get("sent") is not False)

    def _read_meta(self, store_key: str, try_number: int) -> dict[str, Any] | None:
        """Return what one try has marked, and learn from it; None where it has marked nothing."""
        meta = self._store.get(f"{store_key}_{try_number}")
        if meta is None:
            return None
        stored = meta if isinstance(meta, dict) else {}
        if store_key == self._store_key:
            self._marks[try_number] = meta
            self.is_resumed = True
            self.history = max(self.history, read_history(stored.get("past")))
        return stored

    def _read_try(self, store_key: str, try_number: int) -> Generator[tuple[str, object], None, int]:
        """Yield the entries of one try; return how many chunks it has."""
        stored = self._read_meta(store_key, try_number)
        if stored is None:
            return 0
        marked = stored.get("handful")
        handful = dict(marked) if isinstance(marked, dict) else {}
        expected = stored.get("chunks")
        number = chunks = 0
        least = expected if isinstance(expected, int) and expected <= _MAX_EXPECTED else 0
        while number <= max(least - 1, chunks + _HOLE):
            chunk = self._store.get(f"{store_key}_{try_number}_{number}")
            number += 1
            if chunk is None:
                continue
            chunks = number
            if isinstance(chunk, dict):
                drop_settled(handful, chunk)
                yield from chunk.items()
            else:
                yield "", chunk
        yield from handful.items()
        return chunks


def drop_settled(marked: dict[str, object], results: Mapping[str, object]) -> None:
    """Take those rows out of *marked* that the same try has settled: of these only the result counts.

    A row that another try has marked stays in doubt, whatever this one has found.
    """
    for key in marked.keys() & results.keys():
        if is_code(results[key]) and is_settled_code(str(results[key])):
            del marked[key]
