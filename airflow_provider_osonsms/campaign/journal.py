"""The journal of a campaign: what a later try must know of each row, written each second while it is sent.

It is kept in up to two places, its backends: the task's state store (`StoreChunks`), and part files beside
the results table (`ResultParts`). Either may fail or be emptied; a later try reads both and believes the one
that knows more. An entry is a txn_id and a code of `CampaignRows.encode`.

Reference:
    docs/design.md "The journal".
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import sleep
from typing import Final, Protocol, Self

from airflow_provider_osonsms.campaign.acceptance import Acceptance, read_acceptance
from airflow_provider_osonsms.campaign.rows import CampaignRows, is_code, is_settled_code, join_codes
from airflow_provider_osonsms.protocol.history import TxnIdHistory

log = logging.getLogger(__name__)

SECONDS_BETWEEN_FLUSHES: Final = 1.0
ENTRIES_PER_FLUSH: Final = 1000
MAX_UNWRITTEN: Final = 2000
"""More results than the backends have taken in: workers wait, so that a killed task forgets no more."""
PAUSES_AT_CLOSE: Final = (0.2, 0.5, 1.0)
"""Seconds between attempts to write what is left: a short campaign may end while a store is away."""
PREFIX: Final = 16
"""Characters of a txn_id that name a row: with 64 bits two rows of a million share them once in 30
million."""


class JournalBackend(Protocol):
    """A place where entries outlive the process.

    Attributes:
        history: What it says of txn_ids that no entry names; complete when it was read.
        is_resumed: Whether an earlier try has begun to send; complete when it was read.
    """

    history: TxnIdHistory
    is_resumed: bool

    def read(self) -> Iterator[tuple[str, object]]:
        """Yield txn_ids, or their first characters, and what stands under them."""
        ...

    def mark_started(self, history: TxnIdHistory) -> None:
        """Write that rows may be on their way from now on; raises when it cannot be written."""
        ...

    def unmark_started(self, history: TxnIdHistory) -> None:
        """Write that this try, and what it knows of those before it, has sent nothing."""
        ...

    def append(self, entries: Mapping[str, str]) -> None:
        """Write *entries*; raises when they cannot be written, and may have written some of them."""
        ...


class CampaignJournal:
    """Reads what earlier tries of a campaign have written, and writes what this one finds out.

    Args:
        backends: Where to.
        history: What the try number and the user's own campaign_id tell of earlier tries.

    Attributes:
        history: What is known beforehand of txn_ids that no entry names.
        is_resumed: Whether an earlier try has begun to send.
    """

    def __init__(self, backends: Sequence[JournalBackend], *, history: TxnIdHistory) -> None:
        self._backends = tuple(backends)
        self._unwritten: dict[str, str] = {}
        self._kept: list[dict[str, str]] = [{} for _ in backends]
        self._known: dict[str, str] = {}
        strange = 0
        for backend in backends:
            for txn_id, code in backend.read():
                if is_code(code):
                    self._learn(txn_id[:PREFIX], str(code))
                else:
                    strange += 1
        if strange:
            log.warning("%d entries of the journal are not ours, and are ignored", strange)
        # Before the number of the try: a try may have ended before it sent anything.
        written = [backend.history for backend in backends if backend.is_resumed]
        self.is_resumed = bool(written)
        self.history = max(written) if written else history

    @property
    def remembers(self) -> bool:
        """Whether anything is kept from try to try."""
        return bool(self._backends)

    @property
    def unwritten(self) -> int:
        """How many entries no backend was given yet."""
        return len(self._unwritten)

    @property
    def is_behind(self) -> bool:
        """Whether a backend has failed to take in some entries; they are written again with the next ones."""
        return any(self._kept)

    def load_rows(self, rows: CampaignRows, txn_ids: Iterable[tuple[int, str]]) -> list[Acceptance]:
        """Put into *rows* what earlier tries have written, and forget it here.

        Args:
            rows: The rows of the campaign.
            txn_ids: Position and txn_id of those that are expected.

        Returns:
            The accepted rows that are not among them: they are in the audience no more.
        """
        if not self._known:
            return []
        for position, txn_id in txn_ids:
            code = self._known.pop(txn_id[:PREFIX], None)
            if code is not None:
                rows.decode(position, code)
        vanished = sum(map(is_settled_code, self._known.values()))
        if vanished:
            log.warning("%d rows that were sent before are not in the audience any more", vanished)
        accepted = [read_acceptance(code) for code in self._known.values()]
        self._known = {}
        return [acceptance for acceptance in accepted if acceptance is not None]

    def learn_of_earlier_try(self) -> None:
        """Count in that the results table knows of an earlier try that has sent."""
        self.is_resumed = True
        self.history = max(self.history, TxnIdHistory.MAYBE_ACCEPTED)

    def mark_started(self) -> None:
        """Write that rows may be on their way from now on, whatever happens to this process.

        Raises:
            Exception: It cannot be written; nothing was sent.
        """
        for backend in self._backends:
            backend.mark_started(max(self.history, TxnIdHistory.MAYBE_ACCEPTED))

    def unmark_started(self) -> None:
        """Write that nothing was sent, as the entries say too; only once all of them are written."""
        self.flush(self.drain())
        if self.is_behind:
            return
        for backend in self._backends:
            with contextlib.suppress(Exception):  # what was marked stays marked: a doubt too many
                backend.unmark_started(self.history)

    def add(self, txn_id: str, code: str) -> None:
        """Let the next flush write the *code* of a row."""
        if self._backends:
            self._unwritten[txn_id] = code

    def drain(self) -> dict[str, str]:
        """Return the entries that no backend was given yet, to be flushed."""
        entries, self._unwritten = self._unwritten, {}
        return entries

    def flush(self, entries: Mapping[str, str]) -> None:
        """Write *entries*, and those that could not be written before; blocks for some 15 ms."""
        for backend, kept in zip(self._backends, self._kept, strict=True):
            was_behind = bool(kept)
            kept.update(entries)
            if not kept:
                continue
            try:
                backend.append(kept)
            except Exception as error:  # noqa: BLE001 - storages and stores have errors of their own
                if not was_behind:
                    text = "%s fails to write for now (%s): what it misses is written again"
                    log.warning(text, type(backend).__name__, type(error).__name__)
            else:
                kept.clear()

    def close(self) -> None:
        """Write what is left; a backend that fails is waited for, a few times."""
        self.flush(self.drain())
        for pause in PAUSES_AT_CLOSE:
            if not self.is_behind:
                break
            sleep(pause)
            self.flush({})
        for backend, kept in zip(self._backends, self._kept, strict=True):
            if kept:
                text = (
                    "%s does not hold the last %d results: a later try asks the gateway for these rows again"
                )
                log.warning(text, type(backend).__name__, len(kept))

    def _learn(self, key: str, code: str) -> None:
        before = self._known.get(key)
        self._known[key] = code if before is None else join_codes(before, code)


class JournalFlusher:
    """Flushes the journal each second, or as soon as much has come, while its block lasts.

    Args:
        journal: Whose entries are written.
        reserve: How many entries may still come once it is not ready.

    Attributes:
        is_ready: Not set while the backends are too far behind.
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
        if unwritten >= ENTRIES_PER_FLUSH:
            self._is_due.set()
        if unwritten >= self._max_unwritten:
            self.is_ready.clear()

    async def _run(self) -> None:
        while not self._is_over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), SECONDS_BETWEEN_FLUSHES)
            self._is_due.clear()
            await asyncio.to_thread(self._journal.flush, self._journal.drain())
            self.is_ready.set()
