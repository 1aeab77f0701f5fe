"""The base of the operators that send a personal text to each recipient."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_osonsms.arguments import COLUMN, FLAG, RATE, optional, whole_number
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.messages.estimate import Estimate, estimate_campaign
from airflow_provider_osonsms.messages.source import MessageSource, read_message_source
from airflow_provider_osonsms.operators.audience import AudienceOperator
from airflow_provider_osonsms.operators.redaction import unwrap
from airflow_provider_osonsms.operators.template_argument import TemplateArgument

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience

_SAMPLES = 3


class PersonalizedOperator(AudienceOperator):
    """Renders the texts of an audience, counts them before a message is sent, and previews the cost.

    Args:
        message: A text with columns, ``"Салом, {name}! Қарз {amount:.2f} сомонӣ"``, or the name of a ``.txt``
            or ``.j2`` file with it. Jinja renders it first, once; a literal brace is doubled.
        message_column: Column of the texts, instead of *message*.
        key_column: Column of a unique key, for an audience with several rows for one number.
        transliterate: Write the texts in Latin letters, which usually halves the parts.
        max_parts: Reject rows whose text is billed as more parts.
        max_rate: Messages per second at most, evenly spread; default: the Connection's, else no limit.
        is_confidential: Ask the gateway not to keep the texts, and show no samples.
        kwargs: The audience: see `AudienceOperator`.
    """

    template_fields: Sequence[str] = (*AudienceOperator.template_fields, "message")
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}

    message_column = TemplateArgument(optional(COLUMN, "one message for all"))
    key_column = TemplateArgument(optional(COLUMN, "the phone"))
    transliterate = TemplateArgument(FLAG)
    max_parts = TemplateArgument(optional(whole_number(), "no limit"))
    max_rate = TemplateArgument(optional(RATE, "that of the Connection"))
    is_confidential = TemplateArgument(FLAG)

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
        self.max_parts = max_parts
        self.max_rate = max_rate
        self.is_confidential = is_confidential

    def _prepare_texts(self, settings: Settings) -> "tuple[MessageSource, Audience, Estimate]":
        """Read audience and source of its texts, render each text to count it, and log the rejects."""
        source = read_message_source(
            unwrap(self.message), self.message_column, is_latin=self.transliterate, max_parts=self.max_parts
        )
        audience, estimate = estimate_campaign(
            self._read_audience(settings, key_column=self.key_column, columns=source.columns),
            source,
            samples=0 if self.is_confidential else _SAMPLES,
        )
        self._report_rejects(audience)
        for sentence in estimate.advice.list_stray_sentences():
            self.log.warning("%s", sentence)
        return source, audience, estimate

    def _preview(
        self, audience: "Audience", estimate: Estimate, *, hook: OsonSmsHook, settings: Settings
    ) -> dict[str, Any]:
        """Log the preview, check the limits of the task, and return the preview."""
        preview = estimate.make_preview(
            rejects=audience.rejects.count(),
            settings=settings,
            balance=hook.get_balance(),
            max_rate=self.max_rate or settings.max_rate,
            ignored_exclusions=audience.ignored_exclusions,
        )
        self.log.info("Nothing is sent. Preview:\n%s", preview.to_markdown())
        self._check_policy(audience)
        return preview.to_dict()

    def _redact(self) -> None:
        super()._redact()
        if self.message is not None:
            self._redact_text("message")
