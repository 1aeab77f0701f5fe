"""What a try of a campaign sends, and how: settled before the first message, and never changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from airflow_provider_osonsms.exactly_once.cap import Cap
from airflow_provider_osonsms.messages.source import MessageSource
from airflow_provider_osonsms.preflight.window import ALWAYS_OPEN, SendWindow
from airflow_provider_osonsms.protocol.models import Message
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_osonsms.audience.audience import Audience

_ROWS_PER_CHUNK: Final = 1024

PlannedMessage = tuple[int, int, Message]
"""Position in the input, estimated parts, and the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """How a campaign is sent.

    Attributes:
        sender: Sender name of every message.
        channel: None for an SMS.
        is_confidential: Whether the gateway keeps no text.
        concurrency: Requests under way at once.
        max_rate: Requests per second at most, evenly spread; None for no limit.
        max_consecutive_failures: Failures in a row that stop the sending.
        window: When rows may be begun.
        rounds: Attempts at each row; a retry without a journal asks for all rows again, so few may be left.
    """

    sender: str
    channel: str | None = None
    is_confidential: bool = False
    concurrency: int = 16
    max_rate: float | None = None
    max_consecutive_failures: int = 50
    window: SendWindow = ALWAYS_OPEN
    rounds: int = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CampaignPlan:
    """What is sent to whom, under which txn_ids.

    Attributes:
        campaign_id: Names it, for people.
        audience: Who is texted.
        source: Where their texts come from.
        txn_ids: One for each row key; with a cap, one for each phone.
        options: How it is sent.
        category: Of its messages; None for none.
        cap: How often a phone gets one of this category; None where only the campaign itself counts.
    """

    campaign_id: str
    audience: "Audience" = field(repr=False)
    source: MessageSource = field(repr=False)
    txn_ids: TxnIdSeries = field(repr=False)
    options: SendOptions
    category: str | None = None
    cap: Cap | None = None

    def make_txn_id(self, phone: str, row_key: str) -> str:
        """Make the txn_id of a row."""
        return self.txn_ids.make(row_key if self.cap is None else phone)

    def read_txn_ids(self) -> "Iterator[tuple[int, str]]":
        """Yield the position and txn_id of each recipient."""
        for position, phone, row_key in self.audience.read_row_keys():
            yield position, self.make_txn_id(phone, row_key)

    def render_messages(self, is_open: "Callable[[int], bool]") -> Iterator[PlannedMessage]:
        """Render the messages of those rows that are open now, a chunk at a time, as they are asked for."""
        options, is_capped = self.options, self.cap is not None
        for whole in self.audience.read_chunks(_ROWS_PER_CHUNK):
            rows = [row for row, position in enumerate(whole.positions) if is_open(position)]
            if not rows:
                continue
            chunk = self.source.render(whole if len(rows) == len(whole.positions) else whole.take(rows))
            measured = chunk.measured
            uniques = chunk.phones if is_capped else chunk.row_keys
            yield from [  # made at once, which takes a third of the time of making them one by one
                (
                    position,
                    parts,
                    Message(
                        phone=phone,
                        text=text,
                        sender=options.sender,
                        txn_id=self.txn_ids.make(unique),
                        channel=options.channel,
                        is_confidential=options.is_confidential,
                        is_capped=is_capped,
                    ),
                )
                for position, phone, unique, text, parts in zip(
                    chunk.positions,
                    chunk.phones,
                    uniques,
                    measured.texts,
                    measured.parts.tolist(),
                    strict=True,
                )
            ]
