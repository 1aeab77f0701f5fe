"""The delivery trigger: waits for many messages at once, without a worker slot."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_osonsms._storage import aopen_path
from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.connection import Settings
from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.memory import FileMemory, WaitMemory, poll_and_keep, start_tracker
from airflow_provider_osonsms.delivery.polling import PollSettings
from airflow_provider_osonsms.delivery.report.plan import WrittenFiles, read_plan
from airflow_provider_osonsms.delivery.report.verdict import Ending
from airflow_provider_osonsms.delivery.result import WaitResult
from airflow_provider_osonsms.delivery.share import find_share
from airflow_provider_osonsms.delivery.summary import NOTHING_KNOWN
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.protocol.errors import GatewayError, OsonSmsError
from airflow_provider_osonsms.protocol.history import may_send_again
from airflow_provider_osonsms.protocol.models import T
from airflow_provider_osonsms.tables.results import ResultsTable, TableUnavailableError
from airflow_provider_osonsms.triggers.turns import run_in_turn

FIRST_POLL_AFTER = 6.0
"""Seconds: a trigger that fires while the task that deferred is still being reported as ended makes the
scheduler fail the resumed task (apache/airflow issues 66374 and 72716). A restarted
trigger waits too."""


class OsonSmsDeliveryTrigger(BaseTrigger):
    """Fire when every message has a final status, or at the deadline.

    The event's payload is that of `WaitResult.to_event`. It holds no phone.

    Args:
        wait_id: Names the wait, over its tries.
        try_number: The try of the task that waits.
        began: When the wait began, as an aware ISO time; the pauses between rounds depend on it.
        deadline: Aware ISO time; it stays the same after a restart of the triggerer.
        opened: When this try of the wait began, as an aware ISO time; None for *began*.
        msg_ids: The msg_ids to poll.
        untracked: How many messages have no msg_id; they are only counted.
        sources: Fields of each `ResultsTable` to read for more of both.
        osonsms_conn_id: Id of the Connection.
        criteria: Fields of `DeliveryCriteria`.
        polling: Fields of `PollSettings`.
        report: Fields of `ReportPlan`; None for no report.
        memory_path: Where the wait keeps what it knows; None for nowhere.
    """

    def __init__(
        self,
        *,
        wait_id: str = "",
        try_number: int = 1,
        began: str,
        deadline: str,
        opened: str | None = None,
        msg_ids: Sequence[str] = (),
        untracked: int = 0,
        sources: Sequence[Mapping[str, Any]] = (),
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        criteria: Mapping[str, Any] | None = None,
        polling: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
        memory_path: str | None = None,
    ) -> None:
        super().__init__()
        self.wait_id = wait_id
        self.try_number = try_number
        self.began = began
        self.deadline = deadline
        self.opened = opened or began
        self.msg_ids = list(msg_ids)
        self.untracked = untracked
        self.sources = tuple(ResultsTable(**fields) for fields in sources)
        self.osonsms_conn_id = osonsms_conn_id
        self.criteria = DeliveryCriteria(**criteria or {})
        self.polling = PollSettings(**polling or {})
        self.report = None if report is None else read_plan(report)
        self.memory_path = memory_path

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, from which a triggerer makes this trigger again."""
        return (
            "airflow_provider_osonsms.triggers.osonsms.OsonSmsDeliveryTrigger",
            {
                "wait_id": self.wait_id,
                "try_number": self.try_number,
                "began": self.began,
                "deadline": self.deadline,
                "opened": self.opened,
                "msg_ids": self.msg_ids,
                "untracked": self.untracked,
                "sources": [asdict(table) for table in self.sources],
                "osonsms_conn_id": self.osonsms_conn_id,
                "criteria": asdict(self.criteria),
                "polling": asdict(self.polling),
                "report": None if self.report is None else asdict(self.report),
                "memory_path": self.memory_path,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll round after round, and yield the one event."""
        await asyncio.sleep(FIRST_POLL_AFTER)
        began, deadline = (datetime.fromisoformat(one).timestamp() for one in (self.began, self.deadline))
        decision: Decision | None = None
        error: OsonSmsError | None = None
        files = WrittenFiles({})
        tracker: DeliveryTracker | None = None
        try:
            await asyncio.to_thread(import_module, "airflow_provider_osonsms.transport.asynchronous")
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = await self._retry_until(hook.aget_settings, "The Connection", deadline)
            memory = await self._open_memory()
            tracker = await self._start_tracker(settings, memory, began=began, deadline=deadline)
            try:
                decision = await self._wait(tracker, settings, memory, deadline=deadline)
            except GatewayError as refusal:  # the account is refused
                error = refusal
            files = await self._write_report(tracker, settings, Ending(decision, deadline))
        except OsonSmsError as problem:
            error = problem
        result = WaitResult(
            decision=decision,
            summary=NOTHING_KNOWN if tracker is None else tracker.summarize(),
            files=files,
            error=None if error is None else str(error),
            may_retry=error is not None and may_send_again(error),
            questions=0 if tracker is None else tracker.questions,
            throttled=0 if tracker is None else tracker.throttled,
            began=began,
        )
        yield TriggerEvent(result.to_event())

    @property
    def _is_list_planned(self) -> bool:
        return self.report is not None and self.report.undelivered_path is not None

    async def _open_memory(self) -> WaitMemory:
        if self.memory_path is None:
            return WaitMemory()
        try:
            place = await aopen_path(self.memory_path)
            return FileMemory(self.memory_path, open_path=lambda _: place)
        except Exception as error:  # noqa: BLE001 - a storage's own errors; the report will meet them, too
            self.log.warning("What is known of the messages cannot be kept (%s)", type(error).__name__)
            return WaitMemory()

    async def _start_tracker(
        self, settings: Settings, memory: WaitMemory, *, began: float, deadline: float
    ) -> DeliveryTracker:
        messages = TrackedMessages(
            msg_ids=tuple(self.msg_ids), untracked=self.untracked, sources=self.sources
        )

        def start(places: Mapping[str, Any]) -> DeliveryTracker:
            return start_tracker(
                messages.load(places.__getitem__),
                memory,
                wait_id=self.wait_id,
                try_number=self.try_number,
                began=began,
                opened=datetime.fromisoformat(self.opened).timestamp(),
                criteria=self.criteria,
                concurrency=self.polling.concurrency,
            )

        async def load() -> DeliveryTracker:
            places = {table.path: await aopen_path(table.path) for table in self.sources}
            return await run_in_turn(start, places)

        tracker = await self._retry_until(load, "The results of a campaign", deadline)
        tracker.limiter = self.polling.make_limiter(settings.max_rate)
        tracker.share = find_share(settings.account.api_url)
        return tracker

    async def _write_report(
        self, tracker: DeliveryTracker, settings: Settings, ending: Ending
    ) -> WrittenFiles:
        if self.report is None:
            return WrittenFiles({})
        plan = self.report
        try:
            places = {path: await aopen_path(path) for path in plan.paths}
        except Exception as error:  # noqa: BLE001 - the text of a storage's own error may show a URL
            return WrittenFiles({}, f"the report could not be written to its path ({type(error).__name__})")

        def write() -> WrittenFiles:
            from airflow_provider_osonsms.delivery.report.write import try_to_write_report

            return try_to_write_report(
                plan,
                tracker,
                open_path=places.__getitem__,
                price_per_part=settings.price_per_part,
                ending=ending,
            )

        return await run_in_turn(write)

    async def _wait(
        self, tracker: DeliveryTracker, settings: Settings, memory: WaitMemory, *, deadline: float
    ) -> Decision:
        account = settings.account
        async with open_async_client(account, max_connections=self.polling.concurrency) as client:
            while True:
                await poll_and_keep(
                    tracker,
                    client,
                    memory,
                    wait_id=self.wait_id,
                    try_number=self.try_number,
                    deadline=deadline,
                    query_timeout=account.timeout,
                )
                decision = tracker.decide(deadline=deadline, needs_answers=self._is_list_planned)
                if decision is not Decision.WAIT:
                    return decision
                now = datetime.now(UTC).timestamp()
                pause = self.polling.plan_pause_until(
                    deadline,
                    began=tracker.began,
                    now=now,
                    jitter=random.random(),  # noqa: S311
                )
                counts = tracker.summarize().describe()
                self.log.info("%s; %s", counts, self.polling.describe_pause(pause, now=now))
                await asyncio.sleep(pause)

    async def _retry_until(self, read: Callable[[], Awaitable[T]], what: str, deadline: float) -> T:
        """Return the result of *read*; repeat it until the deadline while its error is not final.

        Raises:
            OsonSmsError: That of *read*. What a storage or a backend raises itself may show a URL.
        """
        while True:
            try:
                return await read()
            except Exception as error:
                if isinstance(error, OsonSmsError) and not isinstance(error, TableUnavailableError):
                    raise
                name = type(error).__name__
            now = datetime.now(UTC).timestamp()
            if now >= deadline:
                raise TableUnavailableError(f"{what} could not be read until the deadline ({name})")
            self.log.warning("%s cannot be read for now (%s): it is read again", what, name)
            await asyncio.sleep(min(self.polling.poll_interval, deadline - now))
