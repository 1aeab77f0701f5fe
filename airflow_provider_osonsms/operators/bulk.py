"""The bulk operator."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import identify_task, open_state_store
from airflow_provider_osonsms._metrics import Metric, TaskMetrics
from airflow_provider_osonsms._storage import open_path, spell_path
from airflow_provider_osonsms.arguments import FLAG, NAME, PATH, choice, optional
from airflow_provider_osonsms.bulk.jobs import BulkRun, OnUnconfirmed
from airflow_provider_osonsms.bulk.memory import JobMemory, refuse_other_txn_ids
from airflow_provider_osonsms.bulk.plan import BulkPlan
from airflow_provider_osonsms.bulk.receipts import Receipts, count_recipients
from airflow_provider_osonsms.bulk.send_at import read_send_at, require_future
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.exactly_once.store import StateStore
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.messages.estimate import estimate_text
from airflow_provider_osonsms.messages.languages import find_mapping_problem
from airflow_provider_osonsms.messages.preview import Preview
from airflow_provider_osonsms.operators.audience import AudienceOperator
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.redaction import unwrap
from airflow_provider_osonsms.operators.template_argument import (
    TemplateArgument,
    WrongArgumentError,
    is_template,
    require_rendered,
)
from airflow_provider_osonsms.preflight.cost import Spending
from airflow_provider_osonsms.preflight.message import check_parts, choose_sender, read_common_text
from airflow_provider_osonsms.preflight.window import (
    ALWAYS_OPEN,
    Closed,
    OutsideWindow,
    OutsideWindowError,
    SendWindow,
)
from airflow_provider_osonsms.protocol.models import BulkJob, BulkReceipt
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME
from airflow_provider_osonsms.spending.folder import NO_RECORDS, OwnRecords, require_inside
from airflow_provider_osonsms.tables.paths import check_writable, name_file

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience


class OsonSmsBulkCreateOperator(AudienceOperator):
    """Create a bulk job: one text for many numbers, which the gateway sends at a given time; not trackable.

    More than 384,615 recipients become several jobs. A job whose upload was not answered may exist: by
    default it is not repeated, because the protocol documents no protection against a second job.

    Args:
        message: One text for all, or the name of a ``.txt`` or ``.j2`` file with it. Braces are doubled; a
            ``{column}`` is an error, because only a campaign has a text for each row.
        send_at: Aware datetime, ISO text or template; without a zone it means Asia/Dushanbe. Outside the
            ``send_window`` and the ``send_days`` it is moved to their next opening.
        sender: One of the account's sender names; default: the Connection's.
        campaign_id: Your name of this campaign, from which the keys are made instead of dag, run and task.
            One name is one text at one time: next week's campaign needs a new name.
        transliterate: Write the text in Latin letters, which usually halves its parts.
        on_unconfirmed: What to do about a job whose upload was not answered. ``fail``; once somebody has
            looked in the cabinet, ``assume_created`` goes on with the next job, and ``resend`` repeats the
            upload with the same txn_id, trusting protocol 1.5 §1; below Airflow 3.3 without *receipt_path* it
            repeats the uploads of all jobs. Both are for one try: set ``fail`` again before the next run.
        receipt_path: Folder where a receipt of each job is kept: then a later try, and with a ``campaign_id``
            of yours another run too, creates no job that exists. Without it the task state store of Airflow
            3.3 holds that within one run; another run under the same ``campaign_id`` uploads again.
        dry_run: Check everything, log a preview with the cost, and create nothing.
        kwargs: The audience: see `AudienceOperator`. Guards of money and time: see `GuardedOperator`. Of the
            caps, *history* holds for a bulk job, and *once_per* is refused. A job is in no history, because
            it has no results table.

    Returns:
        ``{"campaign_id", "bulk_names", "txn_ids", "recipients", "rejected", "reject_reasons",
        "ignored_exclusions", "parts_per_message", "send_at"}``: numbers of recipients and rejects, rejects by
        reason, entries of ``exclude`` that are no phones. After a dry run, the names are an empty list, and
        ``preview`` is added.

    Raises:
        AirflowSkipException: No recipient is left, or the run is too late. AirflowFailException: A retry
        would not help, or could text people twice; the text says what to do. OsonSmsError: Try again: the
        failed upload created no job, or with ``resend`` is repeated under its key.

    Reference:
        OsonSMS protocol 1.5, §5; docs/wire-notes.md "Bulk".
    """

    template_fields: Sequence[str] = (
        *AudienceOperator.template_fields,
        "message",
        "send_at",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}
    ui_color = "#d8ecf8"

    sender = TemplateArgument(optional(NAME))
    campaign_id = TemplateArgument(optional(NAME))
    transliterate = TemplateArgument(FLAG)
    on_unconfirmed = TemplateArgument(choice(OnUnconfirmed))
    receipt_path = TemplateArgument(optional(PATH, "no receipts"))
    dry_run = TemplateArgument(FLAG)  # type: ignore[assignment]  # hides a method that Airflow left

    def __init__(
        self,
        *,
        message: str,
        send_at: datetime | str,
        sender: str | None = None,
        campaign_id: str | None = None,
        transliterate: bool = False,
        on_unconfirmed: str = OnUnconfirmed.FAIL,
        receipt_path: Any = None,
        dry_run: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (problem := find_mapping_problem(message)) is not None:
            raise WrongArgumentError(problem)
        self.message = message
        self.send_at = send_at
        self.sender = sender
        self.campaign_id = campaign_id
        self.transliterate = transliterate
        self.on_unconfirmed = on_unconfirmed
        self.receipt_path = spell_path(receipt_path)
        self.dry_run = dry_run
        if not is_template(self.once_per):
            self._refuse_once_per()

    def execute(self, context: Context) -> dict[str, Any]:
        """Create the jobs; see the class."""
        require_rendered(self)
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            asked, window = read_send_at(self.send_at), self._read_window()
            moved = self._find_opening(asked, window)
            plan = self._make_plan(context, settings, send_at=moved)
            self._refuse_once_per()
            store = open_state_store(context)
            if not self.dry_run:
                refuse_other_txn_ids(store, plan.store_key)
            memory = self._open_memory(plan, store)
            now, history_at = self._clock(), memory.read_history_at()
            audience = self._read_audience(settings, full=self._find_full(now, until=history_at))
            self._report_rejects(audience)
            jobs = list(plan.make_jobs(audience))
            left = [job for job in jobs if memory.may_upload(job, assumes_created=self._assumes_created)]
            spending, own = self._find_spending(plan, memory, jobs=jobs, left=left)
            if left or not jobs:
                self._check_policy(audience)
            result = self._summarize(plan, audience)
            if self.dry_run:
                require_future(plan.send_at, self._clock())
                timing = self._describe_move(context, asked, window, moved=moved)
                preview = self._preview(plan, audience, hook.get_balance(), settings=settings, timing=timing)
                self._guard_money(
                    spending,
                    price_per_part=settings.price_per_part,
                    read_balance=lambda: preview.balance,
                    own=own,
                )
                return {**result, "preview": preview.to_dict()}
            if left:
                self._guard_time(context, asked, window, moved=moved, memory=memory)
            self._guard_money(
                spending, price_per_part=settings.price_per_part, read_balance=hook.get_balance, own=own
            )
            if left and self.history is not None:
                memory.save_history_at(history_at or now)
            receipts = self._create_jobs(plan, jobs, memory=memory, settings=settings)
        result["bulk_names"] = [receipt.bulk_name for receipt in receipts]
        result["txn_ids"] = [receipt.txn_id for receipt in receipts]
        return result

    def _refuse_once_per(self) -> None:
        if self.once_per is not None:
            raise WrongArgumentError(
                "once_per is not for a bulk job: the gateway takes a job of many phones as one message, and "
                "cannot hold to a cap for each of them. Leave out who has had enough with history, at_most "
                "and within, or send a campaign"
            )

    @property
    def _assumes_created(self) -> bool:
        return self.on_unconfirmed is OnUnconfirmed.ASSUME_CREATED

    @staticmethod
    def _find_opening(send_at: datetime, window: SendWindow) -> datetime:
        """Return *send_at*, or the next opening of *window* after it.

        It depends on nothing but the arguments: a later try finds the same time.
        """
        answer = window.judge(send_at)
        return answer.until.astimezone(TAJIK_TIME) if isinstance(answer, Closed) else send_at

    def _guard_time(
        self, context: Context, asked: datetime, window: SendWindow, *, moved: datetime, memory: JobMemory
    ) -> None:
        """Skip a run that is too late, and say when the jobs go out; a move makes them later."""
        sent = None
        if memory.names or memory.is_blind:
            sent = "Jobs of earlier tries exist, or may exist"
        self._refuse_lateness(context, self._clock() + (moved - asked), sent=sent)
        if moved == asked:
            return
        if self.outside_window is OutsideWindow.FAIL:
            raise OutsideWindowError(
                f"send_at {asked:%Y-%m-%d %H:%M} is outside the send {window}, and outside_window is 'fail': "
                f"this try created no job. The window opens at {moved:%Y-%m-%d %H:%M}: choose a send_at "
                f"inside it, or set outside_window='move'"
            )
        self.log.info(
            "send_at %s is outside the send %s: the jobs go out at %s",
            asked.isoformat(),
            window,
            moved.isoformat(),
        )

    def _describe_move(
        self, context: Context, asked: datetime, window: SendWindow, *, moved: datetime
    ) -> str | None:
        """Say what the guards of time would do now; None where there is none."""
        why = self._find_lateness(context, self._clock() + (moved - asked))
        if why is not None:
            return f"would be skipped: {why}"
        if moved != asked:
            verb = "fail" if self.outside_window is OutsideWindow.FAIL else "be moved"
            return f"would {verb}: outside the {window}, which opens at {moved:%Y-%m-%d %H:%M}"
        return None if window is ALWAYS_OPEN else f"would go out at {asked:%Y-%m-%d %H:%M}"

    def _make_plan(self, context: Context, settings: Settings, *, send_at: datetime) -> BulkPlan:
        text = read_common_text(unwrap(self.message), is_latin=self.transliterate)
        return BulkPlan(
            task=identify_task(context),
            campaign_id=self.campaign_id,
            namespace=settings.key_namespace,
            text=text,
            parts=check_parts(text, max_parts=self.max_parts),
            sender=choose_sender(self.sender, settings),
            send_at=send_at,
        )

    def _open_memory(self, plan: BulkPlan, store: StateStore) -> JobMemory:
        return JobMemory(
            store, store_key=plan.store_key, history=plan.task.history, receipts=self._open_receipts(plan)
        )

    def _find_spending(
        self, plan: BulkPlan, memory: JobMemory, *, jobs: list[BulkJob], left: list[BulkJob]
    ) -> tuple[Spending, OwnRecords]:
        """Return what is left to upload, and which receipts in the folder of a budget are of that."""
        recipients = sum(map(count_recipients, left))
        others = sum(map(count_recipients, jobs)) - recipients
        spending = Spending(
            messages=recipients,
            parts=recipients * plan.parts,
            sent_messages=others,
            sent_parts=others * plan.parts,
        )
        folder = self._open_budget_folder()
        if folder is None or (receipts := memory.receipts) is None:
            if folder is not None:
                require_inside(None, folder, argument="receipt_path")
            return spending, NO_RECORDS
        require_inside(receipts.folder, folder, argument="receipt_path")
        return spending, OwnRecords(frozenset(name_file(receipts.find_path(job)) for job in left))

    def _create_jobs(
        self,
        plan: BulkPlan,
        jobs: list[BulkJob],
        *,
        memory: JobMemory,
        settings: Settings,
    ) -> list[BulkReceipt]:
        for sentence in estimate_text(plan.text, recipients=1).advice.list_stray_sentences():
            self.log.warning("%s", sentence)
        with open_client(settings.account) as client:
            run = BulkRun(
                client,
                memory,
                on_unconfirmed=self.on_unconfirmed,
                has_own_campaign_id=plan.campaign_id is not None,
            )
            unknown = [job for job in jobs if not memory.names.get(job.txn_id)]
            try:
                return run.create(jobs, check_time=lambda: require_future(plan.send_at, self._clock()))
            finally:
                created = [job for job in unknown if memory.names.get(job.txn_id)]
                self._measure(created, plan)

    def _measure(self, created: Sequence[BulkJob], plan: BulkPlan) -> None:
        metrics = TaskMetrics(
            dag_id=plan.task.dag_id, task_id=plan.task.task_id, conn_id=self.osonsms_conn_id
        )
        metrics.count(Metric.BULK_JOBS, len(created))
        metrics.count(Metric.BULK_RECIPIENTS, sum(map(count_recipients, created)))

    def _open_receipts(self, plan: BulkPlan) -> Receipts | None:
        if self.receipt_path is None:
            return None
        place = open_path(str(self.receipt_path))
        if not self.dry_run:
            check_writable(place / "receipt", "receipt_path")
        return Receipts(place, plan, clock=self._clock)

    def _summarize(self, plan: BulkPlan, audience: "Audience") -> dict[str, Any]:
        return {
            "campaign_id": plan.name,
            "bulk_names": [],
            "txn_ids": [],
            "recipients": len(audience),
            "rejected": len(audience.rejects),
            "reject_reasons": audience.rejects.count(),
            "ignored_exclusions": audience.ignored_exclusions,
            "parts_per_message": plan.parts,
            "send_at": plan.send_at.isoformat(),
        }

    def _preview(
        self,
        plan: BulkPlan,
        audience: "Audience",
        balance: Decimal,
        *,
        settings: Settings,
        timing: str | None,
    ) -> Preview:
        preview = estimate_text(plan.text, recipients=len(audience)).make_preview(
            rejects=audience.rejects.count(),
            settings=settings,
            balance=balance,
            ignored_exclusions=audience.ignored_exclusions,
            timing=timing,
        )
        self.log.info("Dry run: no job is created\n%s", preview.to_markdown())
        return preview

    def _redact(self) -> None:
        super()._redact()
        self._redact_text("message")
