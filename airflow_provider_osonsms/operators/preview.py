"""See what a campaign would do, and send nothing."""

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms.campaign.messages import check_max_parts
from airflow_provider_osonsms.campaign.personal import read_personal_text
from airflow_provider_osonsms.campaign.tally import tally_campaign
from airflow_provider_osonsms.hooks.failures import sorted_failures
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.audience import AudienceOperator
from airflow_provider_osonsms.operators.concealing import reveal


class OsonSmsCampaignPreviewOperator(AudienceOperator):
    """Tell who a campaign would text, who not and why, in how many parts and at what cost; send nothing.

    It fails where the campaign would: after the preview is in the log.

    Args:
        message: A text with columns, ``"Салом, {name}! Қарз {amount:.2f} сомонӣ"``, or the name of a ``.txt``
            or ``.j2`` file with it. Jinja comes first, once; a literal brace is doubled.
        message_column: Column of the texts, instead of *message*.
        key_column: Column that tells two rows with one number apart.
        transliterate: Write the texts in Latin letters, which usually halves the parts.
        max_parts: Reject rows whose text is billed as more parts.
        max_rate: Messages per second, for the sending time; default: the Connection's.
        is_confidential: Show no samples.
        kwargs: Who is texted: see `AudienceOperator`.

    Returns:
        ``{"recipients", "rejected", "reject_reasons", "parts", "parts_distribution", "cost", "balance",
        "balance_after", "seconds", "samples", "advice", "markdown"}``: somoni, None where the Connection
        names no ``price_per_part``; seconds, None without a rate; three samples with masked values.

    Raises:
        AirflowSkipException: There is nobody to text. AirflowFailException: A retry would not help; the text
        says what would.

    Reference:
        OsonSMS protocol 1.5, §4.
    """

    template_fields: Sequence[str] = (*AudienceOperator.template_fields, "message")
    template_ext: Sequence[str] = (".txt", ".j2")
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}
    ui_color = "#e3e8f8"

    def __init__(
        self,
        *,
        message: str | None = None,
        message_column: str | None = None,
        key_column: str | None = None,
        transliterate: bool = False,
        max_parts: int | None = None,
        max_rate: float | None = None,
        is_confidential: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.message = message
        self.message_column = message_column
        self.key_column = key_column
        self.transliterate = transliterate
        self.max_parts = check_max_parts(max_parts)
        if max_rate is not None and max_rate <= 0:
            raise ValueError("max_rate must be a number of messages per second above 0, or None")
        self.max_rate = max_rate
        self.is_confidential = is_confidential

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Count everything; see the class."""
        with sorted_failures():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            text = read_personal_text(
                reveal(self.message),
                self.message_column,
                is_latin=self.transliterate,
                max_parts=self.max_parts,
            )
            audience, tally = tally_campaign(
                self._read_audience(settings, key_column=self.key_column, columns=text.columns),
                text,
                samples=0 if self.is_confidential else 3,
            )
            self._report_rejects(audience)
            preview = tally.make_preview(
                rejects=audience.rejects.count(),
                settings=settings,
                balance=hook.get_balance(),
                max_rate=self.max_rate or settings.max_rate,
            )
            self.log.info("Nothing is sent. Preview:\n%s", preview.to_markdown())
            for sentence in tally.advice.slips():
                self.log.warning("%s", sentence)
            self._hold_to_policy(audience)
        return preview.to_dict()

    def _conceal(self) -> None:
        super()._conceal()
        if self.message is not None:
            self._conceal_text("message")
