"""One watch over many messages: rounds of questions, and what is known between them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import Any

from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.delivery.decision import Decision, decide, is_final
from airflow_provider_osonsms.delivery.messages import TrackedMessages
from airflow_provider_osonsms.protocol.errors import FinalRefusalError, OsonSmsError, UnknownMessageError
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

log = logging.getLogger(__name__)

DEFAULT_CONCURRENCY = 16
EXAMPLES = 10

Doubt = tuple[DeliveryStatus, int]
"""A doubtful status, and how often in a row it was seen."""


class Watch:
    """Knows what became of each message, and asks only for those that may still change."""

    def __init__(
        self,
        messages: TrackedMessages,
        *,
        min_delivered: float = 1.0,
        concurrency: int = DEFAULT_CONCURRENCY,
        doubts: Mapping[str, Doubt] | None = None,
    ) -> None:
        """Start a watch.

        Args:
            messages: Whom to watch.
            min_delivered: Share of the tracked messages, 0 to 1, that must be delivered.
            concurrency: Questions under way at once.
            doubts: What an earlier watch has seen in a row, by msg_id.
        """
        self._messages = messages
        self._min_delivered = min_delivered
        self._concurrency = concurrency
        self._pending: dict[str, DeliveryStatus | None] = dict.fromkeys(messages.msg_ids)
        self._final: Counter[DeliveryStatus] = Counter()
        self._undelivered: dict[str, DeliveryStatus] = {}
        self.doubts: dict[str, Doubt] = dict(doubts or {})

    async def look(
        self, client: AsyncOsonSmsClient, *, patience: float | None = None, only_doubtful: bool = False
    ) -> None:
        """Ask once for every pending message; whoever gives no usable answer stays pending.

        Args:
            client: Asks.
            patience: Seconds after which the round is cut; whoever was not asked stays pending.
            only_doubtful: Ask only for those whose last status is doubtful.

        Raises:
            FinalRefusalError: The account is refused: asking on makes no sense.
        """
        wanted = [msg_id for msg_id in self._pending if not only_doubtful or msg_id in self.doubts]
        failures: Counter[str] = Counter()
        questions = iter(wanted)
        try:
            async with asyncio.timeout(patience), asyncio.TaskGroup() as group:
                for _ in range(min(self._concurrency, len(wanted))):
                    group.create_task(self._ask_in_turn(client, questions, failures))
        except TimeoutError:
            log.warning("The round was cut: the gateway answers too slowly to ask for everybody in time")
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if failures:
            log.warning(
                "%d of %d status queries gave no usable answer and are asked again: %s",
                failures.total(), len(wanted), dict(failures),
            )  # fmt: skip

    def decide(self, *, now: datetime, deadline: datetime) -> Decision:
        """Decide what the waiting task does next."""
        return decide(
            tracked=len(self._messages.msg_ids),
            delivered=self._final[DeliveryStatus.DELIVERED],
            pending=len(self._pending),
            min_delivered=self._min_delivered,
            now=now,
            deadline=deadline,
        )

    def summarise(self) -> dict[str, Any]:
        """Count: total, delivered, failed, pending, untracked, and by status where one was seen.

        ``examples`` names a few msg_ids that are not delivered, with their status.
        """
        by_status = self._final + Counter(status for status in self._pending.values() if status)
        delivered = self._final[DeliveryStatus.DELIVERED]
        examples = islice(chain(self._undelivered.items(), self._pending.items()), EXAMPLES)
        return {
            "total": len(self._messages.msg_ids) + self._messages.untracked,
            "delivered": delivered,
            "failed": self._final.total() - delivered,
            "pending": len(self._pending),
            "untracked": self._messages.untracked,
            "by_status": {str(status): by_status[status] for status in sorted(by_status)},
            "examples": {msg_id: str(status or "unanswered") for msg_id, status in examples},
        }

    async def _ask_in_turn(
        self, client: AsyncOsonSmsClient, questions: Iterator[str], failures: Counter[str]
    ) -> None:
        for msg_id in questions:
            try:
                self._see(msg_id, await client.query_status(msg_id))
            except UnknownMessageError:
                self._see(msg_id, DeliveryStatus.NOT_FOUND)
            except FinalRefusalError:
                raise
            except OsonSmsError as error:
                failures[type(error).__name__] += 1

    def _see(self, msg_id: str, status: DeliveryStatus) -> None:
        last, count = self.doubts.pop(msg_id, (status, 0))
        sightings = count + 1 if last is status else 1
        if is_final(status, sightings=sightings):
            del self._pending[msg_id]
            self._final[status] += 1
            if not status.is_delivered and len(self._undelivered) < EXAMPLES:
                self._undelivered[msg_id] = status
            return
        self._pending[msg_id] = status
        if status.is_doubtful:
            self.doubts[msg_id] = (status, sightings)


def describe(summary: dict[str, Any]) -> str:
    """Say a summary in one line for people."""
    statuses = ", ".join(f"{count} {status}" for status, count in summary["by_status"].items()) or "none yet"
    return (
        f"{summary['delivered']} of {summary['total']} messages delivered, {summary['failed']} failed, "
        f"{summary['pending']} pending, {summary['untracked']} untracked (statuses: {statuses})"
    )


def describe_examples(summary: dict[str, Any]) -> str:
    """Name a few msg_ids that are not delivered, for whoever has to find them."""
    examples = ", ".join(f"{msg_id} {status}" for msg_id, status in summary["examples"].items())
    return f"; not delivered: msg_id {examples}" if examples else ""
