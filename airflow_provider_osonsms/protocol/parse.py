"""Answers, read liberally: any bytes give a value or an OsonSmsError.

The dispatch is on ``error.code``, never on its words and never on the HTTP status, which proxies change. With
one exception: HTTP 429 and 503 ask to slow down, where the answer holds no documented code.

Reference:
    OsonSMS protocol 1.5, §2.2-§5.3; docs/wire-notes.md "Answers", "Errors", "Statuses",
    "Message ids".
"""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice
from json import JSONDecoder
from typing import Any, Final

from airflow_provider_osonsms.protocol.errors import (
    BulkRefusedError,
    FinalRefusalError,
    GatewayError,
    OsonSmsError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnexpectedAnswerError,
    UnknownMessageError,
)
from airflow_provider_osonsms.protocol.models import BulkReceipt, Response, SendReceipt
from airflow_provider_osonsms.protocol.refusals import clean_quote, is_documented, make_refusal, name_field
from airflow_provider_osonsms.protocol.vocabulary import STATUS_BY_CODE, TAJIK_TIME, DeliveryStatus, ErrorCode

_MAX_MSG_ID_LENGTH = 64
_TIMESTAMP_LENGTH = 19
_MAX_COMPLAINTS: Final = 7
"""As many as §5.1 has fields; an answer with 50,000 gives a short error too."""
_DECODER: Final = JSONDecoder()
_STATUS_BY_WORD: Final = dict(DeliveryStatus.__members__)
_TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE = 429, 503
_RECEIPT: Final = re.compile(rb'msg_id|sms_bulk_name|"status"\s*:\s*"(ok|success)"')


def parse_send(response: Response, *, txn_id: str) -> SendReceipt:
    """Read the answer to a message.

    An answer that names another txn_id belongs to another message and proves nothing about this one.

    Raises:
        GatewayError: A documented refusal.
        TooManyRequestsError: HTTP 429: the message was not accepted.
        UnexpectedAnswerError, ServiceUnavailableError: Anything else; it may have been accepted.

    Reference:
        OsonSMS protocol 1.5, §2.2, §2.3; docs/wire-notes.md "Asking".
    """
    answer = _read_success(response)
    msg_id = _read_msg_id(answer.get("msg_id"))
    if answer.get("status") != "ok" or msg_id is None or str(answer.get("txn_id", txn_id)) != txn_id:
        raise _unexpected(response, "it confirms no message")
    return SendReceipt(
        txn_id=txn_id,
        msg_id=msg_id,
        parts=_read_count(answer.get("smsc_msg_parts")),
        accepted_at=_read_timestamp(answer.get("timestamp")),
    )


def parse_query(response: Response) -> DeliveryStatus:
    """Read the answer to a status query, in either shape (wire-notes, "Statuses").

    Raises:
        UnknownMessageError: The gateway does not know the msg_id (wire-notes, "Message ids").
        GatewayError: Another documented refusal.
        UnexpectedAnswerError: Anything else.

    Reference:
        OsonSMS protocol 1.5, §3.2, §3.3.
    """
    try:
        answer = _read_success(response)
    except GatewayError as error:
        if error.code == ErrorCode.INCORRECT_SENDER:
            raise UnknownMessageError("107: the gateway does not know this msg_id", code=error.code) from None
        raise
    has_words = False
    for key in ("status", "message_state"):
        if isinstance(word := answer.get(key), str):
            has_words = True
            if status := _STATUS_BY_WORD.get(word.strip().upper()):
                return status
    code = _read_count(answer.get("message_state_code"))
    if code in STATUS_BY_CODE:
        return STATUS_BY_CODE[code]
    if has_words or code is not None:
        return DeliveryStatus.UNRECOGNIZED
    raise _unexpected(response, "it names no status")


def parse_balance(response: Response) -> Decimal:
    """Read the balance in somoni, a JSON number or a string (wire-notes, "Answers").

    Raises:
        GatewayError: A documented refusal.
        UnexpectedAnswerError: Anything else.

    Reference:
        OsonSMS protocol 1.5, §4.2, §4.3.
    """
    value = _read_success(response).get("balance")
    if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        try:
            balance = Decimal(str(value).strip())
        except InvalidOperation:
            raise _unexpected(response, "its balance is not a number") from None
        if balance.is_finite():
            return balance
    raise _unexpected(response, "its balance is not a number")


def parse_bulk(response: Response, *, txn_id: str) -> BulkReceipt:
    """Read the answer to a bulk job, which speaks another dialect.

    Raises:
        FinalRefusalError: The login is unknown or blocked.
        BulkRefusedError: A field is wrong, or the file holds no numbers; no job was created.
        UnexpectedAnswerError: Anything else; the job may have been created.

    Reference:
        OsonSMS protocol 1.5, §5.2, §5.3.
    """
    answer = _read_json(response)
    refusal = answer.get("error")
    if isinstance(refusal, dict):
        raise _make_coded_refusal(response, refusal)
    if isinstance(refusal, str):
        raise _make_bulk_refusal(response, refusal)
    if answer.get("success") is False and isinstance(answer.get("data"), dict):
        raise _make_field_refusal(answer["data"])
    name = answer.get("sms_bulk_name")
    if answer.get("status") != "success" or not isinstance(name, str | int) or not str(name).strip():
        raise _unexpected(response, "it names no bulk job")
    return BulkReceipt(txn_id=txn_id, bulk_name=str(name).encode(errors="replace").decode().strip())


def _make_bulk_refusal(response: Response, words: str) -> Exception:
    if "user not found" in words.casefold():
        return FinalRefusalError(
            "the account is blocked or does not exist: check the login of the Connection (it is "
            "case-sensitive), or ask OsonSMS to unblock it"
        )
    if "no phone numbers" in words.casefold():
        return BulkRefusedError("the gateway found no phone numbers in the file")
    return _unexpected(response, f"its error is not documented: {clean_quote(words)}")


def _make_field_refusal(data: dict[str, Any]) -> GatewayError:
    """Say what §5.3 complains of; a hash or a sender gets the advice that its code has elsewhere."""
    text = f"the gateway refused the bulk job: {_describe_fields(data)}"
    if "str_hash" in data:
        return FinalRefusalError(f"{text}. {make_refusal(ErrorCode.INCORRECT_HASH)}")
    if "from" in data:
        return BulkRefusedError(f"{text}. {make_refusal(ErrorCode.INCORRECT_SENDER)}")
    return BulkRefusedError(text)


def _describe_fields(data: dict[str, Any]) -> str:
    complaints: dict[str, None] = {}
    for name, words in islice(data.items(), _MAX_COMPLAINTS):
        texts = words[:_MAX_COMPLAINTS] if isinstance(words, list) else [words]
        quote = clean_quote(" ".join(map(str, texts)))
        complaints.setdefault(f"{name_field(name)}: {quote}")
    more = f"; {len(data) - _MAX_COMPLAINTS} more fields" if len(data) > _MAX_COMPLAINTS else ""
    return f"{'; '.join(complaints) or 'no field was named'}{more}"


def _read_success(response: Response) -> dict[str, Any]:
    answer = _read_json(response)
    refusal = answer.get("error")
    if isinstance(refusal, dict):
        raise _make_coded_refusal(response, refusal)
    if refusal is not None or not 200 <= response.status < 300:  # noqa: PLR2004
        raise _unexpected(response, "it is neither a success nor a documented error")
    return answer


def _make_coded_refusal(response: Response, refusal: dict[str, Any]) -> Exception:
    code = _read_count(refusal.get("code"))
    if code is None:
        return _unexpected(response, "its error has no code")
    if not is_documented(code) and (throttled := _make_throttled(response)) is not None:
        return throttled
    return make_refusal(code, quote=str(refusal.get("msg", "")))


def _read_json(response: Response) -> dict[str, Any]:
    try:
        answer = _read_value(response.body.decode().removeprefix("\ufeff").strip())
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):  # raised here and not above: a JSON error would keep the body
        raise _unexpected(response, "it is not a JSON object")
    return answer


def _read_value(text: str) -> object:
    """Read one JSON value and nothing after it; `json.loads` takes twice as long for a short one."""
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError("there is something after the value")
    return value


def _read_msg_id(value: object) -> str | None:
    """Read an id that is an int on the wire and a string for some clients (wire-notes, "Message ids")."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        msg_id = str(value).strip()
    except ValueError:  # an int of more digits than Python prints
        return None
    is_usable = msg_id.isascii() and msg_id.isalnum() and len(msg_id) <= _MAX_MSG_ID_LENGTH
    return msg_id if is_usable else None


def _read_timestamp(value: object) -> datetime | None:
    """Read ``YYYY-MM-DD HH:MM:SS``, which is Asia/Dushanbe; None for anything else, which proves nothing."""
    return _parse_timestamp(value) if isinstance(value, str) and len(value) == _TIMESTAMP_LENGTH else None


@lru_cache(maxsize=64)
def _parse_timestamp(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=TAJIK_TIME).astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of the year 1 are before it in UTC
        return None


def _read_count(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < _MAX_MSG_ID_LENGTH:
        return int(value)
    return value if isinstance(value, int) and value >= 0 else None


def _make_throttled(response: Response) -> OsonSmsError | None:
    """Make the error of an answer that asks to slow down; None for any other.

    An answer that may be a receipt, or a part of one, was not made at the door, whatever status a proxy gave
    it.
    """
    if _RECEIPT.search(response.body):
        return None
    advice = "set max_rate to what the account may send in a second"
    if response.status == _TOO_MANY_REQUESTS:
        return TooManyRequestsError(
            f"HTTP 429: the gateway asks to slow down, and has not accepted this request; {advice}",
            status=response.status,
            retry_after=response.retry_after,
        )
    if response.status == _SERVICE_UNAVAILABLE:
        return ServiceUnavailableError(
            f"HTTP 503: the gateway asks to slow down; {advice}",
            status=response.status,
            retry_after=response.retry_after,
        )
    return None


def _unexpected(response: Response, why: str) -> OsonSmsError:
    """Make the error of an answer that cannot be read: it proves nothing, or asks to slow down."""
    throttled = _make_throttled(response)
    if throttled is not None:
        return throttled
    size = len(response.body)
    return UnexpectedAnswerError(
        f"the answer (HTTP {response.status}, {size} bytes) cannot be read: {why}; a proxy or another server "
        f"may stand between Airflow and the gateway"
    )
