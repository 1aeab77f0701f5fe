"""Create bulk jobs."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms._context import identify_task, open_state_store
from airflow_provider_osonsms.bulk.jobs import BulkRun, OnUnconfirmed
from airflow_provider_osonsms.bulk.send_at import read_send_at, require_future
from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.messages.estimate import estimate_text
from airflow_provider_osonsms.operators.audience import AudienceOperator
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.redaction import unwrap
from airflow_provider_osonsms.preflight.message import check_parts, choose_sender, read_common_text
from airflow_provider_osonsms.preflight.parameters import check_max_parts, read_name
from airflow_provider_osonsms.protocol.models import BulkJob

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience
    from airflow_provider_osonsms.bulk.files import BulkFile


class OsonSmsBulkCreateOperator(AudienceOperator):
    """Create a bulk job: one text for many numbers, sent by the gateway at a given time, not trackable.

    More than 384,615 recipients become several jobs. A job whose upload was not answered may exist: it is not
    repeated by default, because the protocol documents no protection against a second one.

    Args:
        message: One text for all, or the name of a ``.txt`` or ``.j2`` file with it. Braces are doubled: a
            ``{column}`` is an error here, only a campaign has a text for each.
        send_at: Aware datetime, ISO text or template; without a zone it means Asia/Dushanbe.
        sender: One of the account's sender names; default: the Connection's.
        campaign_id: Your name of this campaign, instead of dag, run and task, as part of the keys. One name
            is one text at one time: name next week's campaign anew.
        transliterate: Write the text in Latin letters, which usually halves its parts.
        max_parts: Fail instead of creating a job whose text is billed as more parts.
        on_unconfirmed: ``fail``, or ``resend`` to repeat an unanswered upload with the same txn_id, trusting
            protocol 1.5 §1.
        dry_run: Check everything, log a preview with the cost, and create nothing.
        kwargs: Who is texted: see `AudienceOperator`.

    Returns:
        ``{"campaign_id", "bulk_names", "txn_ids", "recipients", "rejected", "reject_reasons",
        "parts_per_message", "send_at"}``: numbers of recipients and rejects, rejects by reason. After a dry
        run the names are an empty list, and ``preview`` is there too.

    Raises:
        AirflowSkipException: There is nobody to text. AirflowFailException: A retry would not help, or could
        text people twice; the text says what to do. OsonSmsError: Try again: the failed upload created no
        job, or with ``resend`` is repeated under its key.

    Reference:
        OsonSMS protocol 1.5, §5; wire-notes 15.
    """

    template_fields: Sequence[str] = (
        *AudienceOperator.template_fields,
        "message",
        "send_at",
        "sender",
        "campaign_id",
    )
    template_ext: Sequence[str] = (".txt", ".j2")
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}
    ui_color = "#d8ecf8"

    def __init__(
        self,
        *,
        message: str,
        send_at: datetime | str,
        sender: str | None = None,
        campaign_id: str | None = None,
        transliterate: bool = False,
        max_parts: int | None = None,
        on_unconfirmed: str = OnUnconfirmed.FAIL,
        dry_run: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.message = message
        self.send_at = send_at
        self.sender = sender
        self.campaign_id = campaign_id
        self.transliterate = transliterate
        self.max_parts = check_max_parts(max_parts)
        self.on_unconfirmed = OnUnconfirmed(on_unconfirmed)
        self.is_dry_run = dry_run

    def execute(self, context: Context) -> dict[str, Any]:
        """Create the jobs; see the class."""
        identity = identify_task(context)
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            campaign_id = read_name(self.campaign_id, "campaign_id")
            send_at = read_send_at(self.send_at)
            text = read_common_text(unwrap(self.message), is_latin=self.transliterate)
            parts = check_parts(text, max_parts=self.max_parts)
            sender = choose_sender(self.sender, settings)
            audience = self._read_audience(settings)
            self._report_rejects(audience)
            self._check_policy(audience)
            result = {
                "campaign_id": campaign_id or identity.campaign_id,
                "bulk_names": [],
                "txn_ids": [],
                "recipients": len(audience),
                "rejected": len(audience.rejects),
                "reject_reasons": audience.rejects.count(),
                "parts_per_message": parts,
                "send_at": send_at.isoformat(),
            }
            if self.is_dry_run:
                require_future(send_at, datetime.now(UTC))
                return {**result, "preview": self._preview(text, audience, hook)}
            for sentence in estimate_text(text, recipients=len(audience)).advice.slips():
                self.log.warning("%s", sentence)
            make_txn_id = partial(
                identity.make_bulk_txn_id, campaign_id=campaign_id, namespace=settings.key_namespace
            )
            jobs = [
                BulkJob(
                    csv=file.content,
                    text=text,
                    sender=sender,
                    txn_id=make_txn_id(file.digest),
                    send_at=send_at,
                )
                for file in _split(audience)
            ]
            with open_client(settings.account) as client:
                run = BulkRun(
                    client,
                    open_state_store(context),
                    store_key=f"osonsms_bulk_{make_txn_id('')}",
                    history=identity.history,
                    on_unconfirmed=self.on_unconfirmed,
                    has_own_campaign_id=campaign_id is not None,
                )
                receipts = run.create(jobs, check_time=lambda: require_future(send_at, datetime.now(UTC)))
        return {
            **result,
            "bulk_names": [receipt.bulk_name for receipt in receipts],
            "txn_ids": [receipt.txn_id for receipt in receipts],
        }

    def _preview(self, text: str, audience: "Audience", hook: OsonSmsHook) -> dict[str, Any]:
        preview = estimate_text(text, recipients=len(audience)).make_preview(
            rejects=audience.rejects.count(), settings=hook.get_settings(), balance=hook.get_balance()
        )
        self.log.info("Dry run: no job is created\n%s", preview.to_markdown())
        return preview.to_dict()

    def _redact(self) -> None:
        super()._redact()
        self._redact_text("message")


def _split(audience: "Audience") -> "Iterable[BulkFile]":
    from airflow_provider_osonsms.bulk.files import split_into_files

    return split_into_files(audience.msisdns)
