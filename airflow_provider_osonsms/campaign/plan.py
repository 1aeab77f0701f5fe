"""What a try of a campaign sends, and how: settled before the first message, and never changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

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
        txn_ids: One for each row key.
        options: How it is sent.
    """

    campaign_id: str
    audience: "Audience" = field(repr=False)
    source: MessageSource = field(repr=False)
    txn_ids: TxnIdSeries = field(repr=False)
    options: SendOptions

    def render_messages(self, is_open: "Callable[[int], bool]") -> Iterator[PlannedMessage]:
        """Render the messages of those rows that are open now, a chunk at a time, as they are asked for."""
        options = self.options
        for whole in self.audience.read_chunks(_ROWS_PER_CHUNK):
            rows = [row for row, position in enumerate(whole.positions) if is_open(position)]
            if not rows:
                continue
            chunk = self.source.render(whole if len(rows) == len(whole.positions) else whole.take(rows))
            measured = chunk.measured
            for position, phone, row_key, text, parts in zip(
                chunk.positions,
                chunk.phones,
                chunk.row_keys,
                measured.texts,
                measured.parts.tolist(),
                strict=True,
            ):
                yield (
                    position,
                    parts,
                    Message(
                        phone=phone,
                        text=text,
                        sender=options.sender,
                        txn_id=self.txn_ids.make(row_key),
                        channel=options.channel,
                        is_confidential=options.is_confidential,
                    ),
                )
