"""The send window trigger: waits until a send window opens, without a worker slot."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_osonsms.triggers import delivery


class OsonSmsWindowTrigger(BaseTrigger):
    """Fire at a moment.

    Args:
        moment: ISO datetime with a zone.
        was_interrupted: Whether the campaign had begun when its window closed; the event returns it.
    """

    def __init__(self, moment: str, *, was_interrupted: bool) -> None:
        super().__init__()
        self.moment = moment
        self.was_interrupted = was_interrupted

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, from which a triggerer makes this trigger again."""
        path = "airflow_provider_osonsms.triggers.osonsms.OsonSmsWindowTrigger"
        return path, {"moment": self.moment, "was_interrupted": self.was_interrupted}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event at the moment, but not before `FIRST_POLL_AFTER`."""
        left = (datetime.fromisoformat(self.moment) - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(left, delivery.FIRST_POLL_AFTER))
        yield TriggerEvent({"was_interrupted": self.was_interrupted})
