"""The rounds of questions that a sensor asks from its own process, without the triggerer."""

import asyncio
import time
from datetime import UTC, datetime

from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.client.settings import Settings
from airflow_provider_osonsms.delivery.pace import Pace
from airflow_provider_osonsms.delivery.schedule import plan_patience
from airflow_provider_osonsms.delivery.watch import Watch
from airflow_provider_osonsms.sensors.memory import MOST_DOUBTS, Memory


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
        watch: Watch,
        memory: Memory,
        *,
        pace: Pace,
        unknown_limit: int,
        deadline: datetime,
        is_rescheduled: bool,
    ) -> None:
        self._watch = watch
        self._memory = memory
        self._pace = pace
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
        asyncio.run(self._ask(settings, only_doubtful=False))
        if not self._is_rescheduled:
            return
        doubts = self._watch.doubts
        if self._memory.is_lasting and len(doubts) <= MOST_DOUBTS:
            self._memory.note_doubts(doubts)
            return
        for _ in range(self._unknown_limit - 1):
            left = (self._deadline - datetime.now(UTC)).total_seconds()
            if left <= 0 or not self._watch.is_in_doubt:
                return
            time.sleep(min(self._pace.poll_interval, self._pace.max_poll_interval, left))
            asyncio.run(self._ask(settings, only_doubtful=True))

    async def _ask(self, settings: Settings, *, only_doubtful: bool) -> None:
        self._watch.acquire = self._pace.make_limiter(settings.max_rate)
        async with open_async_client(settings.account, max_connections=self._pace.concurrency) as client:
            patience = plan_patience(datetime.now(UTC), self._deadline, timeout=settings.account.timeout)
            await self._watch.look(client, patience=patience, only_doubtful=only_doubtful)
