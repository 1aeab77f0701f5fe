"""The balance operator."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from airflow_provider_osonsms._compat import BaseOperator, Context
from airflow_provider_osonsms.arguments import NAME, SOMONI, optional
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.operators.rendering import render_each
from airflow_provider_osonsms.operators.template_argument import TemplateArgument, require_rendered
from airflow_provider_osonsms.preflight.balance import check_min_balance


class OsonSmsBalanceOperator(BaseOperator):
    """Read the balance, and fail if it is below a minimum.

    Args:
        min_balance: Somoni; None for no minimum.
        osonsms_conn_id: Id of the Connection.

    Returns:
        ``{"balance"}`` in somoni, a float.

    Raises:
        BalanceTooLowError: The balance is below the minimum; a retry reads it again.
        AirflowFailException: The account is refused.

    Reference:
        OsonSMS protocol 1.5, §4.
    """

    template_fields: Sequence[str] = ()
    ui_color = "#f3ecd2"

    min_balance = TemplateArgument(optional(SOMONI, "no minimum"))
    osonsms_conn_id = TemplateArgument(NAME)

    def __init__(
        self,
        *,
        min_balance: float | str | Decimal | None = None,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_balance = min_balance
        self.osonsms_conn_id = osonsms_conn_id

    def execute(self, context: Context) -> dict[str, float]:  # noqa: ARG002
        """Read the balance; see the class."""
        require_rendered(self)
        with airflow_errors():
            balance = OsonSmsHook(self.osonsms_conn_id).get_balance()
        self.log.info("Balance: %s somoni", balance)
        check_min_balance(balance, minimum=self.min_balance)
        return {"balance": float(balance)}

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        render_each(super()._do_render_template_fields, parent, template_fields, *args, **kwargs)
