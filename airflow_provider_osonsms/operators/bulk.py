"""Create bulk jobs."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_osonsms._compat import (
    AirflowFailException,
    AirflowSkipException,
    Context,
    identify_task,
    open_journal,
)
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.campaign.bulk import BulkRun, OnUnconfirmed
from airflow_provider_osonsms.campaign.messages import (
    check_max_parts,
    check_parts,
    choose_sender,
    read_name,
    read_text,
)
from airflow_provider_osonsms.campaign.schedule import read_send_at, require_future
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.client.settings import Settings
from airflow_provider_osonsms.hooks.failures import sorted_failures
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.concealing import ConcealingOperator, name_source, reveal
from airflow_provider_osonsms.protocol.models import BulkJob

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience
    from airflow_provider_osonsms.audience.bulk_csv import BulkFile


class OsonSmsBulkCreateOperator(ConcealingOperator):
    """Create a bulk job: one text for many numbers, sent by the gateway at a given time, not trackable.

    More than 384,615 recipients become several jobs. A job whose upload was not answered may exist: it is not
    repeated by default, because the protocol documents no protection against a second one.

    Args:
        recipients: DataFrame, list of numbers, list of dicts, or a callable ``(context, jinja_env)`` that
            returns one of them, which keeps personal data out of XCom.
        message: One text for all, or the name of a ``.txt`` or ``.j2`` file with it.
        send_at: Aware datetime, ISO text or template; without a zone it means Asia/Dushanbe.
        phone_column: Column of the numbers.
        sender: One of the account's sender names; default: the Connection's.
        campaign_id: Your name of this campaign, instead of dag, run and task, as part of the keys. One name
            is one text at one time: name next week's campaign anew.
        max_parts: Fail instead of creating a job whose text is billed as more parts.
        on_unconfirmed: ``fail``, or ``resend`` to repeat an unanswered upload with the same txn_id, trusting
            protocol 1.5 §1.
        osonsms_conn_id: Id of the Connection.

    Returns:
        ``{"campaign_id", "bulk_names", "txn_ids", "recipients", "rejected", "reject_reasons",
        "parts_per_message", "send_at"}``: numbers of recipients and rejects, rejects by reason.

    Raises:
        AirflowSkipException: There are no recipients at all, or none is on the Connection's
        ``allowed_phones``. AirflowFailException: A retry would not help, or could text people twice; the text
        says what to do. OsonSmsError: Try again: the failed upload created no job, or with ``resend`` is
        repeated under its
            key.

    Reference:
        OsonSMS protocol 1.5, §5; wire-notes 15.
    """

    template_fields: Sequence[str] = (
        "recipients",
        "message",
        "send_at",
        "sender",
        "campaign_id",
        "osonsms_conn_id",
    )
    template_ext: Sequence[str] = (".txt", ".j2")
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}
    ui_color = "#d8ecf8"

    def __init__(
        self,
        *,
        recipients: Any,
        message: str,
        send_at: datetime | str,
        phone_column: str = "phone",
        sender: str | None = None,
        campaign_id: str | None = None,
        max_parts: int | None = None,
        on_unconfirmed: str = OnUnconfirmed.FAIL,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.recipients = name_source(recipients)
        self.message = message
        self.send_at = send_at
        self.phone_column = phone_column
        self.sender = sender
        self.campaign_id = campaign_id
        self.max_parts = check_max_parts(max_parts)
        self.on_unconfirmed = OnUnconfirmed(on_unconfirmed)
        self.osonsms_conn_id = osonsms_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Create the jobs; see the class."""
        identity = identify_task(context)
        with sorted_failures():
            settings = OsonSmsHook(self.osonsms_conn_id).get_settings()
            campaign_id = read_name(self.campaign_id, "campaign_id")
            send_at = read_send_at(self.send_at)
            text = read_text(reveal(self.message))
            parts = check_parts(text, max_parts=self.max_parts)
            audience = self._prepare_audience(settings)
            make_txn_id = partial(
                identity.make_bulk_txn_id, campaign_id=campaign_id, namespace=settings.key_namespace
            )
            sender = choose_sender(self.sender, settings)
            jobs = [
                BulkJob(
                    csv=file.content,
                    text=text,
                    sender=sender,
                    txn_id=make_txn_id(file.digest),
                    send_at=send_at,
                )
                for file in _split(audience.recipients["phone"])
            ]
            with open_client(settings.account) as client:
                run = BulkRun(
                    client,
                    open_journal(context),
                    journal_key=f"osonsms_bulk_{make_txn_id('')}",
                    past=identity.past,
                    on_unconfirmed=self.on_unconfirmed,
                    is_own_key=campaign_id is not None,
                )
                receipts = run.create(jobs, check_time=lambda: require_future(send_at, datetime.now(UTC)))
        return {
            "campaign_id": campaign_id or identity.campaign_id,
            "bulk_names": [receipt.bulk_name for receipt in receipts],
            "txn_ids": [receipt.txn_id for receipt in receipts],
            "recipients": len(audience.recipients),
            "rejected": len(audience.rejects),
            "reject_reasons": audience.rejects_by_reason(),
            "parts_per_message": parts,
            "send_at": send_at.isoformat(),
        }

    def _prepare_audience(self, settings: Settings) -> "Audience":
        from airflow_provider_osonsms.audience.audience import prepare_audience

        audience = prepare_audience(
            reveal(self.recipients),
            phone_column=self.phone_column,
            allowed_phones=settings.account.allowed_phones,
        )
        self.log.log(logging.INFO if audience.rejects.empty else logging.WARNING, "%s", audience.describe())
        if audience.recipients.empty and audience.rejects.empty:
            raise AirflowSkipException("There are no recipients: nothing was sent")
        if audience.recipients.empty and RejectReason.NOT_ALLOWED in audience.rejects_by_reason():
            raise AirflowSkipException("Nobody here is on the Connection's allowed_phones: nothing was sent")
        if audience.recipients.empty:
            raise AirflowFailException(f"Every row was rejected, nothing was sent. {audience.describe()}")
        return audience

    def _conceal(self) -> None:
        rows = self.recipients
        is_table = hasattr(rows, "__len__") and not isinstance(rows, str | bytes)
        self._conceal_field(
            "recipients", f"<{len(rows)} recipients>" if is_table else f"<{type(rows).__name__}>"
        )
        self._conceal_text("message")


def _split(phones: Iterable[str]) -> "Iterable[BulkFile]":
    from airflow_provider_osonsms.audience.bulk_csv import split_into_files

    return split_into_files(phones)
