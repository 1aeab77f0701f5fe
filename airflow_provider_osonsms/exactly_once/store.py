"""What a task remembers from try to try, where Airflow can remember it (3.3 and newer).

Reference:
    docs/design.md "The journal".
"""

import logging
from typing import Any, Protocol

log = logging.getLogger(__name__)


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
