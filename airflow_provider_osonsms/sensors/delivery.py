"""The delivery sensor: waits until messages have a final status."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, NoReturn

from airflow_provider_osonsms._compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    Context,
    PokeReturnValue,
    conf,
)
from airflow_provider_osonsms._context import add_to_asset_events, identify_task
from airflow_provider_osonsms._metrics import Metric, SpanName, TaskMetrics
from airflow_provider_osonsms._storage import open_path, spell_path
from airflow_provider_osonsms.arguments import (
    FLAG,
    MAX_SECONDS,
    NAME,
    PATH,
    RATE,
    SECONDS,
    SHARE,
    Kind,
    choice,
    optional,
    whole_number,
)
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.delivery.criteria import (
    UNKNOWN_AFTER,
    UNKNOWN_LIMIT,
    Decision,
    DeliveryCriteria,
)
from airflow_provider_osonsms.delivery.inputs import TrackedMessages, read_messages
from airflow_provider_osonsms.delivery.memory import FileMemory, WaitMemory, name_msg_ids, start_tracker
from airflow_provider_osonsms.delivery.polling import MAX_POLL_INTERVAL, PollSettings
from airflow_provider_osonsms.delivery.report.plan import WrittenFiles
from airflow_provider_osonsms.delivery.report.translations import Language
from airflow_provider_osonsms.delivery.report.verdict import Ending
from airflow_provider_osonsms.delivery.result import WaitResult
from airflow_provider_osonsms.delivery.share import MAX_UNDER_WAY
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.links.osonsms import OsonSmsDeliveryReportLink
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.rendering import render_each
from airflow_provider_osonsms.operators.template_argument import (
    TemplateArgument,
    WrongArgumentError,
    list_templates,
    require_rendered,
)
from airflow_provider_osonsms.protocol.errors import GatewayError, InvalidMessageError, OsonSmsError
from airflow_provider_osonsms.sensors.finish import WaitInterruptedError, finish, read_event
from airflow_provider_osonsms.sensors.poke import GRACE, Wait, poke_once
from airflow_provider_osonsms.sensors.report_files import ReportFiles, find_page
from airflow_provider_osonsms.sensors.wait_state import WaitState
from airflow_provider_osonsms.tables.files import write_table
from airflow_provider_osonsms.tables.paths import guard_storage
from airflow_provider_osonsms.tables.results import MAX_INLINE_MESSAGES, ResultsTable
from airflow_provider_osonsms.tables.rows import ResultRow

MAX_FORGOTTEN: Final = 300
"""More messages are not queried again and again by a rescheduled task that remembers nothing."""
_MAX_REPEATS: Final = 200
_MIN_DELIVERED: Final = Kind(
    "a share from 0.0 to 1.0, such as 0.95 or '95%' (all is 1.0 or '100%'; a number of messages is "
    "min_delivered_count)",
    SHARE.parse,
)


class OsonSmsDeliverySensor(BaseSensorOperator):
    """Wait until every message has a final status, and succeed if enough messages were delivered.

    One sensor waits for all messages of a campaign, in every mode. A gateway that does not answer never fails
    the wait before the deadline; a refused account fails it at once.

    Args:
        messages: A msg_id, the output of a send or campaign task, or a list of these. The table at
            ``results_path`` is read if the output of a campaign holds no messages. Messages without a msg_id
            are counted as untracked; the sensor does not wait for them.
        osonsms_conn_id: Id of the Connection.
        min_delivered: The share of the tracked messages that must be delivered: 0.95 or ``"95%"``; default:
            all. Reaching it does not end the wait for the others before the deadline.
        min_delivered_count: Their number, in place of a share.
        accepted_is_delivered: Let ACCEPTED count as delivered, for networks that never report more.
        unknown_limit: How often in a row ``UNKNOWN``, or an answer that the msg_id is unknown, must be seen
            to be final.
        unknown_after: Seconds or timedelta since the acceptance of the messages (else since the start of the
            wait) before which neither is final: the gateway may answer for a new message only after a while.
        stop_early: End the wait once no pending message can change its verdict. Not with *undelivered_path*.
        concurrency: Queries under way at once, at most 100. All waits in one triggerer share 100 of them.
        max_rate: Queries per second at most, evenly spread; default: the Connection's, else no limit.
        poke_interval: Seconds before the second round; later pauses grow with the age of the messages.
        max_poll_interval: The longest of these pauses, in seconds.
        timeout: Seconds or timedelta until the deadline, from the start of the first try; below Airflow 3.3,
            of this try.
        report_path: Write the status of each message: ``.csv`` or ``.parquet`` for a table, ``.html`` for a
            page and a table beside it, any other name for a folder with both. It is a local path or a URL
            such as ``s3://...``, and different for each mapped task. In deferrable mode the triggerer writes
            it. A failed wait has a report too.
        report_language: The language of the page: ``en``, ``ru`` or ``tg``.
        report_title: The heading of the page, for people: ``"New year, Khujand"``.
        undelivered_path: Write key, phone, status, reach and key column of every row whose recipient was not
            reached (``.csv`` or ``.parquet``), for ``only=`` of another campaign. For that, *messages* must
            hold campaigns with a ``results_path``, and *min_delivered* should be 0.0.
        include_unknown: Write to *undelivered_path* the rows, too, of which it is not known whether the
            recipient was reached: texting these may text somebody twice.
        deferrable: Wait in the triggerer, without a worker slot.

    Returns:
        ``{"total", "delivered", "failed", "pending", "untracked", "by_status", "examples"}``: counts, counts
        by status, and a few msg_ids that are not delivered, with their status; ``report_path`` and
        ``undelivered_path`` where they were written. The events of ``outlets`` carry the counts.

    Raises:
        DeliveryFailedError: Fewer than *min_delivered* messages were delivered. No retry.
        DeliveryTimeoutError: The deadline came first. No retry.
        AirflowFailException: The Connection or *messages* is wrong. No retry.
        WrongAccountError: The gateway does not know many of the messages. No retry.
        UndeliveredNotWrittenError, TableUnavailableError: A storage failed, or a message had no answer. The
        task retries.

    Reference:
        OsonSMS protocol 1.5, §3.
    """

    template_fields: Sequence[str] = ("messages",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"messages": "json"}
    operator_extra_links = (OsonSmsDeliveryReportLink(),)
    ui_color = "#cfe8d5"

    osonsms_conn_id = TemplateArgument(NAME)
    min_delivered = TemplateArgument(optional(_MIN_DELIVERED, "all"))
    min_delivered_count = TemplateArgument(optional(whole_number(minimum=0), "a share"))
    accepted_is_delivered = TemplateArgument(FLAG)
    unknown_limit = TemplateArgument(whole_number(maximum=_MAX_REPEATS))
    unknown_after = TemplateArgument(SECONDS)
    stop_early = TemplateArgument(FLAG)
    concurrency = TemplateArgument(whole_number(maximum=MAX_UNDER_WAY))
    max_rate = TemplateArgument(optional(RATE, "that of the Connection"))
    poke_interval = TemplateArgument(SECONDS)
    max_poll_interval = TemplateArgument(SECONDS)
    report_path = TemplateArgument(optional(PATH, "no report"))
    report_language = TemplateArgument(choice(Language))
    report_title = TemplateArgument(optional(NAME, "that of the language"))
    undelivered_path = TemplateArgument(optional(PATH, "no list"))
    include_unknown = TemplateArgument(FLAG)
    deferrable = TemplateArgument(FLAG)
    timeout = TemplateArgument(SECONDS)

    def __init__(
        self,
        *,
        messages: Any,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        min_delivered: float | str | None = None,
        min_delivered_count: int | None = None,
        accepted_is_delivered: bool = False,
        unknown_limit: int = UNKNOWN_LIMIT,
        unknown_after: float | timedelta = UNKNOWN_AFTER,
        stop_early: bool = False,
        concurrency: int = 16,
        max_rate: float | None = None,
        poke_interval: float | timedelta = 10.0,
        max_poll_interval: float | timedelta = MAX_POLL_INTERVAL,
        report_path: Any = None,
        report_language: str = "en",
        report_title: str | None = None,
        undelivered_path: Any = None,
        include_unknown: bool = False,
        deferrable: bool | None = None,
        timeout: float | timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.poke_interval = poke_interval
        if timeout is not None:  # else Airflow has its own default
            self.timeout = timeout
        self.messages = messages
        self.osonsms_conn_id = osonsms_conn_id
        self.min_delivered = min_delivered
        self.min_delivered_count = min_delivered_count
        self.accepted_is_delivered = accepted_is_delivered
        self.unknown_limit = unknown_limit
        self.unknown_after = unknown_after
        self.stop_early = stop_early
        self.concurrency = concurrency
        self.max_rate = max_rate
        self.max_poll_interval = max_poll_interval
        self.report_path = spell_path(report_path)
        self.report_language = report_language
        self.report_title = report_title
        self.undelivered_path = spell_path(undelivered_path)
        self.include_unknown = include_unknown
        if deferrable is None:
            deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = deferrable
        if not list_templates(self):
            self._refuse_useless_arguments()
        self.page_path: str | None = None

    @property
    def criteria(self) -> DeliveryCriteria:
        """The conditions under which the wait ends, and is a success."""
        return DeliveryCriteria(
            min_delivered=1.0 if self.min_delivered is None else self.min_delivered,
            min_delivered_count=self.min_delivered_count,
            accepted_is_delivered=self.accepted_is_delivered,
            unknown_limit=self.unknown_limit,
            unknown_after=self.unknown_after,
            stop_early=self.stop_early,
        )

    @property
    def polling(self) -> PollSettings:
        """The rate of the status queries."""
        return PollSettings(
            poll_interval=self.poke_interval,
            max_poll_interval=self.max_poll_interval,
            concurrency=self.concurrency,
            max_rate=self.max_rate,
        )

    def _check_arguments(self) -> None:
        """Check the arguments as they were rendered."""
        require_rendered(self)
        self._refuse_useless_arguments()
        self._seconds = self.timeout

    def _refuse_useless_arguments(self) -> None:
        """Refuse what would have no effect, or another one than the user expects."""
        if self.exponential_backoff or self.max_wait is not None:
            raise WrongArgumentError(
                "pauses grow by themselves: give max_poll_interval in place of exponential_backoff"
            )
        if self.include_unknown and self.undelivered_path is None:
            raise WrongArgumentError("include_unknown needs an undelivered_path")
        if self.report_language != Language.ENGLISH and self.report_path is None:
            raise WrongArgumentError("report_language needs a report_path")
        if self.report_title is not None and self.report_path is None:
            raise WrongArgumentError("report_title needs a report_path")
        if self.min_delivered is not None and self.min_delivered_count is not None:
            raise WrongArgumentError(
                "min_delivered is a share and min_delivered_count is a number of messages: give one of them"
            )
        if self.stop_early and self.undelivered_path is not None:
            raise WrongArgumentError(
                "with stop_early, undelivered_path would lack those who fail later: leave one out"
            )

    def execute(self, context: Context) -> Any:
        """Wait; see the class."""
        self._check_arguments()
        with self._skip_errors(), airflow_errors():
            self._wait = self._begin_wait(context)
            if self.deferrable and (self._wait.messages.msg_ids or self._wait.messages.sources):
                self._defer(self._wait)
            self._tracker = self._start_tracker(self._wait)
        # our deadline comes first, because Airflow's would end the wait without the counts
        self.timeout = min(self.timeout + GRACE.total_seconds(), MAX_SECONDS)
        return super().execute(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Query the pending messages once."""
        with self._skip_errors():
            return self._poke(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """End the wait with the trigger's event; an unexpected event fails the task."""
        self._check_arguments()
        with self._skip_errors():
            state = self._read_state(context)
            plan = self._report_files.make_plan(context)
            path = state.name_file(None if plan is None else plan.memory_path)
            memory = WaitMemory() if path is None else FileMemory(path, open_path=open_path)
            result = read_event(event)
            self._count_questions(result.questions, result.throttled, context)
            return self._finish(result, memory, context)

    def _poke(self, context: Context) -> PokeReturnValue:
        wait, tracker = self._wait, self._tracker
        error = None
        if len(tracker.msg_ids):
            settings = self._read_settings(wait)
            if settings is None:
                return PokeReturnValue(is_done=False)
            asked, throttled = tracker.questions, tracker.throttled
            try:
                poke_once(wait, tracker, settings, polling=self.polling, is_rescheduled=self.reschedule)
            except GatewayError as refusal:  # the account is refused
                error = str(refusal)
            self._count_questions(tracker.questions - asked, tracker.throttled - throttled, context)
        decision = tracker.decide(
            deadline=wait.deadline.timestamp(), needs_answers=self.undelivered_path is not None
        )
        if decision is Decision.WAIT and error is None:
            pause = self.polling.describe_pause(
                self._get_next_poke_interval(), now=datetime.now(UTC).timestamp()
            )
            self.log.info("%s; %s", tracker.summarize().describe(), pause)
            return PokeReturnValue(is_done=False)
        ending = Ending(decision if error is None else None, wait.deadline.timestamp())
        result = WaitResult(
            decision=ending.decision,
            summary=tracker.summarize(),
            files=self._write_files(wait, tracker, ending),
            error=error,
            began=wait.began.timestamp(),
        )
        return PokeReturnValue(is_done=True, xcom_value=self._finish(result, wait.memory, context))

    def _read_settings(self, wait: Wait) -> Settings | None:
        """Read the Connection; None if it cannot be read for now, which ends no wait before its deadline."""
        try:
            with airflow_errors():
                return OsonSmsHook(self.osonsms_conn_id).get_settings()
        except (AirflowFailException, OsonSmsError):
            raise
        except Exception as error:  # noqa: BLE001 - the backends of Airflow have errors of their own
            name = type(error).__name__
        if datetime.now(UTC) >= wait.deadline:
            raise WaitInterruptedError(f"The Connection could not be read until the deadline ({name})")
        self.log.warning("The Connection cannot be read for now (%s): it is read again", name)
        return None

    def _read_state(self, context: Context) -> WaitState:
        return WaitState(context, retries=self.retries or 0)

    @contextmanager
    def _skip_errors(self) -> Iterator[None]:
        """Turn errors into skips where the user wants that, in every mode and at every step alike.

        Airflow does it for the errors of a poke only, and without saying why.
        """
        try:
            yield
        except (AirflowFailException, AirflowSensorTimeout) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        except OsonSmsError as error:
            if self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def _begin_wait(self, context: Context) -> Wait:
        """Read the messages, and find the start of the wait and the files to write."""
        messages = read_messages(self.messages)
        self._check_connection(messages)
        poked = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        plan = self._report_files.plan(
            messages, context, is_checked=poked is not None, is_deferred=self.deferrable
        )
        state = self._read_state(context)
        memory_path = state.name_file(None if plan is None else plan.memory_path)
        if self.reschedule and memory_path is None and messages.tables:
            memory_path = state.name_file(messages.tables[0].path)
        opened = poked or datetime.now(UTC)
        wait = Wait(
            wait_id=state.wait_id,
            try_number=state.try_number,
            began=state.find_start(opened),
            opened=opened,
            seconds=self._seconds,
            messages=messages,
            plan=plan,
            memory=state.open_memory(memory_path),
            memory_path=memory_path,
        )
        if self.deferrable and len(messages.msg_ids) > MAX_INLINE_MESSAGES:
            return replace(wait, messages=self._write_msg_ids(wait))
        return wait

    def _check_connection(self, messages: TrackedMessages) -> None:
        others = [name for name in messages.connections if name != self.osonsms_conn_id]
        if others:
            raise InvalidMessageError(
                f"the messages were sent with the Connection {others[0]!r}, and this task would ask with "
                f"{self.osonsms_conn_id!r}, whose account may not know them: set osonsms_conn_id to "
                f"{others[0]!r}, and wait for each Connection in a task of its own"
            )

    def _write_msg_ids(self, wait: Wait) -> TrackedMessages:
        """Write msg_ids, which are too many for the trigger's arguments, into a table that it reads."""
        messages = wait.messages
        if wait.memory_path is None:
            raise InvalidMessageError(
                f"messages holds {len(messages.msg_ids)} msg_ids, too many for a trigger's arguments: give "
                f"the output of a campaign with a results_path, or set a report_path: they are kept beside it"
            )
        path = name_msg_ids(wait.memory_path)
        unknown = ResultRow(*[None] * len(ResultRow._fields))
        rows = (unknown._replace(msg_id=msg_id) for msg_id in messages.msg_ids)
        identity = guard_storage(
            lambda: write_table(rows, open_path(path), kind=ResultRow), "a file beside report_path", "written"
        )
        table = ResultsTable(path=path, rows=identity.rows, checksum=identity.checksum)
        return replace(messages, msg_ids=(), sources=(*messages.sources, table))

    def _start_tracker(self, wait: Wait) -> DeliveryTracker:
        loaded = wait.messages.load(open_path)
        if self.reschedule and not wait.memory.keeps and len(loaded.msg_ids) > MAX_FORGOTTEN:
            raise InvalidMessageError(
                f"a rescheduled task would ask for all {len(loaded.msg_ids)} messages again at each poke, "
                f"because this Airflow remembers nothing: set deferrable=True, or a report_path"
            )
        return start_tracker(
            loaded,
            wait.memory,
            wait_id=wait.wait_id,
            try_number=wait.try_number,
            began=wait.began.timestamp(),
            opened=wait.opened.timestamp(),
            criteria=self.criteria,
            concurrency=self.polling.concurrency,
        )

    @property
    def _report_files(self) -> ReportFiles:
        return ReportFiles(
            report_path=self.report_path,
            undelivered_path=self.undelivered_path,
            include_unknown=self.include_unknown,
            language=self.report_language,
            title=self.report_title,
        )

    def _write_files(self, wait: Wait, tracker: DeliveryTracker, ending: Ending) -> WrittenFiles:
        if wait.plan is None:
            return WrittenFiles({})
        from airflow_provider_osonsms.delivery.report.write import try_to_write_report

        with airflow_errors():
            price = OsonSmsHook(self.osonsms_conn_id).get_settings().price_per_part
        return try_to_write_report(
            wait.plan, tracker, open_path=open_path, price_per_part=price, ending=ending
        )

    def _finish(self, result: WaitResult, memory: WaitMemory, context: Context) -> dict[str, Any]:
        is_list_lost = result.is_verdict and self.undelivered_path is not None and result.files.problem
        has_next_try = context["ti"].try_number <= context["ti"].max_tries and not self.never_fail
        if not (has_next_try and (is_list_lost or result.may_retry)):  # else that goes on from it
            memory.clear()
        files = self._report_files.name_files(result.files, needs_list=result.is_verdict)
        self.page_path = find_page(files)  # for the link, which a failed wait has too
        add_to_asset_events(context, result.summary.counts)
        metrics = self._open_metrics(context)
        began = None if result.began is None else datetime.fromtimestamp(result.began, UTC)
        with metrics.span(SpanName.WAIT, began=began) as counts:
            if result.error is None:  # else a later try may know more
                reach = self.criteria.count_reach(result.summary.by_status, total=result.summary.total)
                counts.update({str(each): count for each, count in reach.items()})
                metrics.count_reach(reach)
            finish(result, criteria=self.criteria, timeout=self._seconds, conn_id=self.osonsms_conn_id)
        return result.summary.to_dict() | files

    def _count_questions(self, asked: int, throttled: int, context: Context) -> None:
        metrics = self._open_metrics(context)
        metrics.count(Metric.WAIT_QUESTIONS, asked)
        metrics.count(Metric.THROTTLED, throttled)

    def _open_metrics(self, context: Context) -> TaskMetrics:
        task = identify_task(context)
        return TaskMetrics(dag_id=task.dag_id, task_id=task.task_id, conn_id=self.osonsms_conn_id)

    def _defer(self, wait: Wait) -> NoReturn:
        from airflow_provider_osonsms.triggers.osonsms import OsonSmsDeliveryTrigger

        self.defer(
            trigger=OsonSmsDeliveryTrigger(
                wait_id=wait.wait_id,
                try_number=wait.try_number,
                began=wait.began.isoformat(),
                deadline=wait.deadline.isoformat(),
                opened=wait.opened.isoformat(),
                msg_ids=wait.messages.msg_ids,
                untracked=wait.messages.untracked,
                sources=[asdict(table) for table in wait.messages.sources],
                osonsms_conn_id=self.osonsms_conn_id,
                criteria=asdict(self.criteria),
                polling=asdict(self.polling),
                report=None if wait.plan is None else asdict(wait.plan),
                memory_path=wait.memory_path,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self._seconds) + GRACE,
        )
        raise AssertionError("defer() does not return")

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        render_each(super()._do_render_template_fields, parent, template_fields, *args, **kwargs)

    def _get_next_poke_interval(self, *_: Any) -> float:
        """Return the trigger's pause; Airflow's back-off overflows within a day."""
        wait = self._wait
        return self.polling.plan_pause_until(
            wait.deadline.timestamp(), began=wait.began.timestamp(), now=datetime.now(UTC).timestamp()
        )
