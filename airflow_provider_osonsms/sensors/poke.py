"""One poke of a sensor: a round of status queries from the worker's own process."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.polling import PollSettings, plan_time_limit
from airflow_provider_osonsms.delivery.report.plan import ReportPlan
from airflow_provider_osonsms.delivery.tracker import MIN_FIRST_ROUND_SECONDS, DeliveryTracker
from airflow_provider_osonsms.sensors.wait_state import MAX_UNCONFIRMED, WaitState

GRACE: Final = timedelta(seconds=MIN_FIRST_ROUND_SECONDS + 600)
"""Time after the deadline: for a round of queries that begins at the deadline, and for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A wait that has begun: its messages, its start and deadline, and the files that it writes.

    Attributes:
        began: Aware; the start of the first try, if Airflow stores it.
        seconds: Seconds from *began* to the deadline.
        messages: The messages to wait for.
        plan: The files to write; None for no files.
        state: The stored state of the wait.
    """

    began: datetime
    seconds: float
    messages: TrackedMessages
    plan: ReportPlan | None
    state: WaitState

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
    """Query every pending message once, and confirm or save the statuses that need confirmation.

    A rescheduled task forgets how often it saw a status. Airflow 3.3 stores up to `MAX_UNCONFIRMED` of them;
    for more, and below 3.3, these messages are queried again in this poke until their statuses are confirmed.

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
    if not is_rescheduled:
        return
    if wait.state.is_lasting and len(tracker.unconfirmed) <= MAX_UNCONFIRMED:
        wait.state.save_unconfirmed(tracker.unconfirmed)
        return
    for _ in range(tracker.criteria.unknown_limit - 1):
        left = (wait.deadline - datetime.now(UTC)).total_seconds()
        if left <= 0 or not tracker.has_unconfirmed:
            return
        sleep(min(polling.poll_interval, polling.max_poll_interval, left))
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
        tracker.acquire = polling.make_limiter(settings.max_rate)
        async with open_async_client(settings.account, max_connections=polling.concurrency) as client:
            limit = plan_time_limit(datetime.now(UTC), wait.deadline, timeout=settings.account.timeout)
            await tracker.poll(client, time_limit=limit, only_unconfirmed=only_unconfirmed)

    asyncio.run(poll())
