"""The delivery trigger: waits for many messages at once, without a worker slot."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_osonsms._storage import aopen_path
from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.polling import PollSettings, plan_time_limit
from airflow_provider_osonsms.delivery.report.plan import read_plan
from airflow_provider_osonsms.delivery.summary import NOTHING_KNOWN
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.history import may_send_again
from airflow_provider_osonsms.protocol.models import T
from airflow_provider_osonsms.tables.msg_ids import MsgIds
from airflow_provider_osonsms.tables.results import ResultsTable, TableUnavailableError

FIRST_POLL_AFTER = 6.0
"""Seconds: a trigger that fires while the task that deferred is still being reported as ended makes the
scheduler fail the resumed task (apache/airflow issues 66374 and 72716). A restarted
trigger waits too."""


class OsonSmsDeliveryTrigger(BaseTrigger):
    """Fire when every message has a final status, or at the deadline.

    The event's payload is ``{"decision", "summary", "error", "may_retry", "report_problem"}``: a `Decision`'s
    value or None after an error, the fields of `DeliverySummary`, the error's text or None, whether another
    try may end otherwise, and what went wrong with the report or None. It holds no phone.

    Args:
        began: When the wait began, as an aware ISO time; the pauses between rounds depend on it.
        deadline: Aware ISO time; it stays the same after a restart of the triggerer.
        msg_ids: The msg_ids to poll.
        untracked: How many messages have no msg_id; they are only counted.
        sources: Fields of each `ResultsTable` to read for more of both.
        osonsms_conn_id: Id of the Connection.
        criteria: Fields of `DeliveryCriteria`.
        polling: Fields of `PollSettings`.
        report: Fields of `ReportPlan`; None for no report.
    """

    def __init__(
        self,
        *,
        began: str,
        deadline: str,
        msg_ids: Sequence[str] = (),
        untracked: int = 0,
        sources: Sequence[Mapping[str, Any]] = (),
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        criteria: Mapping[str, Any] | None = None,
        polling: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.began = began
        self.deadline = deadline
        self.msg_ids = list(msg_ids)
        self.untracked = untracked
        self.sources = tuple(ResultsTable(**fields) for fields in sources)
        self.osonsms_conn_id = osonsms_conn_id
        self.criteria = DeliveryCriteria(**criteria or {})
        self.polling = PollSettings(**polling or {})
        self.report = None if report is None else read_plan(report)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, from which a triggerer makes this trigger again."""
        return (
            "airflow_provider_osonsms.triggers.osonsms.OsonSmsDeliveryTrigger",
            {
                "began": self.began,
                "deadline": self.deadline,
                "msg_ids": self.msg_ids,
                "untracked": self.untracked,
                "sources": [asdict(table) for table in self.sources],
                "osonsms_conn_id": self.osonsms_conn_id,
                "criteria": asdict(self.criteria),
                "polling": asdict(self.polling),
                "report": None if self.report is None else asdict(self.report),
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll round after round, and yield the one event."""
        decision: Decision | None = None
        problem: str | None = None
        may_retry = False
        report_problem: str | None = None
        tracker: DeliveryTracker | None = None
        try:
            deadline = datetime.fromisoformat(self.deadline)
            await self._sleep(FIRST_POLL_AFTER, deadline)
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = await self._retry_until(hook.aget_settings, "The Connection", deadline)
            tracker = await self._start_tracker(settings, deadline)
            decision = await self._wait(tracker, settings, deadline=deadline)
            report_problem = await self._write_report(tracker, settings)
        except OsonSmsError as error:
            problem, may_retry = str(error), may_send_again(error)
        summary = NOTHING_KNOWN if tracker is None else tracker.summarize()
        yield TriggerEvent(
            {
                "decision": decision,
                "summary": summary.to_dict(),
                "error": problem,
                "may_retry": may_retry,
                "report_problem": report_problem,
            }
        )

    async def _start_tracker(self, settings: Settings, deadline: datetime) -> DeliveryTracker:
        messages = TrackedMessages(
            msg_ids=tuple(self.msg_ids), untracked=self.untracked, sources=self.sources
        )

        async def load() -> tuple[MsgIds, int]:
            places = {table.path: await aopen_path(table.path) for table in self.sources}
            return await asyncio.to_thread(messages.load, places.__getitem__)

        msg_ids, untracked = await self._retry_until(load, "The results of a campaign", deadline)
        return DeliveryTracker(
            msg_ids,
            untracked=untracked,
            criteria=self.criteria,
            concurrency=self.polling.concurrency,
            acquire=self.polling.make_limiter(settings.max_rate),
            began=datetime.fromisoformat(self.began).timestamp(),
        )

    async def _write_report(self, tracker: DeliveryTracker, settings: Settings) -> str | None:
        if self.report is None:
            return None
        from airflow_provider_osonsms.delivery.report.write import try_to_write_report

        try:
            places = {path: await aopen_path(path) for path in self.report.paths}
        except Exception as error:  # noqa: BLE001 - the text of a storage's own error may show a URL
            return f"the report could not be written to its path ({type(error).__name__})"
        return await asyncio.to_thread(
            try_to_write_report,
            self.report,
            tracker,
            open_path=places.__getitem__,
            price_per_part=settings.price_per_part,
        )

    async def _wait(self, tracker: DeliveryTracker, settings: Settings, *, deadline: datetime) -> Decision:
        began = datetime.fromisoformat(self.began)
        account = settings.account
        async with open_async_client(account, max_connections=self.polling.concurrency) as client:
            while True:
                time_limit = plan_time_limit(datetime.now(UTC), deadline, timeout=account.timeout)
                await tracker.poll(client, time_limit=time_limit)
                now = datetime.now(UTC)
                decision = tracker.decide(now=now, deadline=deadline)
                if decision is not Decision.WAIT:
                    return decision
                self.log.info("%s", tracker.summarize().describe())
                age = (now - began).total_seconds()
                await self._sleep(self.polling.plan_pause(age, jitter=random.random()), deadline)  # noqa: S311

    async def _retry_until(self, read: Callable[[], Awaitable[T]], what: str, deadline: datetime) -> T:
        """Return the result of *read*; repeat it until the deadline while its error is not final."""
        while True:
            try:
                return await read()
            except Exception as error:
                is_final = isinstance(error, OsonSmsError) and not isinstance(error, TableUnavailableError)
                if is_final or datetime.now(UTC) >= deadline:
                    raise
                self.log.warning(
                    "%s cannot be read for now (%s): it is read again", what, type(error).__name__
                )
            await self._sleep(self.polling.poll_interval, deadline)

    async def _sleep(self, seconds: float, deadline: datetime) -> None:
        left = (deadline - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, min(seconds, left)))
