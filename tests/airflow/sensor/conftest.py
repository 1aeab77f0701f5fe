"""Messages to wait for, and the three ways to wait for them as Airflow does."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_osonsms.delivery import tracker
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor
from airflow_provider_osonsms.triggers.delivery import OsonSmsDeliveryTrigger


@pytest.fixture
def send(gateway):
    """Send a message to one number for each ending, which chooses its final status; return the msg_ids."""

    def send(*endings: str) -> list[str]:
        hook = OsonSmsHook()
        receipts = [
            hook.send_sms(f"9929000{index:03}{ending}", "Salom", txn_id=f"{index}-{ending}")
            for index, ending in enumerate(endings)
        ]
        return [str(receipt.msg_id) for receipt in receipts]

    return send


@pytest.fixture(autouse=True)
def short_hour(monkeypatch):
    """Let the hour after the deadline, for messages without any answer, be a second."""
    monkeypatch.setattr(tracker, "SECONDS_AFTER_DEADLINE", 1.2)


@pytest.fixture
def wait(run_task, supervisor, ear, fire):
    """Run the sensor in a mode to its end: poke it again, or fire its trigger and resume it.

    Pauses stay short however old the messages are; how they grow is a matter of ``delivery/polling.py``.
    """

    def wait(mode: str, **kwargs: Any) -> SimpleNamespace:
        options = {
            "task_id": "wait",
            "poke_interval": 0.05,
            "max_poll_interval": 0.05,
            "timeout": 5,
            **kwargs,
        }
        if mode != "deferrable":
            options["mode"] = mode
        supervisor.reschedule_start = datetime.now(UTC)
        result = run_task(OsonSmsDeliverySensor(deferrable=mode == "deferrable", **options))
        while result.state == "up_for_reschedule":
            result = run_task(OsonSmsDeliverySensor(deferrable=False, **options), reschedules=1)
        if result.state == "deferred":
            event = fire(OsonSmsDeliveryTrigger(**_read(result.msg)))
            result = run_task(OsonSmsDeliverySensor(deferrable=True, **options), next_event=event)
        return result

    return wait


@pytest.fixture
def fire(ear):
    """Run a trigger to its event, and return the payload as it comes out of the database."""

    def fire(trigger: OsonSmsDeliveryTrigger) -> dict[str, Any]:
        event = json.dumps(asyncio.run(_first_event(trigger)))
        ear.hear("event", event)
        return json.loads(event)

    return fire


async def _first_event(trigger: OsonSmsDeliveryTrigger) -> Any:
    async for event in trigger.run():
        return event.payload
    raise AssertionError("the trigger ended without an event")


def _read(msg: Any) -> dict[str, Any]:
    """Decode the trigger's arguments as the triggerer does."""
    try:
        from airflow.sdk.serde import deserialize

        return deserialize(msg.trigger_kwargs)
    except ImportError:
        from airflow.serialization.serialized_objects import BaseSerialization

        kwargs = msg.trigger_kwargs
        return BaseSerialization.deserialize(kwargs) if "__type" in kwargs else kwargs


@pytest.fixture
def read_kwargs() -> Callable[[Any], dict[str, Any]]:
    """Read the trigger's arguments from what a task says when it defers."""
    return _read
