"""The windows of alerts, and their keys."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.alerts.event import AlertEvent
from airflow_provider_osonsms.alerts.throttle import DedupeBy, find_window, make_alert_txn_id

MOMENT = datetime(2026, 11, 26, 4, 9, 59, tzinfo=UTC)
EVENT = {"dag_id": "d", "run_id": "r", "task_id": "t", "try_number": 1, "state": "failed", "moment": MOMENT}


def make_key(*, event=None, **options):
    """Make the key of an alert that differs from the usual one in what is given."""
    usual = {
        "phone": "992900000001",
        "text": "x",
        "window": timedelta(minutes=10),
        "channel": None,
        "namespace": "",
        "now": MOMENT + timedelta(days=1),
    }
    known = {**usual, "dedupe_by": DedupeBy.DAG, **options}
    return make_alert_txn_id(AlertEvent(**{**EVENT, **(event or {})}), **known)


@pytest.mark.parametrize(
    ("moment", "length", "begin"),
    [
        ("2026-11-26T04:09:59.999+00:00", timedelta(minutes=10), "2026-11-26T04:00:00+00:00"),
        ("2026-11-26T04:10:00+00:00", timedelta(minutes=10), "2026-11-26T04:10:00+00:00"),
        ("2026-11-26T09:10:00+05:00", timedelta(minutes=10), "2026-11-26T04:10:00+00:00"),
        ("2026-11-26T23:59:00+05:00", timedelta(days=1), "2026-11-26T00:00:00+05:00"),
        ("2026-11-27T00:00:00+05:00", timedelta(days=1), "2026-11-27T00:00:00+05:00"),
        ("2026-11-29T23:59:00+05:00", timedelta(days=7), "2026-11-23T00:00:00+05:00"),
        ("2023-12-31T23:59:00+05:00", timedelta(days=7), "2023-12-25T00:00:00+05:00"),
    ],
)
def test_windows(moment, length, begin):
    """A window of ten minutes begins at a full ten, one of a day or a week at midnight in Dushanbe."""
    assert find_window(datetime.fromisoformat(moment), length) == datetime.fromisoformat(begin)


@given(st.datetimes(timezones=st.just(UTC)), st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
def test_every_moment_is_in_its_window(moment, length):
    """A window holds its moment, and its borders are those of all windows of this length."""
    begin = find_window(moment, length)

    assert timedelta() <= moment - begin < length
    assert find_window(begin, length) == begin


@pytest.mark.parametrize(
    ("dedupe_by", "parts"),
    [
        ("task", {"dag_id", "run_id", "task_id", "state"}),
        ("dag_run", {"dag_id", "run_id"}),
        ("dag", {"dag_id"}),
        ("message", {"text"}),
    ],
)
def test_what_makes_another_key(dedupe_by, parts):
    """A key changes with what it is made of, and with nothing else."""
    usual = make_key(dedupe_by=DedupeBy(dedupe_by))
    others = {
        "dag_id": "D",
        "run_id": "R",
        "task_id": "T",
        "try_number": 2,
        "map_index": 5,
        "state": "up_for_retry",
    }
    changed = {
        name
        for name, value in others.items()
        if make_key(dedupe_by=DedupeBy(dedupe_by), event={name: value}) != usual
    }
    if make_key(dedupe_by=DedupeBy(dedupe_by), text="y") != usual:
        changed.add("text")

    assert changed == parts


@pytest.mark.parametrize(
    "options",
    [
        {"phone": "992900000002"},
        {"channel": "telegram"},
        {"namespace": "staging"},
        {"window": timedelta(minutes=20)},
        {"event": {"moment": MOMENT + timedelta(seconds=1)}},
        {"event": {"state": "success"}},
        {"event": {"state": "awaiting_input"}},
    ],
)
def test_what_is_always_part_of_the_key(options):
    """Phone, channel, namespace, window and kind are part of each key."""
    assert make_key(**options) != make_key()


@pytest.mark.parametrize("event", [{}, {"try_number": 2}, {"task_id": "T"}, {"run_id": "R"}])
def test_an_unknown_moment_is_that_of_the_callback(event):
    """Where Airflow does not say when it happened, the alert shares the window of those that happen now."""
    assert make_key(event={**event, "moment": None}, now=MOMENT) == make_key()
    assert make_key(event={**event, "moment": None}, now=MOMENT + timedelta(minutes=1)) != make_key()
