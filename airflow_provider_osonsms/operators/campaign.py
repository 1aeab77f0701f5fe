"""The campaign operator: a personal message for each row of an audience, exactly once."""

import time
from typing import TYPE_CHECKING, Any

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import add_to_asset_events, identify_task, open_state_store
from airflow_provider_osonsms._metrics import Metric, SpanName, TaskMetrics
from airflow_provider_osonsms._storage import resolve_path, spell_path
from airflow_provider_osonsms.arguments import (
    CONCURRENCY,
    FLAG,
    NAME,
    PATH,
    SHARE,
    optional,
    whole_number,
)
from airflow_provider_osonsms.campaign.journal import CampaignJournal, JournalBackend
from airflow_provider_osonsms.campaign.periods import find_begun_period, name_campaign
from airflow_provider_osonsms.campaign.plan import CampaignPlan, SendOptions
from airflow_provider_osonsms.campaign.result_parts import ResultParts, find_parts_folder
from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.campaign.store_chunks import StoreChunks
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.exactly_once.cap import Cap
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.messages.estimate import Estimate
from airflow_provider_osonsms.messages.source import MessageSource
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.mapping import refuse_shared_campaign_id
from airflow_provider_osonsms.operators.personalized import PersonalizedOperator
from airflow_provider_osonsms.operators.template_argument import TemplateArgument, require_rendered
from airflow_provider_osonsms.preflight.cost import Spending
from airflow_provider_osonsms.preflight.message import CHANNEL, check_sender_and_channel, choose_sender
from airflow_provider_osonsms.preflight.rate import choose_rate
from airflow_provider_osonsms.preflight.results_path import check_results_path
from airflow_provider_osonsms.preflight.window import SendWindow
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.spending.folder import NO_RECORDS, OwnRecords, count_spent, require_inside
from airflow_provider_osonsms.tables.files import TableIdentity
from airflow_provider_osonsms.tables.paths import check_table_path, name_file

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience


class OsonSmsCampaignOperator(PersonalizedOperator):
    """Send every row of an audience its own text, exactly once however often the task runs or is killed.

    One task sends all messages, many requests at a time. To scale out, map it over parts of an audience with
    one ``campaign_id``: the keys do not depend on the parts. A mapped task without one is refused, and so is
    one without a ``max_rate`` or ``rate_share`` where the Connection has a ``max_rate``, that of the account.

    Args:
        campaign_id: Your name of the campaign, from which the keys are made: under one name, a row is texted
            once, whatever the task and the run. Default: dag, run and task.
        sender: One of the account's sender names; default: the Connection's.
        channel: ``telegram``, or None for an SMS; another channel is another message.
        concurrency: Requests under way at once.
        max_consecutive_failures: Stop when so many attempts fail in a row; the task's next try goes on.
        max_failed_ratio: Fail at the end if more than this share of the messages is not known to be accepted;
            the task always fails if none is.
        results_path: Write row, key, phone, outcome, reason, txn_id, msg_id, parts, accepted_at, try and cap
            of every row there (``.csv`` or ``.parquet``); required above 1,000 recipients. It is the second
            journal: a later try reads it, so each run needs a path of its own, with ``{{ run_id }}`` in it.
        replace_results: Replace the table of another campaign at *results_path* instead of failing. It is for
            the table of another run: if this run has sent under other keys, it would text people twice.
        dry_run: Check everything, log a preview with the cost, and send nothing.
        kwargs: The texts: see `PersonalizedOperator`. The audience: see `AudienceOperator`. Guards of money
            and time: see `GuardedOperator`.

    Returns:
        ``{"campaign_id", "recipients", "outcomes", "rejected", "ignored_exclusions", "parts", "cost",
        "seconds"}`` and ``osonsms_conn_id``; with ``results_path`` where one is set, ``results`` with its
        ``rows`` and ``checksum``, and ``key_column``, else with ``messages``, a list of ``{"txn_id",
        "msg_id", "parts", "outcome"}``. ``outcomes`` and ``rejected`` count rows by outcome and by reason,
        ``ignored_exclusions`` entries of ``exclude`` that are no phones; ``parts`` are the billed ones that
        are known, ``cost`` is in somoni, None without a ``price_per_part``, ``seconds`` are those from the
        first acceptance to the last. A dry run adds ``preview``. The events of ``outlets``
        carry these counts.

    Raises:
        AirflowSkipException: No recipient is left, or the run is too late. AirflowFailException: A retry
        would not help; the text says what would. OsonSmsError: Rows are left; the next try goes on.

    Reference:
        OsonSMS protocol 1.5, §2.
    """

    ui_color = "#d8ecf8"

    campaign_id = TemplateArgument(optional(NAME))
    sender = TemplateArgument(optional(NAME))
    channel = TemplateArgument(CHANNEL)
    concurrency = TemplateArgument(CONCURRENCY)
    max_consecutive_failures = TemplateArgument(whole_number())
    max_failed_ratio = TemplateArgument(optional(SHARE, "no limit"))
    results_path = TemplateArgument(optional(PATH, "no file"))
    replace_results = TemplateArgument(FLAG)
    dry_run = TemplateArgument(FLAG)  # type: ignore[assignment]  # hides a method that Airflow left

    def __init__(
        self,
        *,
        campaign_id: str | None = None,
        sender: str | None = None,
        channel: str | None = None,
        concurrency: int = 16,
        max_consecutive_failures: int = 50,
        max_failed_ratio: float | None = None,
        results_path: Any = None,
        replace_results: bool = False,
        dry_run: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.sender = sender
        self.channel = channel
        self.concurrency = concurrency
        self.max_consecutive_failures = max_consecutive_failures
        self.max_failed_ratio = max_failed_ratio
        self.results_path = spell_path(results_path)
        self.replace_results = replace_results
        self.dry_run = dry_run
        self._run: CampaignRun | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Send what is left to send; see the class."""
        return self.resume(context)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send what is left to send once the send window is open; see the class."""
        was_interrupted = bool(event and event.get("was_interrupted"))
        require_rendered(self)
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            window = self._read_window()
            self._check_mapping(context)
            if not self.dry_run:
                self._begin_in_time(context, window, was_interrupted=was_interrupted)
            full = self._find_full(self._clock(), own_table=self.results_path)
            source, audience, estimate = self._prepare_texts(settings, full=full if self.dry_run else None)
            path = self._check_results_path(len(audience))
            cap = self._find_cap(context, settings, path=path, was_interrupted=was_interrupted)
            plan = self._make_plan(
                context, settings, source=source, audience=audience, window=window, cap=cap
            )
            run = self._open_run(
                *(context, plan, settings),
                path=path,
                had_enough=[] if full is None else audience.find_phones(full),
                was_interrupted=was_interrupted,
            )
            spending, own = self._find_spending(run, estimate, path=path)
            if self.dry_run:
                preview = self._preview(
                    audience,
                    estimate,
                    spending=spending,
                    balance=hook.get_balance(),
                    settings=settings,
                    timing=self._describe_timing(context, window),
                    own=own,
                )
                return {**run.summarize(price_per_part=settings.price_per_part), "preview": preview}
            if run.rows.open_rows:
                moment = self._find_moment(window)
                sent = self._describe_sent(context, run, was_interrupted=was_interrupted)
                self._refuse_lateness(context, moment, sent=sent)
            if run.rows.open_rows or not run.settled:
                self._check_policy(audience)
            self._guard_money(
                spending, price_per_part=settings.price_per_part, read_balance=hook.get_balance, own=own
            )
            if run.rows.open_rows:  # the window may have closed while the audience was read
                self._wait_for(window, was_interrupted=was_interrupted, done=str(spending))
            table = self._send(run, settings, context)
            if run.is_closed:
                self._wait_for(
                    window,
                    was_interrupted=was_interrupted or run.may_have_sent,
                    done=f"it closed with {run.rows.open_rows} of {len(audience)} messages left",
                )
            run.finish(max_failed_ratio=self.max_failed_ratio)
            if run.is_all_capped:
                self._end_empty(f"All {run.capped} recipients have had enough messages of the category")
        result = run.summarize(price_per_part=settings.price_per_part)
        add_to_asset_events(context, result)
        if table is None:
            result["messages"] = run.list_messages()
        else:
            result["results_path"] = str(self.results_path)
            result["results"] = {"rows": table.rows, "checksum": table.checksum}
            result["key_column"] = None if self.key_column == self.phone_column else self.key_column
        result["osonsms_conn_id"] = self.osonsms_conn_id
        return result

    def on_kill(self) -> None:
        """Begin no other row; requests under way are finished and stored."""
        if self._run is not None:
            self._run.stop()

    def _make_plan(
        self,
        context: Context,
        settings: Settings,
        *,
        source: MessageSource,
        audience: "Audience",
        window: SendWindow,
        cap: Cap | None,
    ) -> CampaignPlan:
        sender = choose_sender(self.sender, settings)
        check_sender_and_channel(settings.account, sender=sender, channel=self.channel)
        task = identify_task(context)
        namespace = settings.key_namespace
        return CampaignPlan(
            campaign_id=self.campaign_id or task.campaign_id,
            audience=audience,
            source=source,
            txn_ids=task.make_campaign_txn_ids(
                campaign_id=self.campaign_id, channel=self.channel, namespace=namespace
            )
            if cap is None
            else cap.make_txn_ids(namespace),
            category=self.category,
            cap=cap,
            options=SendOptions(
                sender=sender,
                channel=self.channel,
                is_confidential=self.is_confidential,
                concurrency=self.concurrency,
                max_rate=choose_rate(
                    settings,
                    max_rate=self.max_rate,
                    rate_share=self.rate_share,
                    is_mapped=task.map_index >= 0,
                ),
                max_consecutive_failures=self.max_consecutive_failures,
                window=window,
            ),
        )

    def _name_keys(self, context: Context, settings: Settings, last: str = "") -> str:
        """Name this campaign and everything that its own txn_ids depend on, for what is remembered of it."""
        return (
            identify_task(context)
            .make_campaign_txn_ids(
                campaign_id=self.campaign_id, channel=self.channel, namespace=settings.key_namespace
            )
            .make(last)
        )

    def _find_cap(
        self, context: Context, settings: Settings, *, path: Any, was_interrupted: bool
    ) -> Cap | None:
        if self.once_per is None or self.category is None:
            return None
        task, store = identify_task(context), open_state_store(context)
        is_first = task.try_number == 1 and not was_interrupted
        begun, has_table = find_begun_period(
            self._name_keys(context, settings, f"{self.once_per} {self.category}"),
            (self.category, self.once_per),
            campaign_id=self.campaign_id or task.campaign_id,
            store=store,
            try_number=task.try_number,
            path=path,
        )
        remembers = path is not None or not isinstance(store, NullStateStore)
        return self._open_cap(
            context,
            now=self._clock(),
            begun=begun,
            is_first=is_first,
            knows_all=(is_first and remembers) or has_table,
        )

    def _check_mapping(self, context: Context) -> None:
        """Check that no mapped task uses up the keys of another one whose text is another.

        The index is no part of the keys, because a changed partition would then text people twice.
        """
        if identify_task(context).map_index < 0:
            return
        if self.campaign_id is None:
            raise InvalidMessageError(
                "a mapped campaign needs a campaign_id: one name for all tasks, such as 'debt-{{ run_id }}', "
                "if they text parts of one audience; a name with {{ ti.map_index }} in it if each has a text "
                "of its own, which would not reach those whom another task has texted. Nothing was sent"
            )
        refuse_shared_campaign_id(self)

    def _check_results_path(self, recipients: int) -> Any:
        """Return where the results go; a dry run writes none, and reads those of earlier tries if it can."""
        path = resolve_path(self.results_path)
        if not self.dry_run:
            return check_results_path(path, recipients=recipients)
        return None if path is None else check_table_path(path, "results_path")

    def _open_run(
        self,
        context: Context,
        plan: CampaignPlan,
        settings: Settings,
        *,
        path: Any,
        had_enough: list[int],
        was_interrupted: bool,
    ) -> CampaignRun:
        task = identify_task(context)
        store = open_state_store(context)
        backends: list[JournalBackend] = []
        name = self._name_keys(context, settings)
        if plan.cap is not None:
            key = self._name_keys(context, settings, f"{self.once_per} {self.category}")
            name = name_campaign(key, plan.cap.period)
        if not isinstance(store, NullStateStore):
            store_key = f"osonsms_campaign_{name}"
            chunks = StoreChunks(store, store_key=store_key, try_number=task.try_number)
            chunks.refuse_other_keys()
            backends.append(chunks)
        parts = None
        if path is not None:
            parts = ResultParts(path, campaign=name, may_replace=self.replace_results)
            backends.append(parts)
        # With a campaign_id of the user's, another task may have used a txn_id before. Under a cap, what
        # others have used is no message of this task.
        is_shared = plan.cap is None and (self.campaign_id is not None or was_interrupted)
        tried = TxnIdHistory.MAYBE_ACCEPTED if was_interrupted else task.history
        return CampaignRun(
            plan,
            journal=CampaignJournal(
                backends,
                history=TxnIdHistory.MAYBE_ACCEPTED if is_shared else TxnIdHistory.UNUSED,
                try_history=tried if plan.cap is None else plan.cap.history,
            ),
            try_number=task.try_number,
            clock=self._clock,
            results_path=path,
            parts=parts,
            may_replace=self.replace_results,
            had_enough=had_enough,
        )

    def _send(self, run: CampaignRun, settings: Settings, context: Context) -> TableIdentity | None:
        self._run = run
        try:
            self._send_and_measure(run, settings, context)
        finally:
            table = run.write_results()
            run.log_end(
                price_per_part=settings.price_per_part, table=None if table is None else self.results_path
            )
        return table

    def _send_and_measure(self, run: CampaignRun, settings: Settings, context: Context) -> None:
        task = identify_task(context)
        metrics = TaskMetrics(dag_id=task.dag_id, task_id=task.task_id, conn_id=self.osonsms_conn_id)
        metrics.count(Metric.JOURNAL_RESUMED, int(run.is_resumed))
        began = time.monotonic()
        with metrics.span(SpanName.CAMPAIGN) as counts:
            try:
                run.send(settings.account)
            finally:
                changes = run.count_changes()
                counts.update({str(outcome): count for outcome, count in changes.items()})
                metrics.count_outcomes(changes)
                metrics.count(Metric.THROTTLED, run.throttled)
                metrics.count(Metric.JOURNAL_CHUNKS_FAILED, run.failed_writes)
                metrics.time(Metric.CAMPAIGN_DURATION, time.monotonic() - began)

    def _find_spending(
        self, run: CampaignRun, estimate: Estimate, *, path: Any
    ) -> tuple[Spending, OwnRecords]:
        """Return what is left to send, and what the folder of a budget holds of this campaign."""
        if not self._guards_money:
            return Spending(messages=0, parts=0), NO_RECORDS
        names: frozenset[str] = frozenset()
        if (folder := self._open_budget_folder()) is not None:
            require_inside(path, folder, argument="results_path")
            if self.replace_results:
                raise InvalidMessageError(
                    "replace_results would remove a table that a budget reads, and what was spent with it: "
                    "put {{ run_id }} into results_path instead. This try sent nothing"
                )
            names = frozenset(map(name_file, (path, find_parts_folder(path))))
        own = OwnRecords(names, run.read_settled, estimate.most_parts)
        if not run.settled and not run.may_have_sent:
            return Spending(messages=estimate.messages, parts=estimate.parts), own
        messages, parts = run.count_open()
        sent = count_spent(run.read_settled(), since=0, most=estimate.most_parts)
        spending = Spending(
            messages=messages,
            parts=parts,
            sent_messages=sum(count for state, count in run.rows.count().items() if state.is_taken),
            sent_parts=sent.parts,
        )
        return spending, own

    def _describe_sent(self, context: Context, run: CampaignRun, *, was_interrupted: bool) -> str | None:
        """Say what earlier tries have sent, or may have; None for nothing."""
        is_retry = identify_task(context).try_number > 1
        is_remembered = self.results_path is not None or open_state_store(context).is_lasting
        if run.is_resumed or was_interrupted or (is_retry and not is_remembered):
            return "Earlier tries may have texted a part of the audience"
        return None
