"""Create bulk jobs."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from inspect import isfunction
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_osonsms._compat import (
    AirflowFailException,
    AirflowSkipException,
    Context,
    identify_task,
    open_journal,
)
from airflow_provider_osonsms.campaign.bulk import BulkRun, OnUnconfirmed
from airflow_provider_osonsms.campaign.concealed import NamedSource, reveal
from airflow_provider_osonsms.campaign.messages import check_parts, choose_sender, read_text
from airflow_provider_osonsms.campaign.schedule import read_send_at, require_future
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.client.settings import Settings
from airflow_provider_osonsms.hooks.failures import sorted_failures
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.concealing import ConcealingOperator
from airflow_provider_osonsms.protocol.models import BulkJob

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience


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
        campaign_id: Your name of this campaign instead of dag, run and task, as part of the keys.
        max_parts: Fail instead of creating a job whose text is billed as more parts.
        on_unconfirmed: ``fail``, or ``resend`` to repeat an unanswered upload with the same txn_id, trusting
            protocol 1.5 §1.
        osonsms_conn_id: Id of the Connection.

    Returns:
        ``{"campaign_id", "bulk_names", "txn_ids", "recipients", "rejected", "reject_reasons",
        "parts_per_message", "send_at"}``: numbers of recipients and rejects, rejects by reason.

    Raises:
        AirflowSkipException: There are no recipients at all.
        AirflowFailException: A retry would not help, or could text people twice; the text says what to do.
        OsonSmsError: Try again: no job was created by the failed upload.

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
        self.recipients = NamedSource(recipients) if isfunction(recipients) else recipients
        self.message = message
        self.send_at = send_at
        self.phone_column = phone_column
        self.sender = sender
        self.campaign_id = campaign_id
        self.max_parts = max_parts
        self.on_unconfirmed = OnUnconfirmed(on_unconfirmed)
        self.osonsms_conn_id = osonsms_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Create the jobs; see the class."""
        with sorted_failures():
            settings = OsonSmsHook(self.osonsms_conn_id).get_settings()
            send_at = read_send_at(self.send_at)
            text = read_text(reveal(self.message))
            parts = check_parts(text, max_parts=self.max_parts)
            audience = self._prepare_audience(settings)
            jobs = self._plan_jobs(
                audience.recipients["phone"], context, settings, text=text, send_at=send_at
            )
            names = self._create(jobs, context, settings, send_at=send_at)
        return {
            "campaign_id": self.campaign_id or identify_task(context).campaign_id,
            "bulk_names": names,
            "txn_ids": [job.txn_id for job in jobs],
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
        self.log.info("%s", audience.describe())
        if audience.recipients.empty and audience.rejects.empty:
            raise AirflowSkipException("There are no recipients: nothing was sent")
        if audience.recipients.empty:
            raise AirflowFailException(f"Every row was rejected, nothing was sent. {audience.describe()}")
        return audience

    def _plan_jobs(
        self, phones: Iterable[str], context: Context, settings: Settings, *, text: str, send_at: datetime
    ) -> list[BulkJob]:
        from airflow_provider_osonsms.audience.bulk_csv import split_into_files

        make_txn_id = partial(
            identify_task(context).make_bulk_txn_id,
            campaign_id=self.campaign_id,
            namespace=settings.key_namespace,
        )
        sender = choose_sender(self.sender, settings)
        return [
            BulkJob(
                csv=file.content, text=text, sender=sender, txn_id=make_txn_id(file.digest), send_at=send_at
            )
            for file in split_into_files(phones)
        ]

    def _create(
        self, jobs: list[BulkJob], context: Context, settings: Settings, *, send_at: datetime
    ) -> list[str | None]:
        identity = identify_task(context)
        own_key = identity.make_bulk_txn_id(
            "", campaign_id=self.campaign_id, namespace=settings.key_namespace
        )
        with open_client(settings.account) as client:
            run = BulkRun(
                client,
                open_journal(context),
                journal_key=f"osonsms_bulk_{own_key}",
                past=identity.past,
                on_unconfirmed=self.on_unconfirmed,
            )
            receipts = run.create(jobs, check_time=lambda: require_future(send_at, datetime.now(UTC)))
        return [receipt.bulk_name for receipt in receipts]

    def _conceal(self) -> None:
        rows = self.recipients
        shown = f"<{len(rows)} recipients>" if hasattr(rows, "__len__") else f"<{type(rows).__name__}>"
        self._conceal_field("recipients", shown)
        self._conceal_text("message")
