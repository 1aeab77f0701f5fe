"""From a documented error code to the error that says what to do about it.

Reference:
    OsonSMS protocol 1.5, §2.3, §3.3, §4.3; docs/wire-notes.md "Errors", "Message ids".
"""

import re

from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    DuplicateTransactionError,
    FinalRefusalError,
    GatewayError,
    TemporaryRefusalError,
)
from airflow_provider_osonsms.protocol.vocabulary import ErrorCode

_REFUSALS: dict[int, tuple[type[GatewayError], str]] = {
    ErrorCode.MISSING_FIELD: (
        FinalRefusalError,
        (
            "a mandatory field is missing or not accepted: check that the Connection's host is the gateway's "
            "API and that no proxy changes requests"
        ),
    ),
    ErrorCode.ACCOUNT_BLOCKED: (
        FinalRefusalError,
        (
            "the account is blocked or does not exist: check the login of the Connection (it is "
            "case-sensitive), or ask OsonSMS to unblock it"
        ),
    ),
    ErrorCode.INCORRECT_HASH: (
        FinalRefusalError,
        (
            "the hash or token is wrong: the password of the Connection must be the pass_salt_hash that "
            "OsonSMS gave you (the salt itself, not a hash of it), or the token when auth_scheme is bearer"
        ),
    ),
    ErrorCode.INCORRECT_SENDER: (
        FinalRefusalError,
        (
            "the sender is not registered for this account: set sender= or the Connection's extra 'sender' "
            "to a name that OsonSMS gave you"
        ),
    ),
    ErrorCode.DUPLICATE_TXN_ID: (
        DuplicateTransactionError,
        "the gateway already knows this txn_id",
    ),
    ErrorCode.NOT_STORED: (
        TemporaryRefusalError,
        "the gateway could not store the message; the same txn_id may be sent again",
    ),
    ErrorCode.NOT_SENT: (
        TemporaryRefusalError,
        "the gateway failed while sending; the same txn_id may be sent again",
    ),
    ErrorCode.SMSC_UNREACHABLE: (
        TemporaryRefusalError,
        "the gateway cannot reach the SMS center; the same txn_id may be sent again",
    ),
    ErrorCode.HOST_NOT_IN_WHITELIST: (
        FinalRefusalError,
        (
            "this machine's IP address is not on the account's white list: ask OsonSMS to add the address of "
            "your Airflow workers"
        ),
    ),
    ErrorCode.BALANCE_EXHAUSTED: (
        BalanceExhaustedError,
        "the balance is used up: top it up, then retry the task; it goes on where it stopped",
    ),
}

_REMOTE_ADDRESS = re.compile(r"Remote address is ([0-9a-fA-F.:]{3,45})")
_SENSITIVE = re.compile(r"\S*(?:https?:|[0-9a-fA-F]{16}|[0-9]{5})\S*")
_MAX_QUOTE = 160


def make_refusal(code: int, *, quote: str = "") -> GatewayError:
    """Make the error of a documented *code*; an unlisted one proves nothing and is temporary.

    Args:
        code: ``error.code`` of the answer.
        quote: ``error.msg`` of the answer. Only what helps is shown: the address that 114 names, and the
            words of an unlisted code.
    """
    if code not in _REFUSALS:
        text = (
            f"{code}: the gateway answered with a code that protocol 1.5 does not list ({clean_quote(quote)})"
        )
        return TemporaryRefusalError(text, code=code)
    error_class, text = _REFUSALS[code]
    if code == ErrorCode.HOST_NOT_IN_WHITELIST and (found := _REMOTE_ADDRESS.search(quote)):
        text = f"{text} (the gateway sees {found[1].rstrip('.')})"
    return error_class(f"{int(code)}: {text}", code=int(code))


def clean_quote(quote: str) -> str:
    """Shorten what the gateway said and take out anything like a number, a hash or a URL."""
    printable = quote[:1000].encode(errors="replace").decode()
    words = " ".join(_SENSITIVE.sub("…", printable).split())
    return words[:_MAX_QUOTE] or "no words"
