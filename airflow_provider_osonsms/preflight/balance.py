"""Whether the balance covers what would be sent."""

from decimal import Decimal

from airflow_provider_osonsms.protocol.errors import InvalidSettingsError, OsonSmsError


class BalanceTooLowError(OsonSmsError):
    """The balance is too low; nothing was sent, and a later try may."""


def check_min_balance(balance: Decimal, *, minimum: Decimal | None) -> None:
    """Return when *balance* is not below *minimum*, in somoni.

    Raises:
        BalanceTooLowError: It is.
    """
    if minimum is not None and balance < minimum:
        raise BalanceTooLowError(
            f"The balance is {balance} somoni, below the minimum of {minimum}: top it up"
        )


def check_balance(parts: int, *, price_per_part: Decimal | None, balance: Decimal) -> None:
    """Return when *balance* covers *parts*, in somoni.

    Raises:
        InvalidSettingsError: Nobody knows the price.
        BalanceTooLowError: It does not.
    """
    if price_per_part is None:
        raise InvalidSettingsError(
            "require_balance needs the price of a part: set 'price_per_part' in the Connection's extra"
        )
    cost = price_per_part * parts
    if cost > balance:
        raise BalanceTooLowError(
            f"Nothing was sent: the estimated cost is {cost:.2f} somoni ({parts} parts) and the balance is "
            f"{balance:.2f}. Top up; the task's next try, or a Clear, sends"
        )
