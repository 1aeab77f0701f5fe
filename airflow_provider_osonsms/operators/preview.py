"""The preview operator."""

from typing import Any

from airflow_provider_osonsms._compat import Context
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.personalized import PersonalizedOperator
from airflow_provider_osonsms.operators.template_argument import require_rendered
from airflow_provider_osonsms.preflight.cost import Spending


class OsonSmsCampaignPreviewOperator(PersonalizedOperator):
    """Preview a campaign: its recipients, rejects, parts and cost; send nothing.

    If the audience breaks a limit of the campaign, or a guard of money would stop it, the task fails after
    the preview is in the log. What the guards of time would do stands in the preview.

    Args:
        kwargs: The texts: see `PersonalizedOperator`. The audience: see `AudienceOperator`. Guards of money
            and time: see `GuardedOperator`.

    Returns:
        ``{"recipients", "rejected", "reject_reasons", "ignored_exclusions", "parts", "parts_distribution",
        "cost", "balance", "balance_after", "seconds", "timing", "samples", "advice", "markdown"}``:
        amounts in somoni, ``cost`` and ``balance_after`` None without the Connection's ``price_per_part``;
        ``seconds`` None without a rate; ``timing`` None without a guard of time; at most three samples, with
        masked values.

    Raises:
        AirflowSkipException: No recipient is left. AirflowFailException: A retry would not help; the text
        says what would.

    Reference:
        OsonSMS protocol 1.5, §4.
    """

    ui_color = "#e3e8f8"

    def execute(self, context: Context) -> dict[str, Any]:
        """Preview the campaign; see the class."""
        require_rendered(self)
        with airflow_errors():
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = hook.get_settings()
            timing = self._describe_timing(context, self._read_window())
            full = self._find_full(self._clock())
            _, audience, estimate = self._prepare_texts(settings, full=full)
            return self._preview(
                audience,
                estimate,
                spending=Spending(messages=estimate.messages, parts=estimate.parts),
                balance=hook.get_balance(),
                settings=settings,
                timing=timing,
            )
