"""The sensor: waits until messages have a terminal status."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NoReturn

from airflow_provider_osonsms._compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    BaseSensorOperator,
    Context,
    PokeReturnValue,
    conf,
    open_journal,
)
from airflow_provider_osonsms.campaign.journal import NoJournal
from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.delivery.decision import (
    LONGEST_PAUSE,
    SIGHTINGS_OF_DOUBT,
    Decision,
    plan_patience,
)
from airflow_provider_osonsms.delivery.messages import read_messages
from airflow_provider_osonsms.delivery.watch import DEFAULT_CONCURRENCY, Watch, describe
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    InvalidMessageError,
    InvalidSettingsError,
)
from airflow_provider_osonsms.protocol.models import Account

_SIGHTINGS_KEY = "osonsms_sightings"
_MOST_SIGHTINGS = 1000
_TRIGGERER_GRACE = timedelta(minutes=10)


class DeliveryFailedError(AirflowFailException):
    """Too many messages ended without being delivered; waiting again would not change it."""


class DeliveryTimeoutError(AirflowSensorTimeout):
    """Some messages had no final status at the deadline."""


class OsonSmsDeliverySensor(BaseSensorOperator):
    """Wait until every message has a terminal status, and succeed if enough were delivered.

    One sensor waits for all messages of a task, in poke, reschedule or deferrable mode. ``UNKNOWN``, and a
    msg_id that the gateway does not know, are believed after three sightings in a row. A gateway that does
    not answer never fails the wait before the deadline; a refused account does at once.

    Args:
        messages: A msg_id, the output of a send task, or a list of either. Messages without a msg_id are
            counted as untracked and not waited for.
        osonsms_conn_id: Id of the Connection.
        min_delivered: Share of the tracked messages, 0 to 1, that must be delivered.
        concurrency: Questions under way at once.
        poke_interval: Seconds before the second round; later pauses grow to a minute.
        timeout: Seconds until the deadline, from the task's start.
        deferrable: Wait in the triggerer, without a worker slot.

    Returns:
        ``{"total", "delivered", "failed", "pending", "untracked", "by_status"}``: counts, and counts by
        status.

    Raises:
        DeliveryFailedError: Fewer than *min_delivered* were delivered. No retry.
        DeliveryTimeoutError: The deadline came first. No retry.
        AirflowFailException: The Connection, or what *messages* holds, is wrong. No retry.

    Reference:
        OsonSMS protocol 1.5, §3.
    """

    template_fields: Sequence[str] = ("messages", "osonsms_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"messages": "json"}
    ui_color = "#cfe8d5"

    def __init__(
        self,
        *,
        messages: Any,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        min_delivered: float = 1.0,
        concurrency: int = DEFAULT_CONCURRENCY,
        poke_interval: float = 10.0,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("exponential_backoff", True)
        kwargs.setdefault("max_wait", max(LONGEST_PAUSE, poke_interval))
        super().__init__(poke_interval=poke_interval, **kwargs)
        if not 0 <= min_delivered <= 1:
            raise ValueError("min_delivered is a share: a number from 0 to 1")
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        self.messages = messages
        self.osonsms_conn_id = osonsms_conn_id
        self.min_delivered = min_delivered
        self.concurrency = concurrency
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False)
            if deferrable is None
            else deferrable
        )

    def execute(self, context: Context) -> Any:
        """Wait; see the class."""
        try:
            self._messages = read_messages(self.messages)
        except InvalidMessageError as error:
            raise AirflowFailException(str(error)) from None
        self._deadline = self._find_start(context) + timedelta(seconds=self.timeout)
        self._watch = self._start_watch(context)
        if not self._messages.msg_ids:
            return self._conclude(Decision.SUCCEED, self._watch.summarise())
        try:
            return super().execute(context)
        except DeliveryTimeoutError:
            raise
        except AirflowSensorTimeout:  # Airflow's own clock came first, by a moment
            return self._conclude(Decision.TIME_OUT, self._watch.summarise())

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask once for every pending message; whoever waits on in the triggerer is deferred from here."""
        try:
            account = OsonSmsHook(self.osonsms_conn_id).get_settings().account
            asyncio.run(self._look(account))
            self._confirm_doubts(context, account)
        except (FinalRefusalError, InvalidSettingsError) as error:
            raise AirflowFailException(str(error)) from None
        summary = self._watch.summarise()
        decision = self._watch.decide(now=datetime.now(UTC), deadline=self._deadline)
        if decision is Decision.WAIT:
            self.log.info("%s", describe(summary))
            if self.deferrable:
                self._defer()
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._conclude(decision, summary))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG002
        """Take the trigger's event; anything unexpected fails."""
        event = event or {}
        if event.get("error"):
            raise AirflowFailException(event["error"])
        return self._conclude(event.get("decision"), event.get("summary", {}))

    def _conclude(self, decision: str | None, summary: dict[str, Any]) -> dict[str, Any]:
        if decision == Decision.SUCCEED:
            self.log.info("%s", describe(summary))
            if summary["untracked"]:
                self.log.warning("%d messages have no msg_id: nobody can ask for them", summary["untracked"])
            return summary
        if decision == Decision.FAIL:
            raise DeliveryFailedError(
                f"{describe(summary)}; at least {self.min_delivered:.0%} of the tracked ones should be "
                f"delivered"
            )
        if decision == Decision.TIME_OUT:
            raise DeliveryTimeoutError(
                f"{describe(summary)} after {self.timeout:g} s: timeout= allows longer"
            )
        raise AirflowFailException("the trigger fired without a result: clear the task to wait again")

    def _defer(self) -> NoReturn:
        from airflow_provider_osonsms.triggers.osonsms import OsonSmsDeliveryTrigger

        self.defer(
            trigger=OsonSmsDeliveryTrigger(
                msg_ids=self._messages.msg_ids,
                untracked=self._messages.untracked,
                osonsms_conn_id=self.osonsms_conn_id,
                deadline=self._deadline.isoformat(),
                poll_interval=self.poke_interval,
                min_delivered=self.min_delivered,
                concurrency=self.concurrency,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + _TRIGGERER_GRACE,
        )
        raise AssertionError("defer() does not return")

    def _find_start(self, context: Context) -> datetime:
        """Find when the waiting began: a rescheduled task starts anew for every poke."""
        began = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return began or datetime.now(UTC)

    def _start_watch(self, context: Context) -> Watch:
        sightings = open_journal(context).get(_SIGHTINGS_KEY) if self.reschedule else None
        return Watch(
            self._messages,
            min_delivered=self.min_delivered,
            concurrency=self.concurrency,
            sightings=sightings,
        )

    async def _look(self, account: Account, *, only_doubtful: bool = False) -> None:
        async with open_async_client(account) as client:
            patience = plan_patience(datetime.now(UTC), self._deadline, timeout=account.timeout)
            await self._watch.look(client, patience=patience, only_doubtful=only_doubtful)

    def _confirm_doubts(self, context: Context, account: Account) -> None:
        """In reschedule mode, carry doubtful sightings to the next poke, or settle them in this one.

        Each poke is a new process; below Airflow 3.3 nothing can be carried, so the doubtful are asked again
        here.
        """
        if not self.reschedule:
            return
        journal = open_journal(context)
        if not isinstance(journal, NoJournal):
            journal.set(_SIGHTINGS_KEY, dict(list(self._watch.sightings.items())[:_MOST_SIGHTINGS]))
            return
        for _ in range(SIGHTINGS_OF_DOUBT - 1):
            if self._watch.sightings:
                time.sleep(min(self.poke_interval, LONGEST_PAUSE / 10))
                asyncio.run(self._look(account, only_doubtful=True))
