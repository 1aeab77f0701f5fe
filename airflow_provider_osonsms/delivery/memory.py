"""Where a wait keeps what it knows, from poke to poke and from try to try.

It holds no phone and no msg_id: a few bytes for each message, in the order of the msg_ids, which the next
process reads again. Without it, nothing is lost but time: the next process asks for each message again.
"""

import asyncio
import base64
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.delivery.criteria import DeliveryCriteria
from airflow_provider_osonsms.delivery.inputs import LoadedMessages
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.exactly_once.store import StateStore
from airflow_provider_osonsms.tables.paths import replace_file

log = logging.getLogger(__name__)

_STORE_KEY: Final = "osonsms_wait_statuses"
_SECONDS_BETWEEN_SAVES: Final = 60.0
_MAX_VALUE: Final = 48_000
"""Characters of a value: a task state store may refuse longer ones than 64 KB."""


class WaitMemory:
    """Keeps nothing; the classes below keep it. A failure never ends a wait: it is logged.

    Attributes:
        has_place: Whether there is a place for anything.
    """

    has_place = False
    _has_failed = False

    @property
    def keeps(self) -> bool:
        """Whether the next process will know anything: not where a writing has failed."""
        return self.has_place and not self._has_failed

    def load(self) -> bytes | None:
        """Return what was saved; None for nothing."""
        try:
            return self._read()
        except Exception as error:  # noqa: BLE001 - stores and storages have errors of their own
            log.warning("What is known of the messages cannot be read (%s)", type(error).__name__)
            return None

    def save(self, dumped: bytes) -> None:
        """Keep *dumped* in place of what was saved before."""
        try:
            self._write(dumped)
        except Exception as error:  # noqa: BLE001
            self._has_failed = True
            log.warning("What is known of the messages cannot be kept (%s)", type(error).__name__)

    def clear(self) -> None:
        """Forget it: the wait is over."""
        try:
            self._remove()
        except Exception as error:  # noqa: BLE001
            log.warning("What was known of the messages cannot be removed (%s)", type(error).__name__)

    def _read(self) -> bytes | None:
        return None

    def _write(self, dumped: bytes) -> None:
        pass

    def _remove(self) -> None:
        pass


def start_tracker(
    loaded: LoadedMessages,
    memory: WaitMemory,
    *,
    wait_id: str,
    try_number: int,
    began: float,
    opened: float,
    criteria: DeliveryCriteria,
    concurrency: int,
) -> DeliveryTracker:
    """Return a tracker of *loaded* that knows what earlier pokes and tries have kept in *memory*."""
    tracker = DeliveryTracker(
        loaded.msg_ids,
        untracked=loaded.untracked,
        criteria=criteria,
        concurrency=concurrency,
        began=began,
        accepted=loaded.accepted,
        opened=opened,
    )
    tracker.restore(memory.load(), wait_id, try_number=try_number)
    return tracker


async def poll_and_keep(
    tracker: DeliveryTracker,
    client: AsyncOsonSmsClient,
    memory: WaitMemory,
    *,
    wait_id: str,
    try_number: int,
    **options: Any,
) -> None:
    """Run a round of *tracker*, and keep what is known each minute and at its end: a round may take hours.

    Args:
        tracker: Has the messages.
        client: Sends the queries.
        memory: Keeps it.
        wait_id: See `DeliveryTracker.dump`.
        try_number: See `DeliveryTracker.dump`.
        options: See `DeliveryTracker.poll`.

    Raises:
        FinalRefusalError: See `DeliveryTracker.poll`.
    """
    if not memory.has_place:
        await tracker.poll(client, **options)
        return

    over = asyncio.Event()

    async def keep() -> None:
        is_over = False
        while not is_over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _SECONDS_BETWEEN_SAVES)
            is_over = over.is_set()
            await asyncio.to_thread(lambda: memory.save(tracker.dump(wait_id, try_number=try_number)))

    keeping = asyncio.create_task(keep())
    try:
        await tracker.poll(client, **options)
    finally:
        over.set()
        await keeping  # not cancelled: a save under way would go on in its thread, and replace the last one


class StoreMemory(WaitMemory):
    """Keeps it in the task's state store, in as many values as it needs."""

    has_place = True

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def _read(self) -> bytes | None:
        count = self._store.get(_STORE_KEY)
        if not isinstance(count, int):
            return None
        texts = [self._store.get(f"{_STORE_KEY}_{place}") for place in range(count)]
        return base64.b64decode("".join(map(str, texts)))

    def _write(self, dumped: bytes) -> None:
        text = base64.b64encode(dumped).decode()
        pieces = [text[place : place + _MAX_VALUE] for place in range(0, len(text), _MAX_VALUE)]
        for place, piece in enumerate(pieces):
            self._store.set(f"{_STORE_KEY}_{place}", piece)
        self._store.set(_STORE_KEY, len(pieces))

    def _remove(self) -> None:
        self._store.set(_STORE_KEY, 0)


class FileMemory(WaitMemory):
    """Keeps it in a file.

    Args:
        path: Local, or a URL.
        open_path: Returns an object with ``parent``, ``open`` and ``unlink`` for it.
    """

    has_place = True

    def __init__(self, path: str, *, open_path: Callable[[str], Any]) -> None:
        self._path = path
        self._open_path = open_path

    def _read(self) -> bytes | None:
        try:
            with self._open_path(self._path).open("rb") as file:
                dumped: bytes = file.read()
        except FileNotFoundError:
            return None
        return dumped

    def _write(self, dumped: bytes) -> None:
        with replace_file(self._open_path(self._path)) as file:
            file.write(dumped)

    def _remove(self) -> None:
        for path in (self._path, name_msg_ids(self._path)):
            self._open_path(path).unlink(missing_ok=True)


def name_msg_ids(memory_path: str) -> str:
    """Return the path of the msg_ids, where they have a file of their own."""
    return f"{memory_path}.csv"
