"""From a documented error code to the error that says what to do about it.

Reference:
    OsonSMS protocol 1.5, §2.3, §3.3, §4.3; docs/wire-notes.md "Errors", "Message ids".
"""

import re
from typing import Final

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
_MAX_QUOTE = 160
_MAX_READ = 1000
_QUOTABLE_TEXT: Final = """
a account after allowed an and are as at attribute be before between blocked busy bytes can cannot
character characters code column contain contains csv date datetime day days digits does duplicate
empty error exceed exist exists failed field fields file for format found from future gateway
greater has have hash in internal invalid is it kilobytes large later length less limit login long
many match maximum may message minimum missing must no not now number numbers of off on only
operator or overload parameter past per phone please rate refused request requests required route
rows seconds select selected send sender server service short should size sms string temporarily
text than that the then this time to too try txt type unable unavailable unique unknown upload
uploaded valid validation value wait was while with wrong
"""
_QUOTABLE: Final = frozenset(_QUOTABLE_TEXT.split())
"""Words of an error message that are about a form and about nobody: only these are shown."""
_QUOTABLE_NAMES: Final = frozenset({"from", "msg", "login", "str_hash", "txn_id", "send_at", "file"})


def is_documented(code: int) -> bool:
    """Whether protocol 1.5 lists *code*."""
    return code in _REFUSALS


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
    """Return what the gateway said, shortened to words that are about a form.

    An error may quote the message or the phone, in groups of digits too, so nothing else is shown.
    """
    shown: list[str] = []
    for word in quote[:_MAX_READ].split():
        bare = word.strip(".,:;!?()'\"")
        is_quotable = bare.lower() in _QUOTABLE or bare in _QUOTABLE_NAMES
        if is_quotable or shown[-1:] != ["…"]:
            shown.append(word if is_quotable else "…")
    return " ".join(shown)[:_MAX_QUOTE] or "no words"


def name_field(name: str) -> str:
    """Return the name of a field of §5.1, and nothing else that the gateway may have put in its place."""
    return name if name in _QUOTABLE_NAMES else "another field"
