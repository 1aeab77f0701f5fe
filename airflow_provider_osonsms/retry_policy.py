"""When a task tries again after an error of this package: a ``retry_policy`` for Airflow 3.3 and newer.

Below 3.3, leave it out: a final error fails the task without a retry there, too, and all others wait for the
task's ``retry_delay``.
"""

from datetime import timedelta
from secrets import SystemRandom
from typing import Any, Final

from airflow_provider_osonsms.arguments import SECONDS
from airflow_provider_osonsms.preflight.balance import BalanceTooLowError
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import SendAgain, may_send_again, read_proof

try:
    from airflow.sdk import RetryDecision, RetryPolicy
except ImportError:
    raise ImportError(
        "OsonSmsRetryPolicy needs Airflow 3.3 or newer. On this version leave retry_policy out: an error "
        "that a retry cannot solve fails the task at once here, too, and others wait for retry_delay"
    ) from None

_RANDOM: Final = SystemRandom()
_SOONEST: Final = 0.5
"""A wait is between this share of its full length and all of it, so that tasks that failed together part."""


class OsonSmsRetryPolicy(RetryPolicy):
    """Fail at once where a retry is no use, wait for a top-up, and try again more and more rarely otherwise.

    An error that is not of this package has the task's own ``retries`` and ``retry_delay``.

    Args:
        balance_delay: How long to wait when the balance is used up, or too low: timedelta or seconds.
        first_delay: At most how long to wait after the first try; doubled after each further one.
        max_delay: At most how long to wait after any try.

    Raises:
        ValueError: An argument is no time.
    """

    def __init__(
        self,
        *,
        balance_delay: timedelta | float = timedelta(hours=1),
        first_delay: timedelta | float = timedelta(minutes=1),
        max_delay: timedelta | float = timedelta(minutes=30),
    ) -> None:
        self.balance_delay = SECONDS.read(balance_delay, "balance_delay")
        self.first_delay = SECONDS.read(first_delay, "first_delay")
        self.max_delay = SECONDS.read(max_delay, "max_delay")

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,  # noqa: ARG002
        context: Any = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide what the task does after *exception*; Airflow asks in the worker."""
        if not isinstance(exception, OsonSmsError):
            return RetryDecision.default()
        reason = type(exception).__name__
        waits_for_money = read_proof(exception).send_again is SendAgain.IN_A_NEW_TRY
        if waits_for_money or isinstance(exception, BalanceTooLowError):
            return RetryDecision.retry(timedelta(seconds=self.balance_delay), reason=reason)
        if not may_send_again(exception):
            return RetryDecision.fail(reason=reason)
        doublings = min(max(try_number - 1, 0), 32)
        longest = min(self.first_delay * 2**doublings, self.max_delay)
        return RetryDecision.retry(
            timedelta(seconds=longest * _RANDOM.uniform(_SOONEST, 1)), reason=f"{reason}, for now"
        )

    def serialize(self) -> dict[str, Any]:
        """Return the arguments, in seconds."""
        return {
            "balance_delay": self.balance_delay,
            "first_delay": self.first_delay,
            "max_delay": self.max_delay,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "OsonSmsRetryPolicy":
        """Return the policy whose arguments are *data*."""
        return cls(**data)
