"""How many messages a task may send in a second: the Connection's ``max_rate`` is that of the account."""

from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.protocol.errors import InvalidMessageError


def choose_rate(
    settings: Settings, *, max_rate: float | None, rate_share: float | None, is_mapped: bool = False
) -> float | None:
    """Return the messages per second at most; None for no limit.

    Args:
        settings: Those of the Connection.
        max_rate: The task's own rate.
        rate_share: The task's share of the Connection's rate.
        is_mapped: Whether other tasks of its kind send at the same time.

    Raises:
        InvalidMessageError: The share has nothing that it is a share of, or the tasks would each take the
            rate of the whole account.
    """
    if rate_share is not None:
        if settings.max_rate is None:
            raise InvalidMessageError(
                "rate_share is a share of the Connection's max_rate, which is not set: set max_rate in the "
                "Connection's extra, or give max_rate in place of rate_share. Nothing was sent"
            )
        return settings.max_rate * rate_share
    if max_rate is None and settings.max_rate is not None and is_mapped:
        raise InvalidMessageError(
            f"the Connection's max_rate of {settings.max_rate:g} a second is that of the account, and each "
            f"of the mapped tasks would send at this rate: give rate_share, such as '1/4' for four tasks at "
            f"a time, or a max_rate for each. Nothing was sent"
        )
    return settings.max_rate if max_rate is None else max_rate
