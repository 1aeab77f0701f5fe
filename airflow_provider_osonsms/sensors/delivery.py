"""The sensor: waits until messages have a terminal status."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, NoReturn

from airflow_provider_osonsms._compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    BaseSensorOperator,
    Context,
    PokeReturnValue,
    conf,
    open_path,
)
from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.client.settings import Settings
from airflow_provider_osonsms.delivery.decision import UNKNOWN_LIMIT, Decision, Rules
from airflow_provider_osonsms.delivery.description import describe
from airflow_provider_osonsms.delivery.messages import TrackedMessages, read_messages
from airflow_provider_osonsms.delivery.pace import Pace
from airflow_provider_osonsms.delivery.schedule import LONGEST_PAUSE, plan_patience
from airflow_provider_osonsms.delivery.watch import Watch
from airflow_provider_osonsms.hooks.failures import sorted_failures
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.sensors.conclusion import DeliveryTimeoutError, conclude
from airflow_provider_osonsms.sensors.memory import Memory
from airflow_provider_osonsms.sensors.reporting import plan_report

_TRIGGERER_GRACE: Final = timedelta(minutes=10)


class OsonSmsDeliverySensor(BaseSensorOperator):
    """Wait until every message has a terminal status, and succeed if enough were delivered.

    One sensor waits for all messages of a campaign, in poke, reschedule or deferrable mode. A gateway that
    does not answer never fails the wait before the deadline; a refused account does at once.

    Args:
        messages: A msg_id, the output of a send or campaign task (of which ``results_path`` is read when it
            holds no messages), or a list of these. Messages without a msg_id are counted as untracked and not
            waited for.
        osonsms_conn_id: Id of the Connection.
        min_delivered: A float is the share of the tracked messages, 0.0 to 1.0, that must be delivered, an
            int their number. Reaching it does not end the wait for the others before the deadline.
        accepted_is_delivered: Let ACCEPTED count as delivered, for networks that never report more.
        unknown_limit: ``UNKNOWN``, and a msg_id that the gateway does not know, are believed after so many
            sightings in a row.
        concurrency: Questions under way at once.
        max_rate: Questions per second at most, evenly spread; default: the Connection's, else no limit.
        poke_interval: Seconds before the second round; later pauses grow with the age of the messages.
        max_poll_interval: Seconds that they grow to.
        timeout: Seconds until the deadline, from the first try's start on Airflow 3.3, else from this one's.
        report_path: Write what became of each message: ``.csv`` or ``.parquet`` for a table, ``.html`` for a
            page and a table beside it, anything else for a folder with both. A local path, or a URL as
            ``s3://...``; in deferrable mode the triggerer writes it.
        report_language: Of the page: ``en``, ``ru`` or ``tg``.
        deferrable: Wait in the triggerer, without a worker slot; the way for large campaigns, which the other
            modes ask for anew with each poke.

    Returns:
        ``{"total", "delivered", "failed", "pending", "untracked", "by_status", "examples"}``: counts, counts
        by status, and a few msg_ids that are not delivered, with their status. ``report_path`` where a report
        was written.

    Raises:
        DeliveryFailedError: Fewer than *min_delivered* were delivered. No retry.
        DeliveryTimeoutError: The deadline came first. No retry.
        AirflowFailException: The Connection, or what *messages* holds, is wrong. No retry.

    Reference:
        OsonSMS protocol 1.5, §3.
    """

    template_fields: Sequence[str] = ("messages", "osonsms_conn_id", "report_path", "report_language")
    template_fields_renderers: ClassVar[dict[str, str]] = {"messages": "json"}
    ui_color = "#cfe8d5"

    def __init__(
        self,
        *,
        messages: Any,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        min_delivered: float = 1.0,
        accepted_is_delivered: bool = False,
        unknown_limit: int = UNKNOWN_LIMIT,
        concurrency: int = 16,
        max_rate: float | None = None,
        poke_interval: float | timedelta = 10.0,
        max_poll_interval: float = LONGEST_PAUSE,
        report_path: Any = None,
        report_language: str = "en",
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.messages = messages
        self.osonsms_conn_id = osonsms_conn_id
        self.rules = Rules(
            min_delivered=min_delivered,
            accepted_is_delivered=accepted_is_delivered,
            unknown_limit=unknown_limit,
        )
        self.pace = Pace(
            poll_interval=self.poke_interval,
            max_poll_interval=max_poll_interval,
            concurrency=concurrency,
            max_rate=max_rate,
        )
        self.report_path = report_path
        self.report_language = report_language
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Wait; see the class."""
        with sorted_failures():
            messages = read_messages(self.messages)
            self._plan = plan_report(
                self.report_path, messages, language=self.report_language, context=context
            )
        self._memory = Memory(context, retries=self.retries or 0)
        self._began = self._find_start(context)
        self._deadline = self._began + timedelta(seconds=self.timeout)
        if self.deferrable and messages.paths:  # a table is read and asked for by the triggerer only
            self._defer(messages)
        with sorted_failures():
            self._start_watch(messages)
        if not len(self._watch.msg_ids):
            return self._end(Decision.SUCCEED)
        try:
            return super().execute(context)
        except DeliveryTimeoutError:
            raise
        except AirflowSensorTimeout:  # Airflow's own clock came first, by a moment
            return self._end(Decision.TIME_OUT)

    def poke(self, context: Context) -> PokeReturnValue:  # noqa: ARG002
        """Ask once for every pending message; whoever waits on in the triggerer is deferred from here."""
        with sorted_failures():
            settings = OsonSmsHook(self.osonsms_conn_id).get_settings()
            asyncio.run(self._look(settings))
            self._confirm_doubts(settings)
        decision = self._watch.decide(now=datetime.now(UTC), deadline=self._deadline)
        if decision is Decision.WAIT:
            self.log.info("%s", describe(self._watch.summarise()))
            if self.deferrable:
                self._defer(self._messages)
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._end(decision))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG002
        """Take the trigger's event; anything unexpected fails."""
        event = event if isinstance(event, dict) else {}
        if event.get("error"):
            raise AirflowFailException(event["error"])
        summary = event.get("summary")
        if not isinstance(summary, dict) or not summary:
            return self._conclude(None, {})
        return self._conclude(event.get("decision"), summary, report_problem=event.get("report_problem"))

    def _end(self, decision: Decision) -> dict[str, Any]:
        """Write the report of this process's watch, and conclude."""
        problem = None
        if self._plan is not None:
            from airflow_provider_osonsms.delivery.report.writing import try_to_write_report

            price = OsonSmsHook(self.osonsms_conn_id).get_settings().price_per_part
            problem = try_to_write_report(self._plan, self._watch, open_path=open_path, price_per_part=price)
        return self._conclude(decision, self._watch.summarise(), report_problem=problem)

    def _conclude(
        self, decision: str | None, summary: dict[str, Any], *, report_problem: str | None = None
    ) -> dict[str, Any]:
        if report_problem is not None:
            self.log.error("%s", report_problem)
        elif self.report_path is not None and summary:
            self.log.info("The report is in %s", self.report_path)
            summary = {**summary, "report_path": str(self.report_path)}
        return conclude(
            decision, summary, rules=self.rules, timeout=self.timeout, soft_fail=bool(self.soft_fail)
        )

    def _defer(self, messages: TrackedMessages) -> NoReturn:
        from airflow_provider_osonsms.triggers.osonsms import OsonSmsDeliveryTrigger

        self.defer(
            trigger=OsonSmsDeliveryTrigger(
                began=self._began.isoformat(),
                deadline=self._deadline.isoformat(),
                msg_ids=messages.msg_ids,
                untracked=messages.untracked,
                paths=messages.paths,
                osonsms_conn_id=self.osonsms_conn_id,
                rules=asdict(self.rules),
                pace=asdict(self.pace),
                report=None if self._plan is None else asdict(self._plan),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + _TRIGGERER_GRACE,
        )
        raise AssertionError("defer() does not return")

    def _find_start(self, context: Context) -> datetime:
        """Find when the waiting began: a rescheduled task starts anew for every poke."""
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return self._memory.find_start(first or datetime.now(UTC))

    def _start_watch(self, messages: TrackedMessages) -> None:
        msg_ids, untracked = messages.load(open_path)
        self._messages = messages
        self._watch = Watch(
            msg_ids,
            untracked=untracked,
            rules=self.rules,
            concurrency=self.pace.concurrency,
            doubts=self._memory.read_doubts() if self.reschedule else None,
        )

    def _get_next_poke_interval(self, _: Any, run_duration: Callable[[], float], *__: Any) -> float:
        """Grow as the trigger's pauses do, to the deadline; Airflow's own back-off overflows within a day."""
        age = run_duration()
        return max(0.0, min(self.pace.plan_pause(age), self.timeout - age))

    async def _look(self, settings: Settings, *, only_doubtful: bool = False) -> None:
        self._watch.acquire = self.pace.make_limiter(settings.max_rate)
        async with open_async_client(settings.account, max_connections=self.pace.concurrency) as client:
            patience = plan_patience(datetime.now(UTC), self._deadline, timeout=settings.account.timeout)
            await self._watch.look(client, patience=patience, only_doubtful=only_doubtful)

    def _confirm_doubts(self, settings: Settings) -> None:
        """In reschedule mode, carry doubtful sightings to the next poke, or settle them in this one.

        Each poke is a new process; below Airflow 3.3 nothing can be carried, so the doubtful are asked again
        here.
        """
        if not self.reschedule:
            return
        if self._memory.is_lasting:
            self._memory.note_doubts(self._watch.doubts)
            return
        for _ in range(self.rules.unknown_limit - 1):
            if self._watch.doubts:
                time.sleep(min(self.poke_interval, self.pace.max_poll_interval))
                asyncio.run(self._look(settings, only_doubtful=True))
