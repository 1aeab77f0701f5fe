"""An alert whose gateway asks to slow down waits within its seconds, and holds no callback for longer."""

import pytest

from airflow_provider_osonsms.client import asynchronous, blocking
from airflow_provider_osonsms.simulator import Fault


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that the clients have waited, which cost no time."""
    waited = []

    async def note(seconds):
        waited.append(seconds)

    for module, name, sleep in (
        (blocking, "OsonSmsClient", waited.append),
        (asynchronous, "AsyncOsonSmsClient", note),
    ):
        kind = getattr(module, name)
        patient = type(
            name, (kind,), {"__init__": lambda self, *args, k=kind, s=sleep: k.__init__(self, *args, sleep=s)}
        )
        monkeypatch.setattr(module, name, patient)
    return waited


@pytest.mark.parametrize(("retry_after", "texts"), [(None, 1), (5, 1), (14, 1), (16, 0), (3600, 0)])
def test_only_a_pause_within_its_seconds_is_obeyed(
    gateway, run_to_end, make_notifier, said, pauses, *, retry_after, texts
):
    """A longer pause is not begun: the log says that the alert was not sent, and what the gateway said."""
    gateway.backend.change_behavior(retry_after=retry_after)
    gateway.inject(Fault.TOO_MANY_REQUESTS)

    run_to_end(ValueError(), on_failure_callback=make_notifier())

    assert len(gateway.sent) == texts
    assert sum(pauses) <= 15
    if not texts:
        assert "was not sent: HTTP 429" in said()
