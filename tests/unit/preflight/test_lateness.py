"""How late a run may be."""

from datetime import UTC, datetime, timedelta

from airflow_provider_osonsms.preflight.lateness import explain_lateness


def test_lateness() -> None:
    """A run may be late up to the limit, and at any time without one."""
    due, hour = datetime(2026, 11, 24, 9, tzinfo=UTC), timedelta(hours=1)
    assert explain_lateness(None, due=due, now=due + 100 * hour) is None
    assert explain_lateness(hour, due=due, now=due + hour) is None
    assert "due 2:00:00 ago and max_lateness is 1:00:00" in explain_lateness(
        hour, due=due, now=due + 2 * hour
    )
