"""The sensor: waits until messages have a terminal status."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NoReturn

from airflow_provider_osonsms._compat import (
    AirflowFailException,
    AirflowSkipException,
    BaseSensorOperator,
    Context,
    PokeReturnValue,
    conf,
)
from airflow_provider_osonsms._context import add_to_asset_events
from airflow_provider_osonsms._storage import open_path
from airflow_provider_osonsms.delivery.criteria import UNKNOWN_LIMIT, Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.inputs import read_messages
from airflow_provider_osonsms.delivery.polling import MAX_PAUSE, PollSettings
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.links.osonsms import OsonSmsDeliveryReportLink
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.preflight.parameters import read_seconds
from airflow_provider_osonsms.sensors.finish import WaitResult, finish, read_event
from airflow_provider_osonsms.sensors.poke import GRACE, Wait, poke_once
from airflow_provider_osonsms.sensors.report_files import ReportFiles, find_page
from airflow_provider_osonsms.sensors.wait_state import WaitState


class OsonSmsDeliverySensor(BaseSensorOperator):
    """Wait until every message has a terminal status, and succeed if enough were delivered.

    One sensor waits for all messages of a campaign, in each mode. A gateway that does not answer never fails
    the wait before the deadline; a refused account does at once.

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
            ``s3://...``; for each task of a mapped one another. In deferrable mode the triggerer writes it. A
            failed wait has one too. In reschedule mode its times and polls are those of the last poke.
        report_language: Of the page: ``en``, ``ru`` or ``tg``.
        undelivered_path: Write key, phone and status of every row of the campaigns that no message is known
            to have reached (``.csv`` or ``.parquet``): ``only=`` of another campaign takes it. For that,
            *messages* holds campaigns with a ``results_path``, and *min_delivered* is 0.0.
        deferrable: Wait in the triggerer, without a worker slot; the way for large campaigns, which the other
            modes ask for anew with each poke.

    Returns:
        ``{"total", "delivered", "failed", "pending", "untracked", "by_status", "examples"}``: counts, counts
        by status, and a few msg_ids that are not delivered, with their status; ``report_path`` and
        ``undelivered_path`` where they were written. The events of ``outlets`` carry the counts.

    Raises:
        DeliveryFailedError: Fewer than *min_delivered* were delivered. No retry.
        DeliveryTimeoutError: The deadline came first. No retry.
        AirflowFailException: The Connection, or what *messages* holds, is wrong. No retry.
        UndeliveredNotWrittenError, TableUnavailableError: A storage failed. Try again.

    Reference:
        OsonSMS protocol 1.5, §3.
    """

    template_fields: Sequence[str] = (
        "messages",
        "osonsms_conn_id",
        "report_path",
        "report_language",
        "undelivered_path",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"messages": "json"}
    operator_extra_links = (OsonSmsDeliveryReportLink(),)
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
        max_poll_interval: float | timedelta = MAX_PAUSE,
        report_path: Any = None,
        report_language: str = "en",
        undelivered_path: Any = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self._seconds = self.timeout
        self.messages = messages
        self.osonsms_conn_id = osonsms_conn_id
        self.criteria = DeliveryCriteria(
            min_delivered=min_delivered,
            accepted_is_delivered=accepted_is_delivered,
            unknown_limit=unknown_limit,
        )
        self.polling = PollSettings(
            poll_interval=self.poke_interval,
            max_poll_interval=read_seconds(max_poll_interval, "max_poll_interval"),
            concurrency=concurrency,
            max_rate=max_rate,
        )
        self.report_path = report_path
        self.report_language = report_language
        self.undelivered_path = undelivered_path
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable
        self.page_path: str | None = None

    def execute(self, context: Context) -> Any:
        """Wait; see the class."""
        try:
            with airflow_errors():
                self._wait = self._begin_wait(context)
                if self.deferrable and self._wait.messages.sources:  # a table is read by the triggerer only
                    self._defer(self._wait)
                self._tracker = self._start_tracker(self._wait)
        except AirflowFailException as error:  # as Airflow itself does once the first poke has begun
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        # our deadline comes first: Airflow's would skip without a word
        self.timeout += GRACE.total_seconds()
        return super().execute(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask once for every pending message; a deferrable wait goes on in the triggerer from here."""
        wait, tracker = self._wait, self._tracker
        if len(tracker.msg_ids):
            with airflow_errors():
                settings = OsonSmsHook(self.osonsms_conn_id).get_settings()
                poke_once(wait, tracker, settings, polling=self.polling, is_rescheduled=self.reschedule)
        decision = tracker.decide(now=datetime.now(UTC), deadline=wait.deadline)
        if decision is Decision.WAIT:
            self.log.info("%s", tracker.summarize().describe())
            if self.deferrable:
                self._defer(wait)
            return PokeReturnValue(is_done=False)
        result = WaitResult(
            decision=decision, summary=tracker.summarize(), problem=self._write_files(wait, tracker)
        )
        return PokeReturnValue(is_done=True, xcom_value=self._finish(result, context))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """End with the trigger's event; anything unexpected fails."""
        return self._finish(read_event(event), context)

    def _begin_wait(self, context: Context) -> Wait:
        """Settle what is waited for, since when, and what is left behind."""
        messages = read_messages(self.messages)
        poked = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        plan = self._report_files.plan(messages, context, is_checked=poked is not None)
        state = WaitState(context, retries=self.retries or 0)
        return Wait(
            began=state.find_start(poked or datetime.now(UTC)),
            seconds=self._seconds,
            messages=messages,
            plan=plan,
            state=state,
        )

    def _start_tracker(self, wait: Wait) -> DeliveryTracker:
        msg_ids, untracked = wait.messages.load(open_path)
        return DeliveryTracker(
            msg_ids,
            untracked=untracked,
            criteria=self.criteria,
            concurrency=self.polling.concurrency,
            unconfirmed=wait.state.load_unconfirmed() if self.reschedule else None,
            began=wait.began.timestamp(),
        )

    @property
    def _report_files(self) -> ReportFiles:
        return ReportFiles(
            report_path=self.report_path,
            undelivered_path=self.undelivered_path,
            language=self.report_language,
        )

    def _write_files(self, wait: Wait, tracker: DeliveryTracker) -> str | None:
        """Write what this process knows of the messages, and return what went wrong."""
        if wait.plan is None:
            return None
        from airflow_provider_osonsms.delivery.report.write import try_to_write_report

        price = OsonSmsHook(self.osonsms_conn_id).get_settings().price_per_part
        return try_to_write_report(wait.plan, tracker, open_path=open_path, price_per_part=price)

    def _finish(self, result: WaitResult, context: Context) -> dict[str, Any]:
        files = self._report_files.name_files(problem=result.problem)
        self.page_path = find_page(files)  # for the link, which also a failed wait has
        add_to_asset_events(context, result.summary.counts)
        finish(result, criteria=self.criteria, timeout=self._seconds, soft_fail=bool(self.soft_fail))
        return result.summary.to_dict() | files

    def _defer(self, wait: Wait) -> NoReturn:
        from airflow_provider_osonsms.triggers.osonsms import OsonSmsDeliveryTrigger

        self.defer(
            trigger=OsonSmsDeliveryTrigger(
                began=wait.began.isoformat(),
                deadline=wait.deadline.isoformat(),
                msg_ids=wait.messages.msg_ids,
                untracked=wait.messages.untracked,
                sources=[asdict(table) for table in wait.messages.sources],
                osonsms_conn_id=self.osonsms_conn_id,
                criteria=asdict(self.criteria),
                polling=asdict(self.polling),
                report=None if wait.plan is None else asdict(wait.plan),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self._seconds) + GRACE,
        )
        raise AssertionError("defer() does not return")

    def _get_next_poke_interval(self, *_: Any) -> float:
        """Grow as the trigger's pauses do, to the deadline; Airflow's own back-off overflows within a day."""
        now = datetime.now(UTC)
        age, left = (now - self._wait.began).total_seconds(), (self._wait.deadline - now).total_seconds()
        return max(0.0, min(self.polling.plan_pause(age), left))
