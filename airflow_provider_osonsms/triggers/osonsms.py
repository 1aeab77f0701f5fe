"""The trigger: waits for many messages at once, without a worker slot."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.delivery.decision import Decision, plan_patience, plan_pause
from airflow_provider_osonsms.delivery.messages import TrackedMessages
from airflow_provider_osonsms.delivery.watch import DEFAULT_CONCURRENCY, Watch, describe
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.models import Account

FIRST_LOOK_AFTER = 6.0
"""Seconds: a trigger that fires while the task that deferred is still being reported as ended makes the
scheduler fail the resumed task (apache/airflow issues 66374 and 72716). The sensor has just looked itself."""


class OsonSmsDeliveryTrigger(BaseTrigger):
    """Fire when every message has a final status, or at the deadline.

    The event's payload is ``{"decision", "summary", "error"}``: a `Decision`'s value or None after an error,
    the counts of `Watch.summarise`, and the error's text or None. It holds no msg_id and no phone.

    Args:
        msg_ids: Whom to ask for.
        untracked: How many messages have no msg_id; they are only counted.
        osonsms_conn_id: Id of the Connection.
        deadline: Aware ISO time; a restarted triggerer keeps it.
        poll_interval: Seconds after the first round; later pauses grow.
        min_delivered: Share of *msg_ids*, 0 to 1, that must be delivered.
        concurrency: Questions under way at once.
    """

    def __init__(
        self,
        *,
        msg_ids: Sequence[str],
        deadline: str,
        untracked: int = 0,
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        poll_interval: float = 10.0,
        min_delivered: float = 1.0,
        concurrency: int = DEFAULT_CONCURRENCY,
    ) -> None:
        super().__init__()
        self.msg_ids = list(msg_ids)
        self.deadline = deadline
        self.untracked = untracked
        self.osonsms_conn_id = osonsms_conn_id
        self.poll_interval = poll_interval
        self.min_delivered = min_delivered
        self.concurrency = concurrency

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what a triggerer needs to make this trigger again."""
        return (
            "airflow_provider_osonsms.triggers.osonsms.OsonSmsDeliveryTrigger",
            {
                "msg_ids": self.msg_ids,
                "deadline": self.deadline,
                "untracked": self.untracked,
                "osonsms_conn_id": self.osonsms_conn_id,
                "poll_interval": self.poll_interval,
                "min_delivered": self.min_delivered,
                "concurrency": self.concurrency,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask round after round, and yield the one event."""
        messages = TrackedMessages(msg_ids=tuple(self.msg_ids), untracked=self.untracked)
        watch = Watch(messages, min_delivered=self.min_delivered, concurrency=self.concurrency)
        decision: Decision | None = None
        problem: str | None = None
        try:
            decision = await self._wait(watch)
        except OsonSmsError as error:
            problem = str(error)
        yield TriggerEvent({"decision": decision, "summary": watch.summarise(), "error": problem})

    async def _wait(self, watch: Watch) -> Decision:
        deadline = datetime.fromisoformat(self.deadline)
        await self._sleep(FIRST_LOOK_AFTER, deadline)
        async with open_async_client(await self._read_account(deadline)) as client:
            for round_number in itertools.count():
                patience = plan_patience(datetime.now(UTC), deadline, timeout=client.account.timeout)
                await watch.look(client, patience=patience)
                decision = watch.decide(now=datetime.now(UTC), deadline=deadline)
                if decision is not Decision.WAIT:
                    return decision
                self.log.info("%s", describe(watch.summarise()))
                pause = plan_pause(
                    round_number,
                    poll_interval=self.poll_interval,
                    jitter=random.uniform(-1, 1),  # noqa: S311
                )
                await self._sleep(pause, deadline)
        raise AssertionError("a watch decides at the deadline")

    async def _read_account(self, deadline: datetime) -> Account:
        """Read the Connection, again where it cannot be read for now, as while the API server restarts."""
        while True:
            try:
                return (await OsonSmsHook(self.osonsms_conn_id).aget_settings()).account
            except OsonSmsError:
                raise
            except Exception as error:
                if datetime.now(UTC) >= deadline:
                    raise
                self.log.warning("The Connection cannot be read for now: %s", type(error).__name__)
            await self._sleep(self.poll_interval, deadline)

    async def _sleep(self, seconds: float, deadline: datetime) -> None:
        left = (deadline - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, min(seconds, left)))
