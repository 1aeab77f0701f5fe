"""What the sensor is told when a DAG file is parsed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.memory import WaitMemory
from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor
from airflow_provider_osonsms.sensors.poke import Wait


def test_intervals_may_be_timedeltas(gateway):
    """Airflow's sensors take seconds or a timedelta, and so does this one."""
    sensor = OsonSmsDeliverySensor(
        task_id="wait", messages="1", poke_interval=timedelta(seconds=5), timeout=timedelta(hours=1)
    )

    assert (sensor.poke_interval, sensor.timeout) == (5, 3600)


@pytest.mark.parametrize(
    ("elapsed", "left", "pause"),
    [(0, 900, 10), (100, 900, 60), (1200, 900, 120), (600_000, 1900, 1800), (100, 5, 5), (100, -1, 10)],
)
def test_pauses_between_pokes(gateway, elapsed, left, pause):
    """The pause grows with the age, in every try of a wait; the deadline ends it, and has pauses after it."""
    sensor = OsonSmsDeliverySensor(task_id="wait", messages="1", timeout=7 * 86_400)
    now = datetime.now(UTC)
    sensor._wait = Wait(
        began=now - timedelta(seconds=elapsed),
        opened=now,
        seconds=elapsed + left,
        messages=TrackedMessages(msg_ids=("1",)),
        wait_id="",
        try_number=1,
        plan=None,
        memory=WaitMemory(),
        memory_path=None,
    )

    assert sensor._get_next_poke_interval(now, lambda: 0, 5000) == pytest.approx(pause, abs=0.5)


@pytest.mark.parametrize(
    "fields",
    [
        {"min_delivered": 1.5},
        {"min_delivered": -1},
        {"min_delivered": 1},
        {"unknown_limit": 0},
        {"max_poll_interval": 0},
        {"max_rate": 0},
        {"concurrency": 0},
        {"concurrency": 2.5},
        {"poke_interval": 0},
        {"poke_interval": float("inf")},
        {"max_poll_interval": timedelta(0)},
        {"report_language": "de"},
        {"min_delivered_count": -1},
        {"max_rate": Decimal(5)},
        {"max_rate": float("inf")},
        {"timeout": float("inf")},
        {"timeout": 1e308},
        {"timeout": -1},
        {"unknown_after": timedelta(days=-1)},
        {"stop_early": "no"},
        {"include_unknown": None},
    ],
)
def test_wrong_settings_are_refused_when_parsed(fields):
    """A share outside 0 to 1, or no concurrency, is refused when the DAG file is parsed."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        OsonSmsDeliverySensor(task_id="wait", messages="1", **fields)
