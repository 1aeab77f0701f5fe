"""This package's errors as Airflow's: fail without a retry, skip, or let the task retry.

`protocol.history` decides for each error whether a retry may help.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_osonsms._compat import AirflowFailException, AirflowSkipException
from airflow_provider_osonsms.bulk.jobs import (
    AudienceChangedError,
    BulkTxnIdTakenError,
    UnconfirmedBulkError,
)
from airflow_provider_osonsms.campaign.send_loop import TxnIdsTakenError
from airflow_provider_osonsms.exactly_once.send import HistoryNotStoredError
from airflow_provider_osonsms.exactly_once.store import KeysChangedError
from airflow_provider_osonsms.exactly_once.task import NAMESPACE_ADVICE
from airflow_provider_osonsms.protocol.errors import (
    DuplicateTransactionError,
    OsonSmsError,
    PhoneNotAllowedError,
    PhoneSuppressedError,
)
from airflow_provider_osonsms.protocol.history import may_send_again

_NEEDS_A_PERSON = (AudienceChangedError, HistoryNotStoredError, KeysChangedError, UnconfirmedBulkError)
"""Another try could text people twice: an engineer has to look into the cabinet first."""


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turn errors that a retry cannot solve into AirflowFailException; with other errors the task retries.

    A number that is not in the Connection's ``allowed_phones`` skips the task: that list is for staging. So
    does one on its ``suppression`` list.
    """
    try:
        yield
    except (PhoneNotAllowedError, PhoneSuppressedError) as error:
        raise AirflowSkipException(f"This try sent nothing: {error}") from None
    except (BulkTxnIdTakenError, TxnIdsTakenError) as error:
        raise AirflowFailException(str(error)) from None
    except DuplicateTransactionError as error:
        raise AirflowFailException(
            f"{error}, although this task has not used it before. This try sent nothing. Look in the cabinet "
            f"first. If it shows this message, mark this task as success. If it shows another message, "
            f"{NAMESPACE_ADVICE}"
        ) from None
    except OsonSmsError as error:
        if may_send_again(error) and not isinstance(error, _NEEDS_A_PERSON):
            raise
        raise AirflowFailException(str(error)) from None
