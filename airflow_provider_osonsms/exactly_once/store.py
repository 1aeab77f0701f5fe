"""What a task remembers from try to try, where Airflow can remember it (3.3 and newer).

Reference:
    docs/design.md "The journal".
"""

import logging
from typing import Any, Protocol

from airflow_provider_osonsms.protocol.errors import OsonSmsError

log = logging.getLogger(__name__)


class KeysChangedError(OsonSmsError):
    """This run has sent under other txn_ids: under the new ones the same people would be texted again."""


class StateStore(Protocol):
    """Small JSON values by store key that survive a retry, a killed worker and a *Clear*.

    Attributes:
        is_lasting: Whether an absent key proves that no earlier try stored one.
    """

    is_lasting: bool

    def get(self, key: str) -> Any:
        """Return the value under *key*, or None."""
        ...

    def set(self, key: str, value: Any) -> None:
        """Store the JSON *value* under *key* for ever."""
        ...


class NullStateStore:
    """Remembers nothing: Airflow below 3.3."""

    is_lasting = False

    def get(self, key: str) -> None:
        """Return None."""

    def set(self, key: str, value: Any) -> None:
        """Forget *value*."""


def save_result(store: StateStore, key: str, value: Any) -> None:
    """Store what the gateway has answered; a store that fails now must not undo what was sent."""
    try:
        store.set(key, value)
    except Exception:  # noqa: BLE001
        log.warning(
            "The result could not be saved in the task's state store; a retry will ask the gateway again"
        )


def read_used_keys(store: StateStore, index: str) -> list[str]:
    """Return the store keys that this task has noted under *index*: under which it has begun to send."""
    stored = store.get(index)
    return [key for key in stored if isinstance(key, str)] if isinstance(stored, list) else []


def note_used_key(store: StateStore, index: str, key: str) -> None:
    """Note the store key *key* under *index*, before anything is sent under it."""
    used = read_used_keys(store, index)
    if key not in used:
        store.set(index, [*used, key])
