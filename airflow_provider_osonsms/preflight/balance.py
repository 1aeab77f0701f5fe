"""Checks of the balance before a task sends."""

from decimal import Decimal

from airflow_provider_osonsms.protocol.errors import InvalidSettingsError, OsonSmsError


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


def check_balance(parts: int, *, price_per_part: Decimal | None, balance: Decimal) -> None:
    """Check that *balance*, in somoni, covers the cost of *parts*.

    Raises:
        InvalidSettingsError: The price of a part is not set.
        BalanceTooLowError: The balance is below the cost.
    """
    if price_per_part is None:
        raise InvalidSettingsError(
            "require_balance needs the price of a part: set 'price_per_part' in the Connection's extra"
        )
    cost = price_per_part * parts
    if cost > balance:
        raise BalanceTooLowError(
            f"This try sent nothing: the estimated cost is {cost:.2f} somoni ({parts} parts) and the balance "
            f"is {balance:.2f}. Top up; the task's next try, or a Clear, sends"
        )
