"""From what a user wrote to a message that may be sent."""

from airflow_provider_osonsms.audience.phones import RejectReason, mask_phone, normalise_phone
from airflow_provider_osonsms.client.settings import Settings
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.keys import check_txn_id
from airflow_provider_osonsms.protocol.models import Message
from airflow_provider_osonsms.text.segments import count_parts, normalise_text


def read_phone(phone: object) -> str:
    """Return *phone* as an MSISDN.

    Raises:
        InvalidMessageError: It is none; the text says why and shows it masked.
    """
    msisdn = normalise_phone(phone)
    if isinstance(msisdn, RejectReason):
        raise InvalidMessageError(f"phone {mask_phone(phone)} is rejected ({msisdn}): {msisdn.advice}")
    return msisdn


def read_text(message: object) -> str:
    """Return *message* normalised for counting and sending.

    Raises:
        InvalidMessageError: It is empty or no text.
    """
    if not isinstance(message, str):
        raise InvalidMessageError(f"message must be a text, not {type(message).__name__}")
    text = normalise_text(message)
    if not text.strip():
        raise InvalidMessageError("message is empty: nobody is texted an empty SMS")
    return text


def choose_sender(sender: str | None, settings: Settings) -> str:
    """Return the task's *sender*, or else the Connection's.

    Raises:
        InvalidMessageError: Neither names one.
    """
    chosen = sender or settings.sender
    if not chosen:
        raise InvalidMessageError(
            "no sender: set 'sender' in the Connection's extra, or pass sender= with a name that OsonSMS "
            "gave you"
        )
    return chosen


def check_parts(text: str, *, max_parts: int | None) -> int:
    """Return how many parts *text* is billed as.

    Raises:
        InvalidMessageError: More than *max_parts*.
    """
    segments = count_parts(text)
    if max_parts is not None and segments.parts > max_parts:
        raise InvalidMessageError(
            f"the text takes {segments.parts} parts ({segments.units} units in {segments.encoding}) and "
            f"max_parts is {max_parts}: shorten it, or raise max_parts"
        )
    return segments.parts


def make_message(
    phone: object,
    message: object,
    *,
    settings: Settings,
    txn_id: str,
    sender: str | None = None,
    channel: str | None = None,
    is_confidential: bool = False,
) -> Message:
    """Make the message that a user described.

    Raises:
        InvalidMessageError: Something breaks a rule; nothing left this machine.
    """
    return Message(
        phone=read_phone(phone),
        text=read_text(message),
        sender=choose_sender(sender, settings),
        txn_id=check_txn_id(txn_id),
        channel=channel,
        is_confidential=is_confidential,
    )
