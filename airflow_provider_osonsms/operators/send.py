"""The send operator."""

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow_provider_osonsms._compat import AirflowFailException, Context
from airflow_provider_osonsms._context import identify_task, open_state_store
from airflow_provider_osonsms._metrics import TaskMetrics
from airflow_provider_osonsms.arguments import FLAG, NAME, optional, whole_number
from airflow_provider_osonsms.audience.phones.one import mask_phone
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.exactly_once.send import refuse_other_txn_ids, send_exactly_once
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.messages.estimate import estimate_text
from airflow_provider_osonsms.messages.languages import find_mapping_problem
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.mapping import refuse_shared_txn_id
from airflow_provider_osonsms.operators.redaction import RedactingOperator, unwrap
from airflow_provider_osonsms.operators.template_argument import (
    TemplateArgument,
    WrongArgumentError,
    require_rendered,
)
from airflow_provider_osonsms.preflight.message import CHANNEL, PHONE, check_parts, make_message, read_phone
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Outcome, SendReceipt


class OsonSmsSendOperator(RedactingOperator):
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
        max_parts: Fail if the text is billed as more parts.
        ignore_suppression: Send even to somebody on the Connection's ``suppression`` list: for a text that
            the person waits for, such as a code.
        dry_run: Check everything, log a preview with the cost, and send nothing.
        osonsms_conn_id: Id of the Connection.

    Returns:
        ``{"txn_id", "msg_id", "parts", "outcome", "osonsms_conn_id"}``. The outcome is ``accepted``;
        ``accepted_untracked`` with msg_id None when the answer was lost; ``pending`` after a dry run.

    Raises:
        AirflowSkipException: The number is on the Connection's ``suppression`` list, or not on its
        ``allowed_phones``.
        AirflowFailException: A retry would not help; the text says what would.
        OsonSmsError: A retry may help, and sends under the same key.

    Reference:
        OsonSMS protocol 1.5, §2.
    """

    template_fields: Sequence[str] = ("message",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}
    ui_color = "#d8ecf8"

    phone = TemplateArgument(PHONE)
    sender = TemplateArgument(optional(NAME))
    txn_id = TemplateArgument(optional(NAME))
    channel = TemplateArgument(CHANNEL)
    is_confidential = TemplateArgument(FLAG)
    transliterate = TemplateArgument(FLAG)
    max_parts = TemplateArgument(optional(whole_number(), "no limit"))
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
        max_parts: int | None = None,
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
        self.max_parts = max_parts
        self.ignore_suppression = ignore_suppression
        self.dry_run = dry_run
        self.osonsms_conn_id = osonsms_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the message; see the class."""
        require_rendered(self)
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            identity = identify_task(context)
            if identity.map_index >= 0 and self.txn_id is not None:
                refuse_shared_txn_id(self)
            phone = read_phone(unwrap(self.phone))
            own_txn_id = identity.make_send_txn_id(
                phone, channel=self.channel, namespace=settings.key_namespace
            )
            message = make_message(
                phone,
                unwrap(self.message),
                settings=settings,
                txn_id=self.txn_id or own_txn_id,
                sender=self.sender,
                channel=self.channel,
                is_confidential=self.is_confidential,
                is_latin=self.transliterate,
            )
            parts = check_parts(message.text, max_parts=self.max_parts)
            if not self.ignore_suppression:
                hook.refuse_suppressed([phone], settings)
            if self.dry_run:
                preview = estimate_text(message.text, recipients=1).make_preview(
                    rejects={}, settings=settings, balance=hook.get_balance()
                )
                self.log.info("Dry run: nothing is sent to %s\n%s", mask_phone(phone), preview.to_markdown())
                return self._to_dict(SendReceipt(txn_id=message.txn_id, parts=parts, outcome=Outcome.PENDING))
            self.log.info("Sending to %s as txn_id %s (%d parts)", mask_phone(phone), message.txn_id, parts)
            history = TxnIdHistory.MAYBE_ACCEPTED if self.txn_id else identity.history
            store = open_state_store(context)
            if self.txn_id is None:
                message_id = identity.identify_message(phone, channel=self.channel)
                refuse_other_txn_ids(store, own_txn_id, identity=message_id)
            with open_client(settings.account) as client:
                receipt = send_exactly_once(client, message, store=store, history=history)
            if not receipt.is_stored:
                metrics = TaskMetrics(
                    dag_id=identity.dag_id, task_id=identity.task_id, conn_id=self.osonsms_conn_id
                )
                metrics.count_outcomes({receipt.outcome: 1})
        return self._report(receipt, phone, parts)

    def _report(self, receipt: SendReceipt, phone: str, parts: int) -> dict[str, Any]:
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
