"""The rounds of questions that a sensor asks from its own process, without the triggerer."""

import asyncio
import time
from datetime import UTC, datetime

from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.delivery.polling import PollSettings, plan_time_limit
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.sensors.wait_state import MAX_UNCONFIRMED, WaitState


class Rounds:
    """Asks for the pending messages of a watch, once with each call.

    Args:
        watch: Knows whom to ask for.
        memory: Carries doubtful sightings from poke to poke.
        pace: How fast.
        unknown_limit: Sightings in a row after which a doubtful status is believed.
        deadline: Of the wait.
        is_rescheduled: Whether each poke is a process of its own.
    """

    def __init__(
        self,
        tracker: DeliveryTracker,
        state: WaitState,
        *,
        polling: PollSettings,
        unknown_limit: int,
        deadline: datetime,
        is_rescheduled: bool,
    ) -> None:
        self._tracker = tracker
        self._state = state
        self._polling = polling
        self._unknown_limit = unknown_limit
        self._deadline = deadline
        self._is_rescheduled = is_rescheduled

    def ask(self, settings: Settings) -> None:
        """Ask once for every pending message, and settle or note what is doubtful.

        Below Airflow 3.3 a rescheduled task can note nothing, and never more than some, so it asks for the
        doubtful again soon, from here.

        Raises:
            FinalRefusalError: The account is refused.
        """
        asyncio.run(self._ask(settings, only_unconfirmed=False))
        if not self._is_rescheduled:
            return
        unconfirmed = self._tracker.unconfirmed
        if self._state.is_lasting and len(unconfirmed) <= MAX_UNCONFIRMED:
            self._state.save_unconfirmed(unconfirmed)
            return
        for _ in range(self._unknown_limit - 1):
            left = (self._deadline - datetime.now(UTC)).total_seconds()
            if left <= 0 or not self._tracker.has_unconfirmed:
                return
            time.sleep(min(self._polling.poll_interval, self._polling.max_poll_interval, left))
            asyncio.run(self._ask(settings, only_unconfirmed=True))

    async def _ask(self, settings: Settings, *, only_unconfirmed: bool) -> None:
        self._tracker.acquire = self._polling.make_limiter(settings.max_rate)
        async with open_async_client(settings.account, max_connections=self._polling.concurrency) as client:
            time_limit = plan_time_limit(datetime.now(UTC), self._deadline, timeout=settings.account.timeout)
            await self._tracker.look(client, time_limit=time_limit, only_unconfirmed=only_unconfirmed)
