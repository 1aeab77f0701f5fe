"""The sensor: waits until messages have a terminal status."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
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
    count_rounds,
    plan_patience,
    plan_pause,
)
from airflow_provider_osonsms.delivery.messages import read_messages
from airflow_provider_osonsms.delivery.watch import (
    DEFAULT_CONCURRENCY,
    Doubt,
    Watch,
    describe,
    describe_examples,
)
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.protocol.errors import (
    FinalRefusalError,
    InvalidMessageError,
    InvalidSettingsError,
)
from airflow_provider_osonsms.protocol.models import Account
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

_DOUBTS_KEY = "osonsms_doubts"
_MOST_DOUBTS = 1000
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
        min_delivered: Share of the tracked messages, 0 to 1, that must be delivered. Reaching it does not end
            the wait for the others before the deadline.
        concurrency: Questions under way at once.
        poke_interval: Seconds before the second round; later pauses grow to a minute, in every mode.
        timeout: Seconds until the deadline, from the task's start.
        deferrable: Wait in the triggerer, without a worker slot.

    Returns:
        ``{"total", "delivered", "failed", "pending", "untracked", "by_status", "examples"}``: counts, counts
        by status, and a few msg_ids that are not delivered, with their status.

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
        poke_interval: float | timedelta = 10.0,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        if not self.poke_interval > 0:
            raise ValueError("poke_interval must be above 0 seconds")
        if not isinstance(min_delivered, int | float) or not 0 <= min_delivered <= 1:
            raise ValueError("min_delivered is a share: a number from 0 to 1")
        if not isinstance(concurrency, int) or concurrency < 1:
            raise ValueError("concurrency must be a whole number, at least 1")
        self.messages = messages
        self.osonsms_conn_id = osonsms_conn_id
        self.min_delivered = min_delivered
        self.concurrency = concurrency
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable

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
        if not isinstance(event, dict) or not isinstance(event.get("summary"), dict):
            event = {"summary": {}}
        if event.get("error"):
            raise AirflowFailException(event["error"])
        return self._conclude(event.get("decision") if event["summary"] else None, event["summary"])

    def _conclude(self, decision: str | None, summary: dict[str, Any]) -> dict[str, Any]:
        if decision == Decision.SUCCEED:
            self.log.info("%s", describe(summary))
            if summary["untracked"]:
                self.log.warning("%d messages have no msg_id: nobody can ask for them", summary["untracked"])
            return summary
        if decision in (Decision.FAIL, Decision.TIME_OUT):
            counts = f"{describe(summary)}{describe_examples(summary)}"
            if self.soft_fail:  # the skip that Airflow makes of the error does not say why
                self.log.warning("%s", counts)
            if decision == Decision.FAIL:
                raise DeliveryFailedError(
                    f"{counts}; at least a share of {self.min_delivered:g} should be delivered"
                )
            raise DeliveryTimeoutError(f"{counts}; after {self.timeout:g} s, timeout= allows longer")
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
        return Watch(
            self._messages,
            min_delivered=self.min_delivered,
            concurrency=self.concurrency,
            doubts=_read_doubts(open_journal(context).get(_DOUBTS_KEY), context) if self.reschedule else None,
        )

    def _get_next_poke_interval(self, _: Any, run_duration: Callable[[], float], *__: Any) -> float:
        """Grow as the trigger's pauses do, to the deadline; Airflow's own back-off overflows within a day."""
        elapsed = run_duration()
        rounds = count_rounds(elapsed, poll_interval=self.poke_interval)
        return max(0.0, min(plan_pause(rounds, poll_interval=self.poke_interval), self.timeout - elapsed))

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
            seen = list(self._watch.doubts.items())[:_MOST_DOUBTS]
            doubts = {msg_id: [str(status), count] for msg_id, (status, count) in seen}
            journal.set(_DOUBTS_KEY, {"try": context["ti"].try_number, "doubts": doubts})
            return
        for _ in range(SIGHTINGS_OF_DOUBT - 1):
            if self._watch.doubts:
                time.sleep(min(self.poke_interval, LONGEST_PAUSE))
                asyncio.run(self._look(account, only_doubtful=True))


def _read_doubts(record: Any, context: Context) -> dict[str, Doubt]:
    """Read what the last poke of this try has noted; anything else is forgotten, and counting starts anew."""
    if not isinstance(record, dict) or record.get("try") != context["ti"].try_number:
        return {}
    with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
        return {
            str(msg_id): (DeliveryStatus(status), int(count))
            for msg_id, (status, count) in record["doubts"].items()
        }
    return {}
