"""The preview operator."""

from datetime import UTC, datetime
from typing import Any

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.personalized import PersonalizedOperator
from airflow_provider_osonsms.operators.template_argument import require_rendered


class OsonSmsCampaignPreviewOperator(PersonalizedOperator):
    """Preview a campaign: its recipients, rejects, parts and cost; send nothing.

    If the audience breaks a limit of the campaign, the task fails after the preview is in the log.

    Args:
        kwargs: The texts: see `PersonalizedOperator`. The audience: see `AudienceOperator`.

    Returns:
        ``{"recipients", "rejected", "reject_reasons", "ignored_exclusions", "parts", "parts_distribution",
        "cost", "balance", "balance_after", "seconds", "samples", "advice", "markdown"}``: amounts in somoni,
        ``cost`` and ``balance_after`` None without the Connection's ``price_per_part``; ``seconds`` None
        without a rate; at most three samples, with masked values.

    Raises:
        AirflowSkipException: No recipient is left. AirflowFailException: A retry would not help; the text
        says what would.

    Reference:
        OsonSMS protocol 1.5, §4.
    """

    ui_color = "#e3e8f8"

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Preview the campaign; see the class."""
        require_rendered(self)
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            full = self._find_full(datetime.now(UTC))
            _, audience, estimate = self._prepare_texts(settings, full=full)
            return self._preview(audience, estimate, hook=hook, settings=settings)
