"""The send window trigger: waits until a send window opens, without a worker slot."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_osonsms.triggers import delivery

_MAX_NAP = 60.0
"""Seconds."""


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
        """Yield one event at the moment, or a little after the start if that is later."""
        await asyncio.sleep(delivery.FIRST_POLL_AFTER)
        moment = datetime.fromisoformat(self.moment)
        while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110 - for the clock
            await asyncio.sleep(min(left, _MAX_NAP))  # it may be set meanwhile, so it is read again
        yield TriggerEvent({"was_interrupted": self.was_interrupted})
