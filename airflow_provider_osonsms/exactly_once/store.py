"""What a task remembers from try to try, where Airflow can remember it (3.3 and newer).

Reference:
    docs/design.md "The journal".
"""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import TxnIdHistory

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


def refuse_other_keys(
    store: StateStore, index: str, key: str, *, find_sent: Callable[[str], str | None]
) -> None:
    """Return when this task has sent nothing under another store key than *key*.

    Args:
        store: Of the task.
        index: Lists the store keys under which the task has begun to send, see `note_used_key`.
        key: Names what is sent now, and everything that its txn_ids are made of.
        find_sent: Returns in words what the task has sent under a store key, or may have; None for nothing.

    Raises:
        KeysChangedError: It has sent under another one.
    """
    for other in _read_used_keys(store, index):
        what = None if other == key else find_sent(other)
        if what is not None:
            raise KeysChangedError(
                f"This task has {what}. Nothing was sent now: under new txn_ids the same people would be "
                f"texted again. Restore what was changed, and clear this task"
            )


def note_used_key(store: StateStore, index: str, key: str) -> None:
    """Note the store key *key* under *index*, before anything is sent under it."""
    used = _read_used_keys(store, index)
    if key not in used:
        store.set(index, [*used, key])


def read_history(stored: Any) -> TxnIdHistory:
    """Read what a try has stored of a txn_id; anything strange says at least that there was an attempt."""
    is_ours = isinstance(stored, int) and not isinstance(stored, bool) and stored in tuple(TxnIdHistory)
    return TxnIdHistory(stored) if is_ours else TxnIdHistory.MAYBE_ACCEPTED


def _read_used_keys(store: StateStore, index: str) -> list[str]:
    stored = store.get(index)
    return [key for key in stored if isinstance(key, str)] if isinstance(stored, list) else []
