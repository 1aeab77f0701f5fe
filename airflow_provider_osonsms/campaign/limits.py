"""What must hold before the first message of a campaign leaves."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from airflow_provider_osonsms.protocol.build import build_send
from airflow_provider_osonsms.protocol.errors import InvalidMessageError, InvalidSettingsError, OsonSmsError
from airflow_provider_osonsms.protocol.keys import make_txn_id
from airflow_provider_osonsms.protocol.models import Account, Message

MOST_INLINE: Final = 1000
"""Messages whose ids fit into an XCom."""


class BalanceTooLowError(OsonSmsError):
    """The balance does not cover the campaign; nothing was sent, and a later try may."""


def check_lateness(max_lateness: timedelta | None, *, due: datetime, now: datetime) -> str | None:
    """Return why a run that was due at *due* is too late at *now*; None when it is not."""
    if max_lateness is None or now - due <= max_lateness:
        return None
    late = timedelta(seconds=round((now - due).total_seconds()))
    return f"this run was due {late} ago and max_lateness is {max_lateness}"


def check_envelope(account: Account, *, sender: str, channel: str | None) -> None:
    """Return when a message from *sender* over *channel* can be sent at all.

    Raises:
        InvalidMessageError: No row could be sent; the text says why.
    """
    probe = Message(
        phone="992000000000", text="probe", sender=sender, txn_id=make_txn_id("probe"), channel=channel
    )
    build_send(probe, replace(account, allowed_phones=None))


def check_results_path(path: Any, *, recipients: int) -> Any:
    """Return where the results are written; None where they need not be.

    Args:
        path: What the user gave, resolved; or None.
        recipients: How many results there will be.

    Raises:
        InvalidMessageError: It is needed and missing, or cannot be written.
    """
    from airflow_provider_osonsms.audience.tables import check_table_path, check_writable

    if path is None:
        if recipients > MOST_INLINE:
            raise InvalidMessageError(
                f"{recipients} recipients are too many for an XCom: set results_path, where a row is written "
                f"for each. Nothing was sent"
            )
        return None
    place = check_table_path(path, "results_path")
    check_writable(place, "results_path")
    return place


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
