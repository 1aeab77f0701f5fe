"""The fields of a message as a user wrote them: phone, text, sender and channel, each checked."""

from dataclasses import replace
from typing import Final

from airflow_provider_osonsms.arguments import NAME, Kind, choice, optional
from airflow_provider_osonsms.audience.missing import is_blank
from airflow_provider_osonsms.audience.phones.one import mask_phone, normalize_phone
from airflow_provider_osonsms.audience.reasons import RejectReason
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.protocol.build import build_send
from airflow_provider_osonsms.protocol.errors import InvalidMessageError
from airflow_provider_osonsms.protocol.models import Account, Message
from airflow_provider_osonsms.protocol.txn_ids import check_txn_id, make_txn_id
from airflow_provider_osonsms.protocol.vocabulary import Channel
from airflow_provider_osonsms.text.leftovers import find_leftover, find_template_leftover, refuse_leftover
from airflow_provider_osonsms.text.segments import count_parts, normalize_text
from airflow_provider_osonsms.text.templates import Template
from airflow_provider_osonsms.text.transliteration import transliterate

PHONE: Final = Kind("a phone number", lambda value: value, rendered=(str, int))
"""The text ``9.92928E+11``, which has lost digits, is rendered natively to a float that seems to have all."""
CHANNEL: Final = optional(choice(Channel), "an SMS")


def read_phone(phone: object) -> str:
    """Return *phone* as an MSISDN.

    Raises:
        InvalidMessageError: It is not a phone; the text says why and shows it masked.
    """
    msisdn = normalize_phone(phone)
    if isinstance(msisdn, RejectReason):
        raise InvalidMessageError(f"phone {mask_phone(phone)} is rejected ({msisdn}): {msisdn.advice}")
    return msisdn


def read_text(message: object, *, is_latin: bool = False) -> str:
    """Return *message* normalized for counting and sending; with *is_latin*, in Latin letters.

    Raises:
        InvalidMessageError: It is not a text, is empty, rendered to a missing value, or was never filled.
    """
    if not isinstance(message, str):
        raise InvalidMessageError(
            f"message must be a text, not {type(message).__name__}: quote it (render_template_as_native_obj "
            f"makes a number of digits)"
        )
    refuse_leftover(find_leftover(message), "message")
    text = normalize_text(transliterate(message) if is_latin else message)
    if is_blank(text):
        raise InvalidMessageError(
            f"message is empty or rendered to {text.strip()!r}: write a text, or correct the template"
        )
    return text


def read_common_text(message: object, *, is_latin: bool = False) -> str:
    """Return the text of a bulk job, which is one text for all and has no fields.

    Raises:
        InvalidMessageError: As `read_text`; or the text has a field, which would be sent unfilled.
    """
    if not isinstance(message, str):
        return read_text(message)
    refuse_leftover(find_template_leftover(message), "message")
    template = Template(message)
    if template.columns:
        raise InvalidMessageError(
            f"message has the field {{{template.columns[0]}}}, but a bulk job has one text for all: leave "
            f"the field out, or double a brace that belongs to the text: {{{{ or }}}}"
        )
    return read_text(template.render({}, rows=1).texts[0], is_latin=is_latin)


def choose_sender(sender: object, settings: Settings) -> str:
    """Return the task's *sender*, or the Connection's if the task names none.

    Raises:
        InvalidMessageError: Neither has a sender.
    """
    chosen = settings.sender if sender is None else NAME.read(sender, "sender")
    if not chosen:
        raise InvalidMessageError(
            "no sender: set 'sender' in the Connection's extra, or pass sender= with a name that OsonSMS "
            "gave you"
        )
    return chosen


def check_parts(text: str, *, max_parts: int | None) -> int:
    """Return the number of parts that *text* is billed as.

    Raises:
        InvalidMessageError: It is above *max_parts*.
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
    sender: object = None,
    channel: str | None = None,
    is_confidential: bool = False,
    is_latin: bool = False,
    is_capped: bool = False,
) -> Message:
    """Make a message from the fields that a user wrote.

    Raises:
        InvalidMessageError: A field breaks a rule; nothing left this machine.
    """
    return Message(
        phone=read_phone(phone),
        text=read_text(message, is_latin=is_latin),
        sender=choose_sender(sender, settings),
        txn_id=check_txn_id(txn_id),
        channel=channel,
        is_confidential=is_confidential,
        is_capped=is_capped,
    )


def check_sender_and_channel(account: Account, *, sender: str, channel: str | None) -> None:
    """Check that messages from *sender* over *channel* can be sent, before a campaign rejects every row.

    Raises:
        InvalidMessageError: No message could be sent; the text says why.
    """
    probe = Message(
        phone="992000000000", text="probe", sender=sender, txn_id=make_txn_id("probe"), channel=channel
    )
    build_send(probe, replace(account, allowed_phones=None))
