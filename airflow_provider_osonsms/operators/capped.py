"""The base of the operators that may hold to a cap: how often a person gets a message of a category."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import find_due, open_state_store
from airflow_provider_osonsms._storage import open_path, spell_path
from airflow_provider_osonsms.arguments import DURATION, PATH, optional, whole_number
from airflow_provider_osonsms.campaign.history import SentHistory
from airflow_provider_osonsms.exactly_once.cap import (
    CATEGORY,
    ONCE_PER,
    Cap,
    choose_period,
    note_period,
    read_periods,
)
from airflow_provider_osonsms.operators.guarded import GuardedOperator
from airflow_provider_osonsms.operators.template_argument import TemplateArgument, WrongArgumentError
from airflow_provider_osonsms.protocol.history import TxnIdHistory

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.suppression import SuppressionList


class CappedOperator(GuardedOperator):
    """Knows the caps of a task.

    Args:
        category: What kind of message it is, such as ``marketing``: caps count the messages of one category.
        once_per: ``day``, ``week`` or ``month``: a phone gets one message of the *category* in this calendar
            period, whichever DAG, worker or installation sends it. The gateway holds to it.
        history: A folder of results tables, a table, or a pattern such as ``/data/sent/*.csv``: who has had
            *at_most* messages of the *category* in the time *within* is not texted.
        at_most: So many messages are enough; it goes with *history*.
        within: The time before now that counts, such as ``timedelta(days=7)``; it goes with *history*.
        kwargs: Guards of money and time: see `GuardedOperator`.
    """

    category = TemplateArgument(optional(CATEGORY, "no category"))
    once_per = TemplateArgument(optional(ONCE_PER, "no cap"))
    history = TemplateArgument(optional(PATH, "no history"))
    at_most = TemplateArgument(optional(whole_number(), "no limit"))
    within = TemplateArgument(optional(DURATION, "no limit"))

    def __init__(
        self,
        *,
        category: str | None = None,
        once_per: str | None = None,
        history: Any = None,
        at_most: int | None = None,
        within: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.category = category
        self.once_per = once_per
        self.history = spell_path(history)
        self.at_most = at_most
        self.within = within
        if category is None and (once_per is not None or history is not None):
            raise WrongArgumentError(
                "once_per and history need a category, such as category='marketing': they count its messages"
            )
        if len({one is None for one in (history, at_most, within)}) > 1:
            raise WrongArgumentError(
                "history, at_most and within go together, such as history='/data/sent', at_most=2, "
                "within=timedelta(days=7)"
            )

    def _open_cap(
        self, context: Context, *, now: datetime, begun: str | None, is_first: bool, knows_all: bool
    ) -> Cap | None:
        """Return the cap of this task, whose period is the same in all its tries; None for no cap.

        Args:
            context: Of the task.
            now: Aware.
            begun: The period in which an earlier try has begun to send; None where nothing tells of one.
            is_first: Whether there is no earlier try.
            knows_all: Whether what is remembered names all that earlier tries may have sent.

        Raises:
            PeriodUnknownError: An earlier try may have sent in another period than now.
        """
        if self.once_per is None or self.category is None:
            return None
        store = open_state_store(context)
        knows_all |= read_periods(store) is not None or begun is not None
        period = choose_period(
            self.once_per, now=now, due=find_due(context), remembered=begun, knows_all=knows_all
        )
        note_period(store, period)
        if period != self.once_per.find_name(now):
            text = "This task has begun in %s, which is over, and goes on under the cap of that period"
            self.log.warning(text, period)
        is_known = is_first or knows_all
        history = TxnIdHistory.UNUSED if is_known else TxnIdHistory.MAYBE_ACCEPTED
        return Cap(category=self.category, period=period, history=history)

    def _find_full(
        self, now: datetime, *, until: datetime | None = None, own_table: object = None
    ) -> "SuppressionList | None":
        """Return who has had enough messages, see `SentHistory`; None where nothing is counted."""
        if self.history is None or self.category is None or self.at_most is None or self.within is None:
            return None
        history = SentHistory(
            place=str(self.history),
            open_path=open_path,
            category=self.category,
            at_most=self.at_most,
            within=self.within,
        )
        return history.find_full(now, until=until, own_table=own_table)
