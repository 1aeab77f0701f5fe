"""Where a wait keeps what it knows, from poke to poke and from try to try.

It holds no phone and no msg_id: a few bytes for each message, in the order of the msg_ids, which the next
process reads again. Without it, nothing is lost but time: the next process asks for each message again.
"""

import base64
import logging
from typing import Any, Final

from airflow_provider_osonsms.exactly_once.store import StateStore
from airflow_provider_osonsms.tables.paths import replace_file

log = logging.getLogger(__name__)

_STORE_KEY: Final = "osonsms_wait_statuses"
_MAX_VALUE: Final = 48_000
"""Characters of a value: a task state store may refuse longer ones than 64 KB."""


class WaitMemory:
    """Keeps nothing; the classes below keep it. A failure never ends a wait: it is logged.

    Attributes:
        keeps: Whether it keeps anything.
    """

    keeps = False

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


class StoreMemory(WaitMemory):
    """Keeps it in the task's state store, in as many values as it needs."""

    keeps = True

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
        path: Opened: local, or Airflow's ObjectStoragePath.
        msg_ids: Opened, too: the msg_ids of the wait, if they have a file of their own, which is removed with
            it.
    """

    keeps = True

    def __init__(self, path: Any, *, msg_ids: Any = None) -> None:
        self._path = path
        self._msg_ids = msg_ids

    def _read(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                dumped: bytes = file.read()
        except FileNotFoundError:
            return None
        return dumped

    def _write(self, dumped: bytes) -> None:
        with replace_file(self._path) as file:
            file.write(dumped)

    def _remove(self) -> None:
        for path in (self._path, self._msg_ids):
            if path is not None:
                path.unlink(missing_ok=True)


def name_msg_ids(memory_path: str) -> str:
    """Return the path of the msg_ids, where they have a file of their own."""
    return f"{memory_path}.csv"
