"""The delivery sensor: waits until messages have a final status."""

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
from airflow_provider_osonsms.delivery.polling import MAX_POLL_INTERVAL, PollSettings
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
    """Wait until every message has a final status, and succeed if enough messages were delivered.

    One sensor waits for all messages of a campaign, in every mode. A gateway that does not answer never fails
    the wait before the deadline; a refused account fails it at once.

    Args:
        messages: A msg_id, the output of a send or campaign task, or a list of these. The table at
            ``results_path`` is read if the output of a campaign holds no messages. Messages without a msg_id
            are counted as untracked; the sensor does not wait for them.
        osonsms_conn_id: Id of the Connection.
        min_delivered: A float is the share of the tracked messages, 0.0 to 1.0, that must be delivered, an
            int their number. Reaching it does not end the wait for the others before the deadline.
        accepted_is_delivered: Let ACCEPTED count as delivered, for networks that never report more.
        unknown_limit: How often in a row ``UNKNOWN``, or an answer that the msg_id is unknown, must be seen
            to be final.
        concurrency: Queries under way at once.
        max_rate: Queries per second at most, evenly spread; default: the Connection's, else no limit.
        poke_interval: Seconds before the second round; later pauses grow with the age of the messages.
        max_poll_interval: The longest of these pauses, in seconds.
        timeout: Seconds until the deadline, from the start of the first try; below Airflow 3.3, of this try.
        report_path: Write the status of each message: ``.csv`` or ``.parquet`` for a table, ``.html`` for a
            page and a table beside it, any other name for a folder with both. It is a local path or a URL
            such as ``s3://...``, and different for each mapped task. In deferrable mode the triggerer writes
            it. A failed wait has a report too. In reschedule mode, the times and polls are of the last poke.
        report_language: The language of the page: ``en``, ``ru`` or ``tg``.
        undelivered_path: Write key, phone and status of every row whose recipient no message is known to have
            reached (``.csv`` or ``.parquet``), for ``only=`` of another campaign. For that, *messages* must
            hold campaigns with a ``results_path``, and *min_delivered* should be 0.0.
        deferrable: Wait in the triggerer, without a worker slot. Use it for large campaigns: reschedule mode
            queries every message again with each poke.

    Returns:
        ``{"total", "delivered", "failed", "pending", "untracked", "by_status", "examples"}``: counts, counts
        by status, and a few msg_ids that are not delivered, with their status; ``report_path`` and
        ``undelivered_path`` where they were written. The events of ``outlets`` carry the counts.

    Raises:
        DeliveryFailedError: Fewer than *min_delivered* messages were delivered. No retry.
        DeliveryTimeoutError: The deadline came first. No retry.
        AirflowFailException: The Connection or *messages* is wrong. No retry.
        UndeliveredNotWrittenError, TableUnavailableError: A storage failed, or a message had no answer. The
        task retries.

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
        max_poll_interval: float | timedelta = MAX_POLL_INTERVAL,
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
        except AirflowFailException as error:  # Airflow does the same with an error of a poke
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        # our deadline comes first, because Airflow's would end the wait without the counts
        self.timeout += GRACE.total_seconds()
        return super().execute(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Query every pending message once; after that, a deferrable wait goes on in the triggerer."""
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
        """End the wait with the trigger's event; an unexpected event fails the task."""
        return self._finish(read_event(event), context)

    def _begin_wait(self, context: Context) -> Wait:
        """Read the messages, and find the start of the wait and the files to write."""
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
        """Write the files of the wait, and return what went wrong, or None."""
        if wait.plan is None:
            return None
        from airflow_provider_osonsms.delivery.report.write import try_to_write_report

        price = OsonSmsHook(self.osonsms_conn_id).get_settings().price_per_part
        return try_to_write_report(wait.plan, tracker, open_path=open_path, price_per_part=price)

    def _finish(self, result: WaitResult, context: Context) -> dict[str, Any]:
        files = self._report_files.name_files(problem=result.problem)
        self.page_path = find_page(files)  # for the link, which a failed wait has too
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
        """Return the trigger's pause, at most to the deadline; Airflow's back-off overflows within a day."""
        now = datetime.now(UTC)
        age, left = (now - self._wait.began).total_seconds(), (self._wait.deadline - now).total_seconds()
        return max(0.0, min(self.polling.plan_pause(age), left))
