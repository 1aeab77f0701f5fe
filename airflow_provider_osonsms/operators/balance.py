"""Read the balance."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_provider_osonsms._compat import BaseOperator, Context
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.operators.errors import airflow_errors
from airflow_provider_osonsms.protocol.errors import OsonSmsError


class BalanceTooLowError(OsonSmsError):
    """The balance is below the minimum of the task."""


class OsonSmsBalanceOperator(BaseOperator):
    """Read the balance, and fail below a minimum.

    Args:
        min_balance: Somoni; None for no minimum.
        osonsms_conn_id: Id of the Connection.

    Returns:
        ``{"balance"}`` in somoni, a float for people and conditions.

    Raises:
        BalanceTooLowError: Top up; a retry reads it again.
        AirflowFailException: The account is refused.

    Reference:
        OsonSMS protocol 1.5, §4.
    """

    template_fields: Sequence[str] = ("osonsms_conn_id",)
    ui_color = "#f3ecd2"

    def __init__(
        self,
        *,
        min_balance: float | str | Decimal | None = None,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_balance = None if min_balance is None else _read_somoni(min_balance)
        self.osonsms_conn_id = osonsms_conn_id

    def execute(self, context: Context) -> dict[str, float]:  # noqa: ARG002
        """Read the balance; see the class."""
        with airflow_errors():
            balance = OsonSmsHook(self.osonsms_conn_id).get_balance()
        self.log.info("Balance: %s somoni", balance)
        if self.min_balance is not None and balance < self.min_balance:
            raise BalanceTooLowError(
                f"The balance is {balance} somoni, below the minimum of {self.min_balance}: top it up"
            )
        return {"balance": float(balance)}


def _read_somoni(value: float | str | Decimal) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise ValueError("min_balance must be a number of somoni, such as 50")
    return amount
