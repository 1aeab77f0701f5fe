"""What can go wrong, sorted by what the caller may safely do next.

* OsonSmsError
  + InvalidMessageError          ours; nothing left this machine: correct the input
    - PhoneNotAllowedError       the number is not on the Connection's allow-list
    - PhoneSuppressedError       the number is on the Connection's suppression list
  + InvalidSettingsError         ours; the Connection is wrong: correct it
  + SuppressionUnavailableError  the Connection's suppression list cannot be read; nothing left this machine
  + TransportError
    - RequestNotSentError        nothing reached the gateway: repeat freely
    - OutcomeUnknownError        it may have been accepted: repeat with the same txn_id only
      . UnexpectedAnswerError    an answer outside the documented language: the same
    - ThrottledError             "slower, please": repeat later
      . TooManyRequestsError     HTTP 429: turned away at the door, nothing was accepted
      . ServiceUnavailableError  HTTP 503: it is an OutcomeUnknownError, too
  + GatewayError                 a documented refusal, with its code
    - FinalRefusalError          100, 105, 106, 107, 114: stop; a repeat is refused again
    - BalanceExhaustedError      119: stop; go on after a top-up, with the same txn_id
    - DuplicateTransactionError  108: the txn_id is taken
    - TemporaryRefusalError      109, 112, 113 and unlisted codes: repeat with the same txn_id only,
                                 and a later 108 proves nothing
    - UnknownMessageError        107 in a status query: this msg_id only
    - BulkRefusedError           the bulk call's own dialect: stop

No text of an error holds a secret, a phone, a message or a URL.

Reference:
    OsonSMS protocol 1.5, §2.3, §3.3, §4.3, §5.3.
"""


class OsonSmsError(Exception):
    """Anything that this package raises about a message, the Connection or the gateway."""


class InvalidMessageError(OsonSmsError):
    """What should be sent breaks a rule; nothing left this machine."""


class PhoneNotAllowedError(InvalidMessageError):
    """The number is not on the Connection's ``allowed_phones``; nothing left this machine."""


class PhoneSuppressedError(InvalidMessageError):
    """The number is on the Connection's ``suppression`` list; nothing left this machine."""


class InvalidSettingsError(OsonSmsError):
    """A field of the Connection is missing or wrong; nothing left this machine."""


class SuppressionUnavailableError(OsonSmsError):
    """The Connection's ``suppression`` list cannot be read for now; nothing left this machine."""


class TransportError(OsonSmsError):
    """No usable answer came back."""


class RequestNotSentError(TransportError):
    """The gateway was not reached: repeating cannot send twice."""


class OutcomeUnknownError(TransportError):
    """The gateway may have accepted: only a repeat with the same txn_id cannot send twice (§1)."""


class UnexpectedAnswerError(OutcomeUnknownError):
    """The answer cannot be read, so it proves neither acceptance nor refusal."""


class ThrottledError(TransportError):
    """The gateway, or a proxy before it, asks to slow down: the same request may come again later.

    Attributes:
        status: The HTTP status.
        retry_after: Seconds to wait before the next request, at most a minute; 0 where the answer says none.
    """

    def __init__(self, text: str, *, status: int, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.status = status
        self.retry_after = retry_after


class TooManyRequestsError(ThrottledError):
    """HTTP 429: the request was turned away before the gateway read it; nothing was accepted."""


class ServiceUnavailableError(ThrottledError, OutcomeUnknownError):
    """HTTP 503: a proxy says it before the gateway has taken the request, or after that."""


class GatewayError(OsonSmsError):
    """The gateway said no in a documented way.

    Attributes:
        code: ``error.code`` of the answer; None in the bulk dialect, which has no codes.
    """

    def __init__(self, text: str, *, code: int | None = None) -> None:
        super().__init__(text)
        self.code = code


class FinalRefusalError(GatewayError):
    """The account or its settings are refused: every repeat would be refused too."""


class BalanceExhaustedError(GatewayError):
    """The account has no money left; after a top-up the same txn_id may be sent again."""


class DuplicateTransactionError(GatewayError):
    """The gateway already knows this txn_id."""


class TemporaryRefusalError(GatewayError):
    """The gateway could not take the message just now; whether the txn_id is used up is unknown."""


class UnknownMessageError(GatewayError):
    """The gateway does not know this msg_id, or it belongs to somebody else."""


class BulkRefusedError(GatewayError):
    """The gateway refused the bulk job; no job was created."""
