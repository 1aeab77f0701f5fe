"""This package's errors as Airflow's, for hook calls from any task: final ones are not retried.

A final error is its own class and AirflowFailException at once: ``except OsonSmsError`` still catches it, and
if nobody does, Airflow gives up without a retry. A phone that must not be texted skips the task in the same
way. All other errors are left as they are, and the task retries.

`protocol.history` decides for each error whether a retry may help.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSkipException
from airflow_provider_osonsms.protocol.errors import OsonSmsError, PhoneNotAllowedError, PhoneSuppressedError
from airflow_provider_osonsms.protocol.history import TxnIdHistory, may_send_again, read_proof


@contextmanager
def task_errors(*, may_repeat: bool = True) -> Iterator[None]:
    """Let final errors fail the task without a retry, and those about a forbidden phone skip it.

    Args:
        may_repeat: Whether the call that may have been accepted can be repeated under its txn_id. A bulk job
            cannot: it could text everybody twice.
    """
    try:
        yield
    except OsonSmsError as error:
        outcome = _choose_outcome(error, may_repeat=may_repeat)
        if outcome is not None and not isinstance(error, outcome):
            # The same error, not one raised from it: a chain would keep what the first was raised from.
            error.__class__ = _join(type(error), outcome)
        raise


def _choose_outcome(error: OsonSmsError, *, may_repeat: bool) -> type[Exception] | None:
    if isinstance(error, PhoneNotAllowedError | PhoneSuppressedError):
        return AirflowSkipException
    is_done = not may_repeat and read_proof(error).history is not TxnIdHistory.UNUSED
    return AirflowFailException if is_done or not may_send_again(error) else None


def _join(kind: type[OsonSmsError], outcome: type[Exception]) -> type[OsonSmsError]:
    """Make the class of errors that are a *kind* and an *outcome* at once, under the name of the kind."""
    return type(kind.__name__, (kind, outcome), {"__module__": kind.__module__, "__doc__": kind.__doc__})
