"""One poke of a sensor: a round of questions from the worker's own process, without the triggerer."""

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
"""For a round of questions that begins at the deadline, and the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A wait that has begun: what is waited for, since when, until when, and what it leaves behind.

    Attributes:
        began: Aware; by an earlier try where Airflow remembers it.
        seconds: From then to the deadline.
        messages: What is waited for.
        plan: Which files it leaves behind; None for none.
        state: What the next poke must know.
    """

    began: datetime
    seconds: float
    messages: TrackedMessages
    plan: ReportPlan | None
    state: WaitState

    @property
    def deadline(self) -> datetime:
        """When it ends at the latest."""
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
    """Ask once for every pending message, and confirm or save what needs confirmation.

    Below Airflow 3.3 a rescheduled task can save nothing, and never more than some, so it asks for those
    messages again soon, from here.

    Args:
        wait: The wait that pokes.
        tracker: Knows which messages are pending.
        settings: Of the Connection.
        polling: How fast.
        is_rescheduled: Whether each poke is a process of its own.
        sleep: Waits between two rounds from here.

    Raises:
        FinalRefusalError: The account is refused.
    """
    _ask(wait, tracker, settings, polling=polling)
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
        _ask(wait, tracker, settings, polling=polling, only_unconfirmed=True)


def _ask(
    wait: Wait,
    tracker: DeliveryTracker,
    settings: Settings,
    *,
    polling: PollSettings,
    only_unconfirmed: bool = False,
) -> None:
    async def ask() -> None:
        tracker.acquire = polling.make_limiter(settings.max_rate)
        async with open_async_client(settings.account, max_connections=polling.concurrency) as client:
            limit = plan_time_limit(datetime.now(UTC), wait.deadline, timeout=settings.account.timeout)
            await tracker.poll(client, time_limit=limit, only_unconfirmed=only_unconfirmed)

    asyncio.run(ask())
