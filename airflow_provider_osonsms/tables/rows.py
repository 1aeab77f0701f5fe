"""The rows of the tables that a task leaves behind: one class a table, one field a column, in this order.

A text column holds text or nothing, a number column a whole number or nothing. Nothing is None: an empty cell
in CSV, a null in Parquet. An underscore at the end of a field is no part of its column's name. A new column
is a field here, a value where the row is made, and a line in ``docs/``.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, NamedTuple

from airflow_provider_osonsms.protocol.models import Outcome

REFUSED_FOR_NOW: Final = "refused_for_now"
"""The reason of a row whose last attempt met 109, 112 or 113."""
_UNSENT: Final = frozenset(str(outcome) for outcome in Outcome if outcome.is_unsent)


def may_have_been_sent(outcome: str | None, reason: str | None) -> bool:
    """Whether the message of a row was sent, or may have been: 109, 112 and 113 leave that open."""
    return outcome not in _UNSENT or reason == REFUSED_FOR_NOW


def read_seconds(moment: str | None) -> float | None:
    """Return an ISO time in seconds since the epoch; None where it is unknown, or edited beyond reading."""
    try:
        found = datetime.fromisoformat(moment or "")
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class ResultRow(NamedTuple):
    """What became of a row of a campaign's input (``results_path``).

    Attributes:
        row: Line or row of a file, else row of the data from 1.
        key: The row key; None of a rejected row.
        phone: MSISDN; masked of a rejected row.
        outcome: An `Outcome`.
        reason: Why it is not simply accepted; None for a row that is.
        txn_id: None of a rejected row.
        msg_id: None where it is unknown.
        parts: Billed parts; None where they are unknown.
        accepted_at: When the gateway accepted it, ISO in UTC; None where that is unknown.
        try_: The task's try of the last attempt; None where there was none. The column is named ``try``.
        category: Of the campaign; None where it has none.
        period: With ``once_per``, the calendar period whose one message it is; else None.
        campaign: With ``once_per``, the campaign's name, because others make the same txn_ids; else None.
    """

    row: int | None
    key: str | None
    phone: str | None
    outcome: str | None
    reason: str | None
    txn_id: str | None
    msg_id: str | None
    parts: int | None
    accepted_at: str | None = None
    try_: int | None = None
    category: str | None = None
    period: str | None = None
    campaign: str | None = None

    @property
    def accepted_seconds(self) -> float | None:
        """``accepted_at`` in seconds since the epoch; None where it is unknown, or edited beyond reading."""
        return read_seconds(self.accepted_at)

    @property
    def is_unsent(self) -> bool:
        """Whether its outcome says that it was not sent."""
        return self.outcome in _UNSENT

    @property
    def may_have_been_sent(self) -> bool:
        """Whether its message was sent, or may have been."""
        return may_have_been_sent(self.outcome, self.reason)

    @property
    def is_untracked(self) -> bool:
        """Whether it was accepted and cannot be asked for."""
        return self.outcome == Outcome.ACCEPTED_UNTRACKED


class SpentRow(NamedTuple):
    """The columns of a `ResultRow` that a budget reads: of a thousand tables, it reads no more."""

    outcome: str | None
    reason: str | None
    parts: int | None
    accepted_at: str | None = None


class PartRow(NamedTuple):
    """What a running try has found out of a row (``results_path`` with ``.parts``), for the next try.

    Attributes:
        txn_id: Names the row.
        code: See ``campaign/rows.py``.
    """

    txn_id: str | None
    code: str | None


class PersonRow(NamedTuple):
    """Somebody whom a running try may text (``results_path`` with ``.parts``), for the history of others.

    Attributes:
        txn_id: Names the row.
        phone: MSISDN.
        category: Of the campaign.
    """

    txn_id: str | None
    phone: str | None
    category: str | None


class ReceiptRow(NamedTuple):
    """What is known of a bulk job (a file in ``receipt_path``); times are ISO in UTC.

    Attributes:
        campaign_id: Of the campaign that the job belongs to.
        map_index: Of the task; -1 for one that is not mapped.
        txn_id: Of the job.
        state: ``attempted``, ``refused_for_now``, ``not_created`` or ``created``.
        bulk_name: The gateway's name of the job; None where none is known.
        recipients: Phones in its file.
        send_at: When the gateway sends.
        uploaded_at: When the upload began.
        parts: Billed parts of the text, for each phone; None in a receipt that does not say so.
        history_at: Up to when the ``history`` has counted; None without one.
        attempt: The try that has uploaded it; None for several, or an unknown one.
    """

    campaign_id: str | None
    map_index: int | None
    txn_id: str | None
    state: str | None
    bulk_name: str | None
    recipients: int | None
    send_at: str | None
    uploaded_at: str | None
    parts: int | None = None
    history_at: str | None = None
    attempt: str | None = None


class RejectRow(NamedTuple):
    """A row of an audience that is not texted (``rejects_path``).

    Attributes:
        row: Line or row of a file, else row of the data from 1.
        phone: Masked.
        reason: A `RejectReason`.
        column: The column that is to blame; None where none is.
    """

    row: int | None
    phone: str | None
    reason: str | None
    column: str | None


class ReportRow(NamedTuple):
    """What became of a message (``report_path``); times are ISO in UTC."""

    key: str | None
    phone: str | None
    msg_id: str | None
    status: str | None
    first_seen: str | None
    last_seen: str | None
    polls: int | None


class UndeliveredRow(NamedTuple):
    """A row of a campaign whose recipient was not reached (``undelivered_path``).

    Attributes:
        status: The last one that was seen; else, in small letters, why there is none.
        reach: ``not_reached``; with ``include_unknown`` also ``not_known`` and ``on_its_way``.
        key_column: The column of the audience that the key comes from; None where the phone is the key.
    """

    key: str | None
    phone: str | None
    status: str | None
    reach: str | None = None
    key_column: str | None = None


_KINDS: Final = (ResultRow, ReceiptRow, RejectRow, ReportRow, UndeliveredRow, PartRow)


def find_kind(columns: Collection[str]) -> type[NamedTuple] | None:
    """Return the kind of table that has *columns*; None for a table that is none of ours."""
    for kind in _KINDS:
        needed = (name for name in kind._fields if name not in kind._field_defaults)
        if all(name in columns for name in needed):
            return kind
    return None
