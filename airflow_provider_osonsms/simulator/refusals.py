"""How the gateway says no: every row of §2.3, §3.3, §4.3 and §5.3.

Reference:
    OsonSMS protocol 1.5; wire-notes 1 (501 of 112, "Incorrect Authorization"), 4 (``error_type``), 8.
"""

from collections.abc import Sequence
from typing import Any, Final

from airflow_provider_osonsms.protocol.vocabulary import ErrorCode

_ROWS: Final = {
    ErrorCode.MISSING_FIELD: (422, "One of the mandatory variables ({}) not set."),
    ErrorCode.ACCOUNT_BLOCKED: (401, "Inactive or non-existent account"),
    ErrorCode.INCORRECT_HASH: (422, "Incorrect hash"),
    ErrorCode.INCORRECT_SENDER: (422, "Incorrect sender"),
    ErrorCode.DUPLICATE_TXN_ID: (409, "Duplicate txn_id. It should be unique."),
    ErrorCode.NOT_STORED: (500, "Unable to store message."),
    ErrorCode.NOT_SENT: (501, "Error while sending sms."),
    ErrorCode.SMSC_UNREACHABLE: (599, "Unable to connect to smsc host."),
    ErrorCode.HOST_NOT_IN_WHITELIST: (401, "Host is not in whitelist. Remote address is {}"),
    ErrorCode.BALANCE_EXHAUSTED: (402, "Balance overdraft limit has reached. Please top up your balance."),
}
UNKNOWN_MSG_ID: Final = "Message ID is invalid"
INCORRECT_AUTHORIZATION: Final = "Incorrect Authorization"


class RefusedError(Exception):
    """The gateway refuses a request; the subclasses are its two dialects."""

    def __init__(self, http_status: int, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.http_status = http_status
        self.reason = reason
        self.code = code

    def body(self, timestamp: str) -> dict[str, Any]:
        """Return the JSON of the answer."""
        raise NotImplementedError


class CallRefusedError(RefusedError):
    """A send, a query or a balance is refused; *detail* completes the documented text, *msg* replaces it."""

    def __init__(self, code: ErrorCode, reason: str, *, detail: str = "", msg: str | None = None) -> None:
        http_status, documented = _ROWS[code]
        super().__init__(http_status, reason, code=code.value)
        self.msg = msg or documented.format(detail)

    def body(self, timestamp: str) -> dict[str, Any]:
        """Return ``error`` with its code."""
        error = {"code": self.code, "error_type": "fatal", "msg": self.msg, "timestamp": timestamp}
        return {"error": error}


class BulkRefusedError(RefusedError):
    """A bulk job is refused, with neither a code nor a timestamp (§5.3)."""

    def __init__(self, http_status: int, reason: str, *, answer: dict[str, Any]) -> None:
        super().__init__(http_status, reason)
        self.answer = answer

    def body(self, timestamp: str) -> dict[str, Any]:  # noqa: ARG002
        """Return the documented words."""
        return self.answer


def missing_field(mandatory: Sequence[str], reason: str) -> CallRefusedError:
    """Say that one of the *mandatory* fields is missing or, a guess, senseless."""
    return CallRefusedError(ErrorCode.MISSING_FIELD, reason, detail=",".join(mandatory))


def invalid_bulk(problems: dict[str, str]) -> BulkRefusedError:
    """Say what is wrong with the fields of a bulk job: *problems* is one sentence for each field."""
    data = {name: [problem] for name, problem in problems.items()}
    answer = {"success": False, "message": "Validation errors", "data": data}
    return BulkRefusedError(422, " ".join(problems.values()), answer=answer)


def failed_by_fault(code: ErrorCode, *, is_bulk: bool) -> RefusedError:
    """Fail with a documented code though nothing is wrong with the request; bulk jobs get its text only."""
    reason = f"injected fault: {code.name}"
    if is_bulk:
        http_status, msg = _ROWS[code]
        return BulkRefusedError(http_status, reason, answer={"error": msg})
    return CallRefusedError(code, reason)
