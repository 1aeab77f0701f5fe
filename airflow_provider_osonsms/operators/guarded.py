"""The guards of money and time: limits that each operator has which spends money, written once.

The checks themselves know no Airflow: they are functions in ``preflight``. An operator says when it may send
and what it would spend; a new guard is an argument here and a call in one of the methods.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSkipException, Context
from airflow_provider_osonsms._context import find_due, identify_task
from airflow_provider_osonsms._storage import open_path, spell_path
from airflow_provider_osonsms.arguments import (
    DURATION,
    FLAG,
    PATH,
    SOMONI_LIMIT,
    choice,
    optional,
    whole_number,
)
from airflow_provider_osonsms.operators.redaction import RedactingOperator
from airflow_provider_osonsms.operators.template_argument import TemplateArgument
from airflow_provider_osonsms.preflight.balance import check_balance
from airflow_provider_osonsms.preflight.budget import BUDGET, read_budget
from airflow_provider_osonsms.preflight.cost import Spending, check_cost, price_parts
from airflow_provider_osonsms.preflight.days import DATES, DAYS, read_dates, read_dates_file, read_days
from airflow_provider_osonsms.preflight.lateness import explain_lateness
from airflow_provider_osonsms.preflight.window import (
    ALWAYS_OPEN,
    WINDOW,
    Closed,
    OutsideWindow,
    OutsideWindowError,
    SendWindow,
    limit_to_days,
    read_window,
)
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.spending.folder import NO_RECORDS, OwnRecords, read_spent
from airflow_provider_osonsms.triggers.send_window import OsonSmsWindowTrigger


class GuardedOperator(RedactingOperator):
    """Stops before it sends what would cost too much, or would go out at a wrong time: docs/guards.md.

    Args:
        max_parts: Parts of a text at most: a row of a campaign with a longer text is rejected; a send and a
            bulk job fail.
        max_cost: Fail if all tries together would cost more somoni; like all guards of money, it needs the
            Connection's ``price_per_part``.
        require_balance: Send only if the balance covers what is left to send.
        balance_reserve: Send only if so many somoni remain of the balance afterwards.
        budget: Somoni in a calendar period of Dushanbe, such as ``"500/month"``: what would go over it sends
            nothing. All tasks that share *budget_path* share the budget.
        budget_path: Folder of the tables and receipts that say what was spent; it must exist.
        max_lateness: Skip a run that was due longer ago than this, such as a run of a catch-up.
        send_window: ``"09:00-20:00"``, in Asia/Dushanbe or a zone that follows.
        outside_window: ``move``: wait for the next opening without a worker slot; a bulk job gets that time
            as its ``send_at``. ``fail``: fail without a retry.
        send_days: Days of the week on which the window opens: ``"mon-sat"``, ``"mon,wed,fri"``.
        except_dates: ISO dates on which it does not, or the path of a file with one a line.
    """

    max_parts = TemplateArgument(optional(whole_number(), "no limit"))
    max_cost = TemplateArgument(optional(SOMONI_LIMIT, "no limit"))
    require_balance = TemplateArgument(FLAG)
    balance_reserve = TemplateArgument(optional(SOMONI_LIMIT, "no reserve"))
    budget = TemplateArgument(optional(BUDGET, "no budget"))
    budget_path = TemplateArgument(optional(PATH, "no budget"))
    max_lateness = TemplateArgument(optional(DURATION, "no limit"))
    send_window = TemplateArgument(optional(WINDOW, "any time"))
    outside_window = TemplateArgument(choice(OutsideWindow))
    send_days = TemplateArgument(optional(DAYS, "every day"))
    except_dates = TemplateArgument(optional(DATES, "no exception"))

    def __init__(
        self,
        *,
        max_parts: int | None = None,
        max_cost: Decimal | float | str | None = None,
        require_balance: bool = False,
        balance_reserve: Decimal | float | str | None = None,
        budget: str | None = None,
        budget_path: Any = None,
        max_lateness: timedelta | None = None,
        send_window: str | None = None,
        outside_window: str = OutsideWindow.MOVE,
        send_days: str | None = None,
        except_dates: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_parts = max_parts
        self.max_cost = max_cost
        self.require_balance = require_balance
        self.balance_reserve = balance_reserve
        self.budget = budget
        self.budget_path = spell_path(budget_path)
        self.max_lateness = max_lateness
        self.send_window = send_window
        self.outside_window = outside_window
        self.send_days = send_days
        self.except_dates = spell_path(except_dates)

    @staticmethod
    def _clock() -> datetime:
        return datetime.now(UTC)

    @property
    def _guards_money(self) -> bool:
        limits = (self.max_cost, self.balance_reserve, self.budget, self.budget_path)
        return self.require_balance or any(limit is not None for limit in limits)

    def _guard_money(
        self,
        spending: Spending,
        *,
        price_per_part: Decimal | None,
        read_balance: Callable[[], Decimal],
        own: OwnRecords = NO_RECORDS,
    ) -> None:
        """Return when *spending* is within every limit; with nothing left to send, it always is.

        Args:
            spending: What is left to send.
            price_per_part: Somoni.
            read_balance: Asks the gateway.
            own: What the folder of the budget holds of this task.
        """
        if not spending.messages:
            return
        if self.max_cost is not None:
            check_cost(spending, max_cost=self.max_cost, price_per_part=price_per_part)
        if self.budget is not None or self.budget_path is not None:
            self._check_budget(spending, price_per_part=price_per_part, own=own)
        if self.require_balance or self.balance_reserve is not None:
            check_balance(
                spending,
                price_per_part=price_per_part,
                balance=read_balance(),
                reserve=self.balance_reserve,
            )

    def _check_budget(self, spending: Spending, *, price_per_part: Decimal | None, own: OwnRecords) -> None:
        folder = self._open_budget_folder()
        if folder is None or self.budget is None:
            raise InvalidMessageError(
                "a budget takes two arguments, budget='500/month' and budget_path, the folder of the tables "
                "that say what was spent: give both. This try sent nothing"
            )
        price_parts(0, price_per_part, needed_by="budget")
        budget, now = read_budget(self.budget), self._clock()
        spent = read_spent(folder, since=budget.period.find_begin(now), own=own)
        budget.check(spending, spent=spent, price_per_part=price_per_part, now=now)

    def _open_budget_folder(self) -> Any:
        return None if self.budget_path is None else open_path(str(self.budget_path))

    def _read_window(self) -> SendWindow:
        """Read when messages may go out."""
        dates = self.except_dates
        if dates is None or isinstance(dates, tuple):
            found = read_dates(dates or ())
        else:
            found = read_dates_file(open_path(str(dates)))
        window = limit_to_days(read_window(self.send_window), read_days(self.send_days, found))
        if window is ALWAYS_OPEN and self.outside_window is OutsideWindow.FAIL:
            raise InvalidMessageError(
                "outside_window='fail' needs a window: set send_window, send_days or except_dates. This try "
                "sent nothing"
            )
        return window

    def _find_lateness(self, context: Context, moment: datetime) -> str | None:
        """Return why the run is too late when it sends at *moment*; None when it is not."""
        due = find_due(context)
        return None if due is None else explain_lateness(self.max_lateness, due=due, now=moment)

    def _find_moment(self, window: SendWindow) -> datetime:
        """Return when messages may be sent: now, or when *window* opens."""
        now = self._clock()
        answer = window.judge(now)
        return answer.until if isinstance(answer, Closed) else now

    def _begin_in_time(self, context: Context, window: SendWindow, *, was_interrupted: bool = False) -> None:
        """Return if the task may go on now; before it has read anything, it skips, waits or fails.

        A later try may have nothing left to send, and then it is neither late nor outside the window. So it
        only waits here.
        """
        is_first = not was_interrupted and identify_task(context).try_number == 1
        why = self._find_lateness(context, self._find_moment(window))
        if why is not None and is_first:
            raise AirflowSkipException(f"Nothing was sent: {why}")
        if why is None and (is_first or self.outside_window is OutsideWindow.MOVE):
            self._wait_for(window, was_interrupted=was_interrupted)

    def _refuse_lateness(self, context: Context, moment: datetime, *, sent: str | None) -> None:
        """Return when a run that has something left to send is not too late at *moment*.

        Args:
            context: Of the task.
            moment: When it sends.
            sent: What earlier tries have sent, or may have; None for nothing.
        """
        why = self._find_lateness(context, moment)
        if why is None:
            return
        if sent is not None:
            raise AirflowFailException(
                f"{sent}, and now {why}. To send what is left all the same, raise max_lateness and clear "
                f"this task: a new run would text people twice"
            )
        raise AirflowSkipException(f"Nothing was sent: {why}")

    def _wait_for(
        self, window: SendWindow, *, was_interrupted: bool = False, done: str = "this try sent nothing"
    ) -> None:
        """Return if *window* is open; if it is closed, defer until it opens, or fail.

        Args:
            window: When messages may go out.
            was_interrupted: Whether this task has begun to send.
            done: What it has sent, for the error.
        """
        answer = window.judge(self._clock())
        if not isinstance(answer, Closed):
            return
        if self.outside_window is OutsideWindow.FAIL:
            raise OutsideWindowError(
                f"outside the send {window}, and outside_window is 'fail': {done}. It opens at "
                f"{answer.until:%Y-%m-%d %H:%M}: clear this task then, or set outside_window='move'"
            )
        moment = answer.until.isoformat()
        self.log.info("Outside the send %s: the task goes on at %s", window, moment)
        trigger = OsonSmsWindowTrigger(moment, was_interrupted=was_interrupted)
        self.defer(trigger=trigger, method_name="resume")

    def _describe_timing(self, context: Context, window: SendWindow) -> str | None:
        """Say what the guards of time would do now; None where there is none."""
        if window is ALWAYS_OPEN and self.max_lateness is None:
            return None
        why = self._find_lateness(context, self._find_moment(window))
        if why is not None:
            return f"would be skipped: {why}"
        answer = window.judge(self._clock())
        if not isinstance(answer, Closed):
            return "would begin at once"
        if self.outside_window is OutsideWindow.FAIL:
            return f"would fail: outside the {window}, which opens at {answer.until:%Y-%m-%d %H:%M}"
        return f"would wait for {answer.until:%Y-%m-%d %H:%M}: outside the {window}"
