"""See what a campaign would do, and send nothing."""

from typing import Any

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.personalized import PersonalizedOperator


class OsonSmsCampaignPreviewOperator(PersonalizedOperator):
    """Tell who a campaign would text, who not and why, in how many parts and at what cost; send nothing.

    It fails where the campaign would: after the preview is in the log.

    Args:
        kwargs: The text: see `PersonalizedOperator`; who is texted: see `AudienceOperator`.

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

    ui_color = "#e3e8f8"

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Count everything; see the class."""
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            _, audience, estimate = self._prepare_texts(settings)
            return self._preview(audience, estimate, hook=hook, settings=settings)
