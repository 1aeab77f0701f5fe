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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from time import sleep
from typing import Final, Protocol, Self

from airflow_provider_osonsms.campaign.acceptance import Acceptance, read_acceptance
from airflow_provider_osonsms.campaign.entries import find_rows
from airflow_provider_osonsms.campaign.rows import (
    TAKEN_CODE,
    UNANSWERED_CODE,
    UNDECIDED_CODE,
    CampaignRows,
    is_capped_code,
    is_code,
    is_settled_code,
)
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory

log = logging.getLogger(__name__)

SECONDS_BETWEEN_FLUSHES: Final = 1.0
ENTRIES_PER_FLUSH: Final = 900
"""With those that come until it begins, they fit into one value of the store."""
MAX_UNWRITTEN: Final = 2000
"""More results than the backends have taken in: workers wait, so that a killed task forgets no more."""
PAUSES_FOR_BACKENDS: Final = (0.2, 0.5, 1.0)
"""Seconds between attempts to write what must be written: a short campaign may end while a store is away."""


class JournalUnavailableError(OsonSmsError):
    """What a later try must know cannot be written for now, so nothing more is sent in this one."""


class JournalBackend(Protocol):
    """A place where entries outlive the process.

    Attributes:
        history: What it says of txn_ids that no entry names, as far as it was read.
        is_resumed: Whether an earlier try has begun to send, as far as it was read.
    """

    history: TxnIdHistory
    is_resumed: bool

    def read_marks(self) -> None:
        """Find `history` and `is_resumed`, and none of the entries."""
        ...

    def read(self) -> Iterator[tuple[str, object]]:
        """Yield txn_ids, or their first characters, and what stands under them; finds the marks again.

        Nothing is written before all of it was read.
        """
        ...

    def mark_started(self, history: TxnIdHistory, handful: Mapping[str, str]) -> None:
        """Write what may be on its way from now on; raises when it cannot be written.

        Args:
            history: Of txn_ids that no entry names.
            handful: Entries of the only rows that may go now, in place of those before; empty once all may.
        """
        ...

    def unmark_started(self, history: TxnIdHistory, *, may_have_sent: bool) -> None:
        """Write that only rows with an entry may have been sent, or none at all."""
        ...

    def append(self, entries: Mapping[str, str]) -> None:
        """Write *entries*; raises when they cannot be written, and may have written some of them."""
        ...

    def has_rival(self) -> bool:
        """Whether another try has begun, or gone further, since it was read; raises if it cannot be read."""
        ...


class CampaignJournal:
    """Reads what earlier tries of a campaign have written, and writes what this one finds out.

    Args:
        backends: Where to.
        history: What the user's own campaign_id, or a pause of this try, tells of earlier uses.
        try_history: What the number of the try tells of them, where nothing is written.

    Attributes:
        history: What is known beforehand of txn_ids that no entry names.
        tried: What of this is due to earlier tries of this task, and not to other tasks of the campaign.
        is_resumed: Whether an earlier try has begun to send.
        failed_writes: How often a backend did not take in what was to be written.
    """

    def __init__(
        self,
        backends: Sequence[JournalBackend],
        *,
        history: TxnIdHistory = TxnIdHistory.UNUSED,
        try_history: TxnIdHistory = TxnIdHistory.UNUSED,
    ) -> None:
        self._backends = tuple(backends)
        self._unwritten: dict[str, str] = {}
        self._kept: list[dict[str, str]] = [{} for _ in backends]
        self._history_of_others = history
        self._try_history = try_history
        self._is_fanned_out = False
        self.failed_writes = 0
        for backend in backends:
            backend.read_marks()
        self._learn_marks()

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
        """Put into *rows* what earlier tries have written, entry by entry.

        It comes before the results table: a try that was taken for dead may fold its part files into that at
        any moment, and whatever is not found here is found there.

        Args:
            rows: The rows of the campaign.
            txn_ids: Position and txn_id of those that are expected.

        Returns:
            The accepted rows that are not among them: they are in the audience no more.
        """
        vanished: dict[str, Acceptance | None] = {}
        strange = 0
        entries = chain.from_iterable(backend.read() for backend in self._backends)
        for key, position, code in find_rows(entries, txn_ids):
            if position is not None:
                strange += not rows.decode(position, code)
            elif not is_code(code):
                strange += 1
            elif is_settled_code(str(code)) and not is_capped_code(code):
                vanished[key] = vanished.get(key) or read_acceptance(code)
        if strange:
            log.warning("%d entries of the journal are not ours, and are ignored", strange)
        if vanished:
            log.warning("%d rows that were sent before are not in the audience any more", len(vanished))
        self._learn_marks()
        return [acceptance for acceptance in vanished.values() if acceptance is not None]

    def _learn_marks(self) -> None:
        """Settle what is known beforehand.

        What is written comes before the number of the try: a try may have ended before it sent anything.
        """
        written = [backend.history for backend in self._backends if backend.is_resumed]
        self.is_resumed = bool(written)
        self.history = max(written) if written else max(self._history_of_others, self._try_history)
        self.tried = max(written) if written else self._try_history

    def learn_of_table(self, *, may_have_sent: bool, has_accepted: bool) -> None:
        """Count in that earlier tries have written the results table.

        A try that did not end has left a part file. Where none is left, the table names each row that this
        task has attempted.

        Args:
            may_have_sent: Whether one of its rows was sent, or may have been.
            has_accepted: Whether one was surely accepted, so that the txn_ids are ours.
        """
        if not self.is_resumed:
            self.tried = TxnIdHistory.UNUSED
        if has_accepted:
            self.history = max(self.history, TxnIdHistory.MAYBE_ACCEPTED)
        elif not self.is_resumed:
            self.history = self._history_of_others
        self.is_resumed |= may_have_sent

    def mark_handful(self, txn_ids: Iterable[str]) -> None:
        """Write that the rows of *txn_ids*, and no others, may be on their way from now on.

        If this process dies now, a later try knows that nothing of ours has used the other txn_ids.

        Raises:
            Exception: It cannot be written; nothing was sent.
        """
        handful = dict.fromkeys(txn_ids, UNANSWERED_CODE)
        for backend in self._backends:
            backend.mark_started(self.history, handful)

    def mark_next(self, txn_ids: Iterable[str]) -> None:
        """Write all results so far, and then the same as `mark_handful`; what fails is tried a few times.

        Raises:
            JournalUnavailableError: It cannot be written; no row of *txn_ids* was sent.
        """
        self.write_all()
        if self.is_behind:
            raise JournalUnavailableError("the journal does not take in the results of the rows sent so far")
        handful = dict.fromkeys(txn_ids, UNANSWERED_CODE)
        for backend in self._backends:
            _mark_patiently(backend, self.history, handful)

    def mark_started(self) -> None:
        """Write that all rows may be on their way from now on, whatever happens to this process.

        A backend that fails is waited for, a few times. Without this mark a later try would take our own
        messages for somebody else's.

        Raises:
            Exception: It cannot be written; no row was sent that has no entry.
        """
        history = max(self.history, TxnIdHistory.MAYBE_ACCEPTED)
        for backend in self._backends:
            _mark_patiently(backend, history, {})
        self._is_fanned_out = True

    def finish(self, *, may_have_sent: bool) -> None:
        """Write what is left, and take back the marks of rows that were not sent after all.

        Args:
            may_have_sent: Whether a row may have been accepted, in this try or in one that is known.
        """
        self.write_all()
        self._warn_of_unwritten()
        if self.is_behind or (self._is_fanned_out and may_have_sent):
            return
        for backend in self._backends:
            with contextlib.suppress(Exception):  # what was marked stays marked: a doubt too many
                backend.unmark_started(self.history, may_have_sent=may_have_sent)

    def add(self, txn_id: str, code: str) -> None:
        """Let the next flush write the *code* of a row."""
        if self._backends:
            self._unwritten[txn_id] = code

    def drain(self) -> dict[str, str]:
        """Return the entries that no backend was given yet, to be flushed."""
        entries, self._unwritten = self._unwritten, {}
        return entries

    def has_rival(self) -> bool:
        """Whether another try is at work, which takes this one for dead, or which this one does.

        Then a 108 that nothing explains may be of a message of ours. What cannot be read counts as one.
        """
        try:
            return any(backend.has_rival() for backend in self._backends)
        except Exception as error:  # noqa: BLE001 - storages and stores have errors of their own
            log.warning("Whether another try is at work is not known (%s)", type(error).__name__)
            return True

    def flush(self, entries: Mapping[str, str]) -> None:
        """Write *entries*, and those that could not be written before; blocks for some 15 ms."""
        if TAKEN_CODE in entries.values() and self.has_rival():
            entries = {
                txn_id: UNDECIDED_CODE if code == TAKEN_CODE else code for txn_id, code in entries.items()
            }
        for backend, kept in zip(self._backends, self._kept, strict=True):
            was_behind = bool(kept)
            kept.update(entries)
            if not kept:
                continue
            try:
                backend.append(kept)
            except Exception as error:  # noqa: BLE001 - storages and stores have errors of their own
                self.failed_writes += 1
                if not was_behind:
                    text = "%s fails to write for now (%s): what it misses is written again"
                    log.warning(text, type(backend).__name__, type(error).__name__)
            else:
                kept.clear()

    def write_all(self) -> None:
        """Write what is left; a backend that fails is waited for, a few times."""
        self.flush(self.drain())
        for pause in PAUSES_FOR_BACKENDS:
            if not self.is_behind:
                break
            sleep(pause)
            self.flush({})

    def _warn_of_unwritten(self) -> None:
        for backend, kept in zip(self._backends, self._kept, strict=True):
            if kept:
                text = (
                    "%s does not hold the last %d results: a later try asks the gateway for these rows again"
                )
                log.warning(text, type(backend).__name__, len(kept))


def _mark_patiently(backend: JournalBackend, history: TxnIdHistory, handful: Mapping[str, str]) -> None:
    for pause in PAUSES_FOR_BACKENDS:
        try:
            return backend.mark_started(history, handful)
        except Exception:  # noqa: BLE001 - storages and stores have errors of their own
            sleep(pause)
    return backend.mark_started(history, handful)


class JournalFlusher:
    """Flushes the journal each second, or as soon as much has come, while its block lasts.

    Args:
        journal: Whose entries are written.
        reserve: How many entries may still come once it is not ready.
        before_flush: Adds the entries of what was found out by then.

    Attributes:
        is_ready: Not set while the backends are too far behind.
    """

    def __init__(self, journal: CampaignJournal, *, reserve: int, before_flush: Callable[[], None]) -> None:
        self.is_ready = asyncio.Event()
        self.is_ready.set()
        self._journal = journal
        self._max_unwritten = MAX_UNWRITTEN - reserve
        self._before_flush = before_flush
        self._is_due = asyncio.Event()
        self._lock = asyncio.Lock()
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
        is_ready = unwritten < self._max_unwritten
        if not is_ready:
            self.is_ready.clear()
        if not is_ready or unwritten >= ENTRIES_PER_FLUSH:
            self._is_due.set()

    async def mark_next(self, txn_ids: Iterable[str]) -> None:
        """Let the journal name the rows that go next; see `CampaignJournal.mark_next`.

        Results that are being flushed at this moment must not come after the mark, which takes the place of
        the one that names their rows.
        """
        async with self._lock:
            await asyncio.to_thread(self._journal.mark_next, txn_ids)

    async def _run(self) -> None:
        while not self._is_over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), SECONDS_BETWEEN_FLUSHES)
            async with self._lock:
                self._before_flush()
                self._is_due.clear()
                await asyncio.to_thread(self._journal.flush, self._journal.drain())
            self.is_ready.set()
