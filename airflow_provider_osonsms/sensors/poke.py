"""One poke of a sensor: a round of status queries from the worker's own process."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.memory import WaitMemory, poll_and_keep
from airflow_provider_osonsms.delivery.polling import PollSettings
from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.delivery.tracker import SECONDS_AFTER_DEADLINE, DeliveryTracker

GRACE: Final = timedelta(seconds=SECONDS_AFTER_DEADLINE + 600)
"""Time after the deadline: for the messages without any answer, and for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A wait that has begun: its messages, its start and deadline, and the files that it writes.

    Attributes:
        wait_id: The same in each try and process of this wait.
        try_number: The running try of the task.
        began: Aware; the start of the first try, if Airflow stores it.
        opened: Aware; the start of this try.
        seconds: Seconds from *began* to the deadline.
        messages: The messages to wait for.
        plan: The files to write; None for no files.
        memory: Keeps what is known of the messages for the next process.
        memory_path: Where a file may keep it; None for nowhere.
    """

    wait_id: str
    try_number: int
    began: datetime
    opened: datetime
    seconds: float
    messages: TrackedMessages
    plan: ReportPlan | None
    memory: WaitMemory
    memory_path: str | None

    @property
    def deadline(self) -> datetime:
        """The time at which the wait ends at the latest."""
        return self.began + timedelta(seconds=self.seconds)


def poke_once(
    wait: Wait,
    tracker: DeliveryTracker,
    settings: Settings,
    *,
    polling: PollSettings,
    is_rescheduled: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Query the pending messages once, and keep what is known then.

    A rescheduled task without a memory forgets how often it has seen a status. So it queries these messages
    again in this poke until their statuses are confirmed.

    Args:
        wait: The wait.
        tracker: The tracker of the messages.
        settings: The settings of the Connection.
        polling: The rate of the queries.
        is_rescheduled: Whether each poke is a process of its own.
        sleep: Pauses between two rounds.

    Raises:
        FinalRefusalError: The account is refused.
    """
    _poll(wait, tracker, settings, polling=polling)
    if not is_rescheduled or wait.memory.keeps:
        return
    for _ in range(tracker.criteria.unknown_limit - 1):
        pause = min(polling.poll_interval, polling.max_poll_interval)
        if not tracker.may_confirm(deadline=wait.deadline.timestamp()):
            return
        sleep(pause)
        _poll(wait, tracker, settings, polling=polling, only_unconfirmed=True)


def _poll(
    wait: Wait,
    tracker: DeliveryTracker,
    settings: Settings,
    *,
    polling: PollSettings,
    only_unconfirmed: bool = False,
) -> None:
    async def poll() -> None:
        tracker.limiter = polling.make_limiter(settings.max_rate)
        async with open_async_client(settings.account, max_connections=polling.concurrency) as client:
            await poll_and_keep(
                tracker,
                client,
                wait.memory,
                wait_id=wait.wait_id,
                try_number=wait.try_number,
                deadline=wait.deadline.timestamp(),
                query_timeout=settings.account.timeout,
                only_unconfirmed=only_unconfirmed,
            )

    asyncio.run(poll())
