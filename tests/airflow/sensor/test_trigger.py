"""The trigger, against the simulated gateway."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pkgutil import resolve_name as import_string

from airflow_provider_osonsms.client.asynchronous import AsyncOsonSmsClient
from airflow_provider_osonsms.delivery import share
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.triggers import delivery as triggers
from airflow_provider_osonsms.triggers.delivery import OsonSmsDeliveryTrigger

NOW = datetime.now(UTC).isoformat()


def test_missing_connection_ends_the_wait(monkeypatch, fire):
    """A trigger without its Connection fires an error instead of crashing."""
    monkeypatch.delenv("AIRFLOW_CONN_OSONSMS_DEFAULT", raising=False)
    trigger = OsonSmsDeliveryTrigger(msg_ids=["1"], began=NOW, deadline=NOW)

    event = fire(trigger)

    assert event["decision"] is None
    assert "Connection 'osonsms_default' is not defined" in event["error"]


def test_trigger_reports_a_refused_account(gateway, fire):
    """An account that is refused while a task waits in the triggerer is reported at once."""
    gateway.backend.change_account("demo", is_blocked=True)
    deadline = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()

    event = fire(OsonSmsDeliveryTrigger(msg_ids=["1"], began=NOW, deadline=deadline))

    assert (event["decision"], event["summary"]["pending"]) == (None, 1)
    assert "login" in event["error"]


def test_unreadable_connection_is_read_again(monkeypatch, send, fire):
    """A trigger that cannot read its Connection for now goes on instead of failing the task."""
    read, calls = OsonSmsHook.aget_settings, []

    async def fail_once(self):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the API server restarts")
        return await read(self)

    monkeypatch.setattr(OsonSmsHook, "aget_settings", fail_once)
    deadline = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    trigger = OsonSmsDeliveryTrigger(
        msg_ids=send("01"), began=NOW, deadline=deadline, polling={"poll_interval": 0.01}
    )

    assert fire(trigger)["decision"] == "succeed"


def test_trigger_survives_serialization():
    """A triggerer makes the same trigger of what was stored: ids and settings, no secret and no phone."""
    deadline = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    trigger = OsonSmsDeliveryTrigger(
        msg_ids=["1", "2"],
        untracked=1,
        sources=[{"path": "/results.csv", "rows": 7, "checksum": "ab"}],
        began=NOW,
        deadline=deadline,
        criteria={"min_delivered_count": 5, "unknown_limit": 2},
        polling={"max_rate": 7.5},
    )

    path, kwargs = trigger.serialize()

    assert path == "airflow_provider_osonsms.triggers.osonsms.OsonSmsDeliveryTrigger"
    assert import_string(path) is OsonSmsDeliveryTrigger
    assert OsonSmsDeliveryTrigger(**json.loads(json.dumps(kwargs))).serialize() == (path, kwargs)
    assert set(kwargs) >= {"msg_ids", "deadline", "osonsms_conn_id"}


def test_the_error_of_a_storage_stays_inside(monkeypatch, gateway, fire):
    """What a storage raises at the deadline may show a URL with a secret: the event names its kind alone."""

    async def fail(path):
        raise LookupError("https://key:secret@storage/path")

    monkeypatch.setattr(triggers, "aopen_path", fail)
    table = {"path": "s3://bucket/sent.csv"}

    event = fire(OsonSmsDeliveryTrigger(sources=[table], began=NOW, deadline=NOW))

    assert event["error"] == "The results of a campaign could not be read until the deadline (LookupError)"
    assert event["may_retry"]


def test_waits_of_one_triggerer_share_their_questions(monkeypatch, send):
    """Triggers in one event loop ask fewer questions at once than each of them alone would."""
    monkeypatch.setattr(share, "MAX_UNDER_WAY", 3)
    ask, under_way, most = AsyncOsonSmsClient.ask, 0, 0

    async def count(self, query):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await ask(self, query)
        finally:
            under_way -= 1

    monkeypatch.setattr(AsyncOsonSmsClient, "ask", count)
    msg_ids = send(*(f"{number:02}" for number in range(12)))
    deadline = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    waits = [
        OsonSmsDeliveryTrigger(
            msg_ids=msg_ids[start : start + 4],
            began=NOW,
            deadline=deadline,
            polling={"poll_interval": 0.01, "concurrency": 4},
        )
        for start in (0, 4, 8)
    ]

    async def run(trigger):
        return [event.payload["decision"] async for event in trigger.run()]

    async def main():
        return await asyncio.gather(*map(run, waits))

    assert asyncio.run(main()) == [["succeed"]] * 3
    assert most <= 3 + 1 + 1  # the first, and those who come to share with it
