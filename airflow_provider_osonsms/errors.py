"""What can go wrong, for users who catch it; `protocol.errors` says what each means for the next attempt."""

from airflow_provider_osonsms.protocol.errors import (
    BalanceExhaustedError,
    BulkRefusedError,
    DuplicateTransactionError,
    FinalRefusalError,
    GatewayError,
    InvalidMessageError,
    InvalidSettingsError,
    OsonSmsError,
    OutcomeUnknownError,
    PhoneNotAllowedError,
    RequestNotSentError,
    TemporaryRefusalError,
    TransportError,
    UnexpectedAnswerError,
    UnknownMessageError,
)

__all__ = [
    "BalanceExhaustedError",
    "BulkRefusedError",
    "DuplicateTransactionError",
    "FinalRefusalError",
    "GatewayError",
    "InvalidMessageError",
    "InvalidSettingsError",
    "OsonSmsError",
    "OutcomeUnknownError",
    "PhoneNotAllowedError",
    "RequestNotSentError",
    "TemporaryRefusalError",
    "TransportError",
    "UnexpectedAnswerError",
    "UnknownMessageError",
]
