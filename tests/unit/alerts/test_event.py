"""What an alert says."""

from datetime import UTC, datetime

import pytest

from airflow_provider_osonsms.alerts.event import AlertEvent, AlertKind
from airflow_provider_osonsms.text.segments import count_parts

RUN_ID = "scheduled__2026-11-26T03:00:00+05:00"


def make_event(**fields):
    """Make an event of a task that failed."""
    usual = {"dag_id": "nightly", "run_id": RUN_ID, "task_id": "load", "state": "failed"}
    return AlertEvent(**{**usual, "moment": datetime(2026, 11, 26, tzinfo=UTC), **fields})


@pytest.mark.parametrize(
    ("fields", "link"),
    [
        ({}, ""),
        ({"base_url": "https://a.tj/"}, f"https://a.tj/dags/nightly/runs/{RUN_ID}/tasks/load"),
        (
            {"base_url": "https://a.tj", "map_index": 0},
            f"https://a.tj/dags/nightly/runs/{RUN_ID}/tasks/load/mapped/0",
        ),
        ({"base_url": "https://a.tj", "task_id": ""}, f"https://a.tj/dags/nightly/runs/{RUN_ID}"),
        (
            {"base_url": "https://a.tj", "run_id": "a b/c", "task_id": ""},
            "https://a.tj/dags/nightly/runs/a%20b%2Fc",
        ),
    ],
)
def test_link(fields, link):
    """The link leads to the task or the run, and is as short as a link can be."""
    assert make_event(**fields).link == link


@pytest.mark.parametrize(
    ("base_url", "text"),
    [
        ("", f"nightly.load failed, {RUN_ID}"),
        ("https://a.tj", f"nightly.load failed, {RUN_ID} https://a.tj/dags/nightly/runs/{RUN_ID}/tasks/load"),
        (
            "https://airflow.analytics.warehouse.example.tj",
            f"nightly.load failed https://airflow.analytics.warehouse.example.tj/dags/nightly/runs/{RUN_ID}/tasks/load",
        ),
        (f"https://{'a' * 100}.tj", "nightly.load failed"),
    ],
)
def test_default_text_is_one_part(base_url, text):
    """The default text leaves out the run, then the link, and never a part of the link."""
    told = make_event(base_url=base_url.rstrip("/"), run_id=RUN_ID).text

    assert count_parts(told).parts == 1
    assert told == text


def test_long_or_foreign_names_are_one_part():
    """Names of any length and alphabet leave one part."""
    for dag_id in ("x" * 250, "боркунии_маълумот_" * 10):
        assert count_parts(make_event(dag_id=dag_id, base_url="https://a.tj").text).parts == 1


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("failed", AlertKind.PROBLEM),
        ("up_for_retry", AlertKind.PROBLEM),
        ("deadline_missed", AlertKind.PROBLEM),
        ("awaiting_input", AlertKind.REQUEST),
        ("success", AlertKind.NEWS),
        ("skipped", AlertKind.NEWS),
        ("a word of a later Airflow", AlertKind.NEWS),
    ],
)
def test_kinds(state, kind):
    """Each state is a problem, a request or news, and its text names it."""
    assert make_event(state=state).kind is kind
