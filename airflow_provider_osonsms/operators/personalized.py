"""The base of the operators that send a personal text to each recipient."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from airflow_provider_osonsms.arguments import COLUMN, FLAG, FRACTION, NAME, RATE, ZONE, optional
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.messages.estimate import Estimate, estimate_campaign
from airflow_provider_osonsms.messages.languages import find_language_problem
from airflow_provider_osonsms.messages.source import MessageSource, read_message_source
from airflow_provider_osonsms.operators.audience import AudienceOperator
from airflow_provider_osonsms.operators.redaction import unwrap
from airflow_provider_osonsms.operators.template_argument import (
    TemplateArgument,
    WrongArgumentError,
    is_template,
)
from airflow_provider_osonsms.preflight.cost import Spending
from airflow_provider_osonsms.preflight.rate import choose_rate
from airflow_provider_osonsms.spending.folder import NO_RECORDS, OwnRecords

if TYPE_CHECKING:
    from airflow_provider_osonsms.audience.audience import Audience
    from airflow_provider_osonsms.audience.suppression import SuppressionList

_SAMPLES = 3


class PersonalizedOperator(AudienceOperator):
    """Renders the texts of an audience, counts them before a message is sent, and previews the cost.

    Args:
        message: A text with columns, ``"Салом, {name}! Қарз {amount:.2f} сомонӣ"``, or the name of a ``.txt``
            or ``.j2`` file with it. Jinja renders it first, once; a literal brace is doubled. Or such a text
            for each language, ``{"tg": "Салом, {name}!", "ru": "reminder.ru.j2"}``.
        message_column: Column of the texts, instead of *message*.
        language_column: Column of the language of each row, for a *message* with several.
        default_language: Language of the rows that name none, or an unknown one; default: they are rejected.
        timezone: Time zone in which aware times of the columns are written.
        key_column: Column of a unique key, for an audience with several rows for one number.
        transliterate: Write the texts in Latin letters, which usually halves the parts.
        max_rate: Messages per second at most, evenly spread; default: the Connection's, else no limit.
        rate_share: This task's share of the Connection's ``max_rate``, in place of *max_rate*: ``"1/4"`` for
            four tasks at a time.
        is_confidential: Ask the gateway not to keep the texts, and show no samples.
        kwargs: The audience: see `AudienceOperator`. Guards of money and time: see `GuardedOperator`.
    """

    template_fields: Sequence[str] = (*AudienceOperator.template_fields, "message")
    template_fields_renderers: ClassVar[dict[str, str]] = {"message": "txt"}

    message_column = TemplateArgument(optional(COLUMN, "one message for all"))
    language_column = TemplateArgument(optional(COLUMN, "one text for all"))
    default_language = TemplateArgument(optional(NAME, "no text for an unknown language"))
    timezone = TemplateArgument(ZONE)
    key_column = TemplateArgument(optional(COLUMN, "the phone"))
    transliterate = TemplateArgument(FLAG)
    max_rate = TemplateArgument(optional(RATE, "that of the Connection"))
    rate_share = TemplateArgument(optional(FRACTION, "all of it"))
    is_confidential = TemplateArgument(FLAG)

    def __init__(
        self,
        *,
        message: str | Mapping[str, str] | None = None,
        message_column: str | None = None,
        language_column: str | None = None,
        default_language: str | None = None,
        timezone: str = "Asia/Dushanbe",
        key_column: str | None = None,
        transliterate: bool = False,
        max_rate: float | None = None,
        rate_share: float | str | None = None,
        is_confidential: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.message = message
        self.message_column = message_column
        self.language_column = language_column
        self.default_language = default_language
        self.timezone = timezone
        is_known = not is_template(self.default_language)
        problem = find_language_problem(
            message,
            language_column=self.language_column,
            default_language=self.default_language if is_known else None,
        )
        if problem is not None:
            raise WrongArgumentError(problem)
        self.key_column = key_column
        self.transliterate = transliterate
        self.max_rate = max_rate
        self.rate_share = rate_share
        if self.max_rate is not None and self.rate_share is not None:
            raise WrongArgumentError("max_rate and rate_share say the same in two ways: give one of them")
        self.is_confidential = is_confidential

    def render_template(
        self, content: Any, context: Any, jinja_env: Any = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Render *content*; of a message for each language, each text."""
        rest = (context, jinja_env, seen_oids)
        is_message = content is self.message and id(content) not in (seen_oids or ())
        if not (is_message and isinstance(content, Mapping)):
            return super().render_template(content, *rest)
        return {
            language: super(PersonalizedOperator, self).render_template(text, *rest)
            for language, text in content.items()
        }

    def _prepare_texts(
        self, settings: Settings, *, full: "SuppressionList | None" = None
    ) -> "tuple[MessageSource, Audience, Estimate]":
        """Read audience and source of its texts, render each text to count it, and log the rejects.

        Args:
            settings: Of the Connection.
            full: Who has had enough messages, and is rejected; None for nobody.
        """
        source = read_message_source(
            unwrap(self.message),
            self.message_column,
            is_latin=self.transliterate,
            max_parts=self.max_parts,
            language_column=self.language_column,
            default_language=self.default_language,
            zone=ZoneInfo(self.timezone),
        )
        audience, estimate = estimate_campaign(
            self._read_audience(
                settings,
                key_column=self.key_column,
                columns=source.columns,
                languages=source.languages,
                full=full,
            ),
            source,
            samples=0 if self.is_confidential else _SAMPLES,
        )
        self._report_rejects(audience)
        for sentence in estimate.advice.list_stray_sentences():
            self.log.warning("%s", sentence)
        return source, audience, estimate

    def _preview(
        self,
        audience: "Audience",
        estimate: Estimate,
        *,
        spending: Spending,
        balance: Decimal,
        settings: Settings,
        timing: str | None,
        own: OwnRecords = NO_RECORDS,
    ) -> dict[str, Any]:
        """Log the preview, check the limits of the task, and return the preview."""
        preview = estimate.make_preview(
            rejects=audience.rejects.count(),
            settings=settings,
            balance=balance,
            max_rate=choose_rate(settings, max_rate=self.max_rate, rate_share=self.rate_share),
            ignored_exclusions=audience.ignored_exclusions,
            timing=timing,
        )
        self.log.info("Nothing is sent. Preview:\n%s", preview.to_markdown())
        self._check_policy(audience)
        self._guard_money(
            spending, price_per_part=settings.price_per_part, read_balance=lambda: balance, own=own
        )
        return preview.to_dict()

    def _redact(self) -> None:
        super()._redact()
        if self.message is not None:
            self._redact_text("message")
