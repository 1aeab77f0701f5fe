"""At most one message of a category in a calendar period: the cap whose txn_ids the gateway takes once.

The txn_id of a capped message is made of namespace, category, period and phone, and of no DAG, run or task.
So every task that texts a person in this category and period makes the same one, on whichever worker and in
whichever installation. The gateway takes the first and refuses the others with 108: no database is needed.
The channel is no part of it: a message is one message, by SMS or by Telegram.

The period is that in which the messages of a task began to be sent, not that of the run's date: a cap is
about the week in which a phone rings, and a backfill of last month rings now. It must not change afterwards:
a task that begins on Sunday at 23:58 and is retried on Monday would text its first people again under the new
week. So what a task has begun is remembered, and where nothing can be remembered it must be beyond doubt.

Reference:
    docs/guards.md "Too often"; docs/design.md "Caps".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from airflow_provider_osonsms.arguments import Kind, choice
from airflow_provider_osonsms.exactly_once.store import StateStore
from airflow_provider_osonsms.preflight.calendar import Period
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries

_CATEGORY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_PERIODS: Final = "osonsms_periods"


def _parse_category(value: Any) -> str:
    name = value.strip().lower() if isinstance(value, str) else ""
    if not _CATEGORY.fullmatch(name):
        raise ValueError
    return name


ONCE_PER: Final = choice(Period)
CATEGORY: Final = Kind(
    "a name of Latin letters, digits, '-' and '_', such as 'marketing'", _parse_category, (str,)
)
"""In small letters: ``Marketing`` and ``marketing`` are one category, or there would be two caps."""


class PeriodUnknownError(InvalidMessageError):
    """Earlier tries may have texted people in another period; this one has sent nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most one message of a category to each phone in a period.

    Attributes:
        period: See `Period.find_name`.
        history: What earlier tries of this task may have left of a txn_id that nothing remembered names.
    """

    category: str
    period: str
    history: TxnIdHistory = TxnIdHistory.UNUSED

    def make_txn_ids(self, namespace: str) -> TxnIdSeries:
        """Make the txn_ids of all tasks with this cap, one for each MSISDN."""
        return TxnIdSeries("once per", self.category, self.period, namespace=namespace)


def read_periods(store: StateStore) -> list[str] | None:
    """Return the periods in which tries of this task have begun; None where nothing tells."""
    stored = store.get(_PERIODS)
    return [one for one in stored if isinstance(one, str)] if isinstance(stored, list) else None


def note_period(store: StateStore, period: str) -> None:
    """Note that a try may send in *period*, before it does."""
    known = read_periods(store) or []
    if period not in known:
        store.set(_PERIODS, [*known, period])


def recall_period(store: StateStore, has_sent: Callable[[str], bool]) -> str | None:
    """Return the first period in which *has_sent* says that this task has begun to send; None for none."""
    return next((period for period in read_periods(store) or () if has_sent(period)), None)


def choose_period(
    once_per: Period, *, now: datetime, due: datetime | None, remembered: str | None, knows_all: bool
) -> str:
    """Return the period of a task, the same in all its tries.

    Args:
        once_per: The kind of the period.
        now: Aware.
        due: Since when the run may have sent; None where Airflow does not say it.
        remembered: The period in which earlier tries have sent, or may have.
        knows_all: Whether None for this means that they have sent nothing.

    Raises:
        PeriodUnknownError: They may have sent in another period than now.
    """
    current = once_per.find_name(now)
    if remembered is not None:
        return remembered
    if knows_all or (due is not None and once_per.find_name(due) == current):
        return current
    raise PeriodUnknownError(
        f"once_per counts the {once_per} in which this task began to text people. It is {current} now, the "
        f"run was due earlier, and nothing is remembered of earlier tries. Nothing was sent now. Look in the "
        f"cabinet: if it shows messages of this run, mark this task as success, and text those who are "
        f"missing in a task of their own; if it shows none, trigger a new run. Set results_path, which "
        f"remembers, for the runs to come"
    )
