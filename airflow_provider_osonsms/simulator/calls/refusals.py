"""The refusals of the gateway: every row of §2.3, §3.3, §4.3 and §5.3.

Reference:
    OsonSMS protocol 1.5; docs/wire-notes.md "Two protocols" (501 of 112, "Incorrect Authorization"),
    docs/wire-notes.md "Errors" (``error_type``), "Message ids".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_provider_osonsms.protocol.vocabulary import ErrorCode
from airflow_provider_osonsms.simulator.ledger.problems import Problem

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
    """The gateway refuses a request; the subclasses are its two dialects.

    Attributes:
        details: Values for the explanation of the *problem*; no phone, text or secret.
    """

    def __init__(
        self, http_status: int, problem: Problem, *, details: Mapping[str, str], code: int | None = None
    ) -> None:
        super().__init__(problem)
        self.http_status = http_status
        self.problem = problem
        self.details = details
        self.code = code

    def body(self, timestamp: str) -> dict[str, Any]:
        """Return the JSON of the answer."""
        raise NotImplementedError


class CallRefusedError(RefusedError):
    """A send, a query or a balance is refused.

    *completion* fills the documented text, *msg* replaces it.
    """

    def __init__(
        self,
        code: ErrorCode,
        problem: Problem,
        *,
        completion: str = "",
        msg: str | None = None,
        **details: str,
    ) -> None:
        http_status, documented = _ROWS[code]
        super().__init__(http_status, problem, details=details, code=code.value)
        self.msg = msg or documented.format(completion)

    def body(self, timestamp: str) -> dict[str, Any]:
        """Return ``error`` with its code."""
        error = {"code": self.code, "error_type": "fatal", "msg": self.msg, "timestamp": timestamp}
        return {"error": error}


class BulkRefusedError(RefusedError):
    """A bulk job is refused, with neither a code nor a timestamp (§5.3)."""

    def __init__(self, http_status: int, problem: Problem, *, answer: dict[str, Any], **details: str) -> None:
        super().__init__(http_status, problem, details=details)
        self.answer = answer

    def body(self, timestamp: str) -> dict[str, Any]:  # noqa: ARG002
        """Return the documented JSON."""
        return self.answer


class TooFastError(RefusedError):
    """A request exceeds the rate limit; a proxy in front of the gateway answers (a guess)."""

    def __init__(self, max_rate: str, *, http_status: int) -> None:
        super().__init__(http_status, Problem.TOO_FAST, details={"max_rate": max_rate})

    def body(self, timestamp: str) -> dict[str, Any]:  # noqa: ARG002
        """Return nothing: the answer is not JSON."""
        return {}


def missing_field(mandatory: Sequence[str], problem: Problem, **details: str) -> CallRefusedError:
    """Make the refusal for a *mandatory* field that is missing or, which is a guess, not valid."""
    return CallRefusedError(ErrorCode.MISSING_FIELD, problem, completion=",".join(mandatory), **details)


def invalid_bulk(problems: dict[str, str]) -> BulkRefusedError:
    """Make the refusal for the fields of a bulk job; *problems* has one sentence for each field."""
    data = {name: [problem] for name, problem in problems.items()}
    answer = {"success": False, "message": "Validation errors", "data": data}
    return BulkRefusedError(
        422, Problem.WRONG_BULK_FIELDS, answer=answer, problems=" ".join(problems.values())
    )


def failed_by_fault(code: ErrorCode, *, is_bulk: bool) -> RefusedError:
    """Make the refusal of an injected fault: a documented code, or for a bulk job only its text."""
    if is_bulk:
        http_status, msg = _ROWS[code]
        return BulkRefusedError(http_status, Problem.FAULT, answer={"error": msg}, fault=code.name)
    return CallRefusedError(code, Problem.FAULT, fault=code.name)
