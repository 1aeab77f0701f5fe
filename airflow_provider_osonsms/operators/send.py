"""The send operator."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSkipException, Context
from airflow_provider_osonsms._context import identify_task, open_state_store
from airflow_provider_osonsms._metrics import TaskMetrics
from airflow_provider_osonsms.arguments import FLAG, NAME, optional
from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.exactly_once.cap import Cap, recall_period
from airflow_provider_osonsms.exactly_once.send import (
    has_begun,
    read_memory,
    refuse_other_txn_ids,
    send_exactly_once,
)
from airflow_provider_osonsms.exactly_once.store import NullStateStore, StateStore
from airflow_provider_osonsms.exactly_once.task import TaskIdentity
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.messages.estimate import estimate_text
from airflow_provider_osonsms.messages.languages import find_mapping_problem
from airflow_provider_osonsms.operators.capped import CappedOperator
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.mapping import refuse_shared_txn_id
from airflow_provider_osonsms.operators.redaction import unwrap
from airflow_provider_osonsms.operators.template_argument import (
    TemplateArgument,
    WrongArgumentError,
    require_rendered,
)
from airflow_provider_osonsms.preflight.cost import Spending
from airflow_provider_osonsms.preflight.message import CHANNEL, PHONE, check_parts, make_message, read_phone
from airflow_provider_osonsms.preflight.window import Open, SendWindow
from airflow_provider_osonsms.protocol.flows import PATIENCE
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Message, Outcome, SendReceipt
from airflow_provider_osonsms.spending.folder import NO_RECORDS, OwnRecords
from airflow_provider_osonsms.spending.send_table import SendTable, record_send
from airflow_provider_osonsms.tables.paths import name_file


class OsonSmsSendOperator(CappedOperator):
    """Send one message to one number, exactly once, however often the task runs.

    Args:
        phone: A number of Tajikistan in any usual spelling.
        message: The text, or the name of a ``.txt`` or ``.j2`` file with it.
        sender: One of the account's sender names; default: the Connection's.
        txn_id: Your key of this message, such as ``{{ params.invoice }}``; a key is sent once, whatever the
            run, so mapped tasks that share one are refused. Default: made of dag, run, task and map index, so
            that a retry and a *Clear* do not send again.
        channel: ``telegram``, or None for an SMS.
        is_confidential: Ask the gateway not to keep the text.
        transliterate: Write the text in Latin letters, which usually halves its parts.
        ignore_suppression: Send even to somebody on the Connection's ``suppression`` list: for a text that
            the person waits for, such as a code.
        dry_run: Check everything, log a preview with the cost, and send nothing.
        osonsms_conn_id: Id of the Connection.
        kwargs: The caps: see `CappedOperator`. Under ``once_per`` there is no *txn_id* of yours. Guards of
            money and time: see `GuardedOperator`. With a ``budget``, a table of one row is written to
            ``budget_path``.

    Returns:
        ``{"txn_id", "msg_id", "parts", "outcome", "osonsms_conn_id"}``. The outcome is ``accepted``;
        ``accepted_untracked`` with msg_id None when the answer was lost; ``pending`` after a dry run.

    Raises:
        AirflowSkipException: The number is on the Connection's ``suppression`` list, or not on its
        ``allowed_phones``; or has had enough messages of the category; or the run is too late.
        AirflowFailException: A retry would not help; the text says what would.
        OsonSmsError: A retry may help, and sends under the same key.

    Reference:
        OsonSMS protocol 1.5, §2.
    """

    template_fields: Sequence[str] = (*CappedOperator.template_fields, "message")
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}
    ui_color = "#d8ecf8"

    phone = TemplateArgument(PHONE)
    sender = TemplateArgument(optional(NAME))
    txn_id = TemplateArgument(optional(NAME))
    channel = TemplateArgument(CHANNEL)
    is_confidential = TemplateArgument(FLAG)
    transliterate = TemplateArgument(FLAG)
    ignore_suppression = TemplateArgument(FLAG)
    dry_run = TemplateArgument(FLAG)  # type: ignore[assignment]  # hides a method that Airflow left
    osonsms_conn_id = TemplateArgument(NAME)

    def __init__(
        self,
        *,
        phone: str,
        message: str,
        sender: str | None = None,
        txn_id: str | None = None,
        channel: str | None = None,
        is_confidential: bool = False,
        transliterate: bool = False,
        ignore_suppression: bool = False,
        dry_run: bool = False,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (problem := find_mapping_problem(message)) is not None:
            raise WrongArgumentError(problem)
        self.phone = phone
        self.message = message
        self.sender = sender
        self.txn_id = txn_id
        self.channel = channel
        self.is_confidential = is_confidential
        self.transliterate = transliterate
        self.ignore_suppression = ignore_suppression
        self.dry_run = dry_run
        self.osonsms_conn_id = osonsms_conn_id
        if txn_id is not None and self.once_per is not None:
            raise WrongArgumentError("txn_id and once_per are two keys of one message: give one of them")

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the message; see the class."""
        return self.resume(context)

    def resume(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:  # noqa: ARG002
        """Send the message once the send window is open; see the class."""
        require_rendered(self)
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            identity = identify_task(context)
            if identity.map_index >= 0 and self.txn_id is not None:
                refuse_shared_txn_id(self)
            store = open_state_store(context)
            cap = self._find_cap(context, store, namespace=settings.key_namespace)
            message = self._make_message(identity, settings, cap=cap)
            parts = check_parts(message.text, max_parts=self.max_parts)
            if not self.ignore_suppression:
                hook.refuse_suppressed([message.phone], settings)
            if not has_begun(store, message.txn_id):
                self._skip_full(message.phone, identity)
            receipt, known = read_memory(store, message.txn_id, history=identity.history)
            table = self._open_table(identity, message, parts=parts, known=known)
            if receipt is None and table is not None:
                receipt = table.receipt
            spending = Spending(messages=0, parts=0) if receipt else Spending(messages=1, parts=parts)
            own = NO_RECORDS if table is None else OwnRecords(frozenset({name_file(table.path)}))
            window = self._read_window()
            if self.dry_run:
                return self._preview(
                    message,
                    spending=spending,
                    own=own,
                    balance=hook.get_balance(),
                    settings=settings,
                    timing=self._describe_timing(context, window),
                )
            if self.txn_id is None:
                message_id = identity.identify_message(message.phone, channel=self.channel)
                refuse_other_txn_ids(store, message.txn_id, identity=message_id)
            if receipt is None:
                self._guard_time(context, window, known=known)
            self._guard_money(
                spending, price_per_part=settings.price_per_part, read_balance=hook.get_balance, own=own
            )
            if receipt is None:
                history = TxnIdHistory.MAYBE_ACCEPTED if self.txn_id else identity.history
                receipt = self._send(
                    message,
                    settings,
                    parts=parts,
                    store=store,
                    history=history if cap is None else cap.history,
                    table=table,
                    patience=self._find_patience(window),
                )
                if not receipt.is_stored:
                    self._measure(identity, receipt.outcome)
            else:
                self.log.info("An earlier try ended as %s: nothing is sent again", receipt.outcome)
        return self._report(receipt, message.phone, parts)

    def _send(
        self,
        message: Message,
        settings: Settings,
        *,
        parts: int,
        store: StateStore,
        history: TxnIdHistory,
        table: SendTable | None,
        patience: float,
    ) -> SendReceipt:
        self.log.info(
            "Sending to %s as txn_id %s (%d parts)", mask_phone(message.phone), message.txn_id, parts
        )
        with open_client(settings.account) as client, record_send(table) as on_history:
            receipt = send_exactly_once(
                client, message, store=store, history=history, on_history=on_history, patience=patience
            )
            if table is not None:
                table.end(receipt)
        return receipt

    def _find_patience(self, window: SendWindow) -> float:
        """Return for how many seconds a pause of the gateway is awaited: not until *window* has closed."""
        now = self._clock()
        answer = window.judge(now)
        return min(PATIENCE, (answer.until - now).total_seconds()) if isinstance(answer, Open) else PATIENCE

    def _make_message(self, identity: TaskIdentity, settings: Settings, *, cap: Cap | None) -> Message:
        phone, namespace = read_phone(unwrap(self.phone)), settings.key_namespace
        if cap is not None:
            txn_id = cap.make_txn_ids(namespace).make(phone)
        else:
            txn_id = self.txn_id or identity.make_send_txn_id(
                phone, channel=self.channel, namespace=namespace
            )
        return make_message(
            phone,
            unwrap(self.message),
            settings=settings,
            txn_id=txn_id,
            sender=self.sender,
            channel=self.channel,
            is_confidential=self.is_confidential,
            is_latin=self.transliterate,
            is_capped=cap is not None,
        )

    def _open_table(
        self, identity: TaskIdentity, message: Message, *, parts: int, known: TxnIdHistory
    ) -> SendTable | None:
        """Open the table that a budget needs of this send; None without a budget.

        Under a cap, the txn_id is that of other tasks, too. A task that is capped would write over what one
        of them has spent, so each has a table of its own.
        """
        folder = self._open_budget_folder()
        if folder is None:
            return None
        own_name = identity.identify_message(message.phone, channel=message.channel)
        return SendTable(
            folder,
            own_name if message.is_capped else message.txn_id,
            message,
            parts=parts,
            try_number=identity.try_number,
            history=known,
            clock=self._clock,
        )

    def _guard_time(self, context: Context, window: SendWindow, *, known: TxnIdHistory) -> None:
        """Skip a run that is too late, and wait for the window."""
        is_unused = known is TxnIdHistory.UNUSED
        sent = None if is_unused else "An earlier try may have sent the message"
        self._refuse_lateness(context, self._find_moment(window), sent=sent)
        self._wait_for(window)

    def _preview(
        self,
        message: Message,
        *,
        spending: Spending,
        own: OwnRecords,
        balance: Decimal,
        settings: Settings,
        timing: str | None,
    ) -> dict[str, Any]:
        preview = estimate_text(message.text, recipients=1).make_preview(
            rejects={}, settings=settings, balance=balance, timing=timing
        )
        self.log.info("Dry run: nothing is sent to %s\n%s", mask_phone(message.phone), preview.to_markdown())
        self._guard_money(
            spending, price_per_part=settings.price_per_part, read_balance=lambda: balance, own=own
        )
        return self._to_dict(SendReceipt(txn_id=message.txn_id, parts=preview.parts, outcome=Outcome.PENDING))

    def _find_cap(self, context: Context, store: StateStore, *, namespace: str) -> Cap | None:
        if self.once_per is None or self.category is None:
            return None
        category, phone = self.category, read_phone(unwrap(self.phone))

        def has_begun_in(period: str) -> bool:
            txn_ids = Cap(category=category, period=period).make_txn_ids(namespace)
            return has_begun(store, txn_ids.make(phone))

        is_first = identify_task(context).try_number == 1
        return self._open_cap(
            context,
            now=self._clock(),
            begun=recall_period(store, has_begun_in),
            is_first=is_first,
            knows_all=is_first and not isinstance(store, NullStateStore),
        )

    def _measure(self, identity: TaskIdentity, outcome: Outcome) -> None:
        metrics = TaskMetrics(dag_id=identity.dag_id, task_id=identity.task_id, conn_id=self.osonsms_conn_id)
        metrics.count_outcomes({outcome: 1})

    def _skip_full(self, phone: str, identity: TaskIdentity) -> None:
        full = self._find_full(self._clock())
        if full is not None and full.choose([phone]):
            if not self.dry_run:
                self._measure(identity, Outcome.CAPPED)
            raise AirflowSkipException(
                f"This try sent nothing: {mask_phone(phone)} has had {self.at_most} messages of category "
                f"'{self.category}' in the last {self.within}"
            )

    def _report(self, receipt: SendReceipt, phone: str, parts: int) -> dict[str, Any]:
        if receipt.outcome is Outcome.CAPPED:
            raise AirflowSkipException(
                f"Nothing was sent: {mask_phone(phone)} has a message of category '{self.category}' of this "
                f"{self.once_per} already"
            )
        if receipt.outcome is Outcome.UNCERTAIN and self.once_per is not None:
            raise AirflowFailException(
                f"It is unknown whether this message was sent to {mask_phone(phone)}, or another one of "
                f"category '{self.category}': an answer was lost, then txn_id {receipt.txn_id} was taken. It "
                f"is not sent again. Look in the cabinet which one it is, and mark this task as success"
            )
        if receipt.outcome is Outcome.UNCERTAIN:
            raise AirflowFailException(
                f"It is unknown whether the message to {mask_phone(phone)} was sent: the gateway reported "
                f"an error first and then knew its txn_id {receipt.txn_id}. It is not sent again. Look for "
                f"it in the cabinet. If it is there, mark this task as success. If it is not there, send it "
                f"from a task of its own: a new run of this DAG would send its other messages again"
            )
        if receipt.outcome is Outcome.ACCEPTED_UNTRACKED:
            self.log.warning(
                "The gateway knows txn_id %s already: the message to %s was accepted before, by an attempt "
                "whose answer was lost or by another task with this key. It cannot be tracked to delivery",
                receipt.txn_id,
                mask_phone(phone),
            )
        else:
            self.log.info(
                "Accepted for %s: msg_id %s, %s parts", mask_phone(phone), receipt.msg_id, receipt.parts
            )
        if receipt.parts not in (None, parts):
            self.log.warning("Billed as %s parts, estimated as %d", receipt.parts, parts)
        return self._to_dict(receipt)

    def _to_dict(self, receipt: SendReceipt) -> dict[str, Any]:
        return {
            "txn_id": receipt.txn_id,
            "msg_id": receipt.msg_id,
            "parts": receipt.parts,
            "outcome": str(receipt.outcome),
            "osonsms_conn_id": self.osonsms_conn_id,
        }

    def _redact(self) -> None:
        self._redact_field("phone", mask_phone(self.phone))
        self._redact_text("message")
