"""Checks of the balance before a task sends."""

from decimal import Decimal

from airflow_provider_osonsms.preflight.cost import Spending, price_parts
from airflow_provider_osonsms.protocol.errors import OsonSmsError


class BalanceTooLowError(OsonSmsError):
    """The balance is too low; this try sent nothing, and a later try may send."""


def check_min_balance(balance: Decimal, *, minimum: Decimal | None) -> None:
    """Check that *balance* is at least *minimum*, both in somoni.

    Raises:
        BalanceTooLowError: The balance is below.
    """
    if minimum is not None and balance < minimum:
        raise BalanceTooLowError(
            f"The balance is {balance} somoni, below the minimum of {minimum}: top it up"
        )


def check_balance(
    spending: Spending, *, price_per_part: Decimal | None, balance: Decimal, reserve: Decimal | None = None
) -> None:
    """Check that *balance* covers what is left to send, and that *reserve* remains; all in somoni.

    Raises:
        InvalidSettingsError: The price of a part is not set.
        BalanceTooLowError: The balance is below.
    """
    needed_by = "require_balance" if reserve is None else "balance_reserve"
    cost = price_parts(spending.parts, price_per_part, needed_by=needed_by)
    if cost + (reserve or 0) > balance:
        rest = "" if reserve is None else f", of which balance_reserve={reserve:.2f} must remain"
        raise BalanceTooLowError(
            f"{spending}: the estimated cost is {cost:.2f} somoni ({spending.parts} parts) and the balance "
            f"is {balance:.2f}{rest}. Top up; the task's next try, or a Clear, sends"
        )
