"""The trigger: waits for many messages at once, without a worker slot."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_osonsms._compat import aopen_path
from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.client.settings import Settings
from airflow_provider_osonsms.delivery.decision import Decision, Rules
from airflow_provider_osonsms.delivery.description import describe
from airflow_provider_osonsms.delivery.messages import TrackedMessages
from airflow_provider_osonsms.delivery.msg_ids import MsgIds
from airflow_provider_osonsms.delivery.pace import Pace
from airflow_provider_osonsms.delivery.report.plan import read_plan
from airflow_provider_osonsms.delivery.results import TableUnavailableError
from airflow_provider_osonsms.delivery.schedule import plan_patience
from airflow_provider_osonsms.delivery.watch import Watch
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.protocol.errors import OsonSmsError
from airflow_provider_osonsms.protocol.models import T

FIRST_LOOK_AFTER = 6.0
"""Seconds: a trigger that fires while the task that deferred is still being reported as ended makes the
scheduler fail the resumed task (apache/airflow issues 66374 and 72716). A restarted one asks no sooner."""


class OsonSmsDeliveryTrigger(BaseTrigger):
    """Fire when every message has a final status, or at the deadline.

    The event's payload is ``{"decision", "summary", "error", "report_problem"}``: a `Decision`'s value or
    None after an error, the counts of `Watch.summarise`, the error's text or None, and the same for the
    report. It holds no phone.

    Args:
        began: When the waiting began, as an aware ISO time: how often it asks depends on it.
        deadline: Aware ISO time; a restarted triggerer keeps it.
        msg_ids: Whom to ask for.
        untracked: How many messages have no msg_id; they are only counted.
        paths: Results tables of campaigns, with more of both.
        osonsms_conn_id: Id of the Connection.
        rules: Fields of `Rules`.
        pace: Fields of `Pace`.
        report: Fields of `ReportPlan`; None for no report.
    """

    def __init__(
        self,
        *,
        began: str,
        deadline: str,
        msg_ids: Sequence[str] = (),
        untracked: int = 0,
        paths: Sequence[str] = (),
        osonsms_conn_id: str = OsonSmsHook.default_conn_name,
        rules: Mapping[str, Any] | None = None,
        pace: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.began = began
        self.deadline = deadline
        self.msg_ids = list(msg_ids)
        self.untracked = untracked
        self.paths = list(paths)
        self.osonsms_conn_id = osonsms_conn_id
        self.rules = Rules(**rules or {})
        self.pace = Pace(**pace or {})
        self.report = None if report is None else read_plan(report)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what a triggerer needs to make this trigger again."""
        return (
            "airflow_provider_osonsms.triggers.osonsms.OsonSmsDeliveryTrigger",
            {
                "began": self.began,
                "deadline": self.deadline,
                "msg_ids": self.msg_ids,
                "untracked": self.untracked,
                "paths": self.paths,
                "osonsms_conn_id": self.osonsms_conn_id,
                "rules": asdict(self.rules),
                "pace": asdict(self.pace),
                "report": None if self.report is None else asdict(self.report),
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask round after round, and yield the one event."""
        decision: Decision | None = None
        problem: str | None = None
        report_problem: str | None = None
        watch: Watch | None = None
        try:
            deadline = datetime.fromisoformat(self.deadline)
            await self._sleep(FIRST_LOOK_AFTER, deadline)
            hook = OsonSmsHook(self.osonsms_conn_id)
            settings = await self._insist(hook.aget_settings, "The Connection", deadline)
            watch = await self._start_watch(settings, deadline)
            decision = await self._wait(watch, settings, deadline=deadline)
            report_problem = await self._write_report(watch, settings)
        except OsonSmsError as error:
            problem = str(error)
        summary = {} if watch is None else watch.summarise()
        yield TriggerEvent(
            {"decision": decision, "summary": summary, "error": problem, "report_problem": report_problem}
        )

    async def _start_watch(self, settings: Settings, deadline: datetime) -> Watch:
        messages = TrackedMessages(
            msg_ids=tuple(self.msg_ids), untracked=self.untracked, paths=tuple(self.paths)
        )

        async def load() -> tuple[MsgIds, int]:
            places = {path: await aopen_path(path) for path in self.paths}
            return await asyncio.to_thread(messages.load, places.__getitem__)

        msg_ids, untracked = await self._insist(load, "The results of a campaign", deadline)
        return Watch(
            msg_ids,
            untracked=untracked,
            rules=self.rules,
            concurrency=self.pace.concurrency,
            acquire=self.pace.make_limiter(settings.max_rate),
            began=datetime.fromisoformat(self.began).timestamp(),
        )

    async def _write_report(self, watch: Watch, settings: Settings) -> str | None:
        if self.report is None:
            return None
        from airflow_provider_osonsms.delivery.report.writing import try_to_write_report

        try:
            places = {path: await aopen_path(path) for path in self.report.paths}
        except Exception as error:  # noqa: BLE001 - storages have errors of their own, which may show a URL
            return f"the report could not be written to its path ({type(error).__name__})"
        return await asyncio.to_thread(
            try_to_write_report,
            self.report,
            watch,
            open_path=places.__getitem__,
            price_per_part=settings.price_per_part,
        )

    async def _wait(self, watch: Watch, settings: Settings, *, deadline: datetime) -> Decision:
        began = datetime.fromisoformat(self.began)
        account = settings.account
        async with open_async_client(account, max_connections=self.pace.concurrency) as client:
            while True:
                patience = plan_patience(datetime.now(UTC), deadline, timeout=account.timeout)
                await watch.look(client, patience=patience)
                now = datetime.now(UTC)
                decision = watch.decide(now=now, deadline=deadline)
                if decision is not Decision.WAIT:
                    return decision
                self.log.info("%s", describe(watch.summarise()))
                age = (now - began).total_seconds()
                await self._sleep(self.pace.plan_pause(age, jitter=random.random()), deadline)  # noqa: S311

    async def _insist(self, read: Callable[[], Awaitable[T]], what: str, deadline: datetime) -> T:
        """Return what *read* does; again until the deadline while it fails for now."""
        while True:
            try:
                return await read()
            except Exception as error:
                is_final = isinstance(error, OsonSmsError) and not isinstance(error, TableUnavailableError)
                if is_final or datetime.now(UTC) >= deadline:
                    raise
                self.log.warning("%s cannot be read for now: %s", what, type(error).__name__)
            await self._sleep(self.pace.poll_interval, deadline)

    async def _sleep(self, seconds: float, deadline: datetime) -> None:
        left = (deadline - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, min(seconds, left)))
