"""What a status means for a waiting task."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_osonsms.delivery.decision import Decision, decide, is_final, plan_pause
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_which_statuses_are_final(status):
    """Five statuses are final at once, two after three sightings in a row, the others never (§3.2)."""
    at_once = {"DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "REJECTED"}
    sightings = [is_final(status, sightings=count) for count in (1, 2, 3, 100)]

    if status in at_once:
        assert sightings == [True] * 4
    elif status in {"UNKNOWN", "NOT_FOUND"}:
        assert sightings == [False, False, True, True]
    else:
        assert sightings == [False] * 4


@pytest.mark.parametrize(
    ("pending", "delivered", "late", "decision"),
    [
        (1, 9, False, Decision.WAIT),
        (1, 9, True, Decision.SUCCEED),
        (1, 8, True, Decision.TIME_OUT),
        (0, 9, True, Decision.SUCCEED),
        (0, 9, False, Decision.SUCCEED),
        (0, 8, False, Decision.FAIL),
        (10, 0, False, Decision.WAIT),
    ],
)
def test_decisions_about_ten_messages(pending, delivered, late, decision):
    """Pending messages are waited for until the deadline; then the share of delivered ones decides."""
    deadline = NOW if late else NOW + timedelta(seconds=1)

    assert (
        decide(
            tracked=10,
            delivered=delivered,
            pending=pending,
            min_delivered=0.9,
            now=NOW,
            deadline=deadline,
        )
        is decision
    )


@pytest.mark.parametrize(("share", "tracked"), [(0.55, 100), (0.07, 100), (0.14, 50), (1.0, 3), (0, 1)])
def test_share_is_exact(share, tracked):
    """Exactly the share is enough, whatever floats make of the product."""
    delivered = round(share * tracked)

    decision = decide(
        tracked=tracked, delivered=delivered, pending=0, min_delivered=share, now=NOW, deadline=NOW
    )

    assert decision is Decision.SUCCEED


@given(
    st.integers(0, 10_000),
    st.floats(0.01, 3600),
    st.floats(-1, 1),
)
def test_pauses_are_bounded(round_number, poll_interval, jitter):
    """A pause is never much shorter than the interval and never much longer than a minute or the interval."""
    pause = plan_pause(round_number, poll_interval=poll_interval, jitter=jitter)

    assert 0.89 * min(poll_interval, 60) <= pause <= 1.11 * max(poll_interval, 60)


def test_pauses_grow():
    """Without jitter the pauses grow by half each round, up to a minute."""
    pauses = [plan_pause(round_number, poll_interval=10) for round_number in range(7)]

    assert pauses == [10, 15, 22.5, 33.75, 50.625, 60, 60]
