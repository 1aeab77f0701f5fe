"""What a status means for a waiting task."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.delivery.criteria import Decision, DeliveryCriteria, Reach
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_which_statuses_are_final(status):
    """Five statuses are final at once, two after three sightings in a row, the others never (§3.2)."""
    at_once = {"DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "REJECTED"}
    repeats = [DeliveryCriteria().is_final(status, repeats=count) for count in (1, 2, 3, 100)]

    if status in at_once:
        assert repeats == [True] * 4
    elif status in {"UNKNOWN", "NOT_FOUND"}:
        assert repeats == [False, False, True, True]
    else:
        assert repeats == [False] * 4


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
        DeliveryCriteria(min_delivered=0.9).decide(
            tracked=10, delivered=delivered, pending=pending, now=NOW, deadline=deadline
        )
        is decision
    )


@pytest.mark.parametrize(("share", "tracked"), [(0.55, 100), (0.07, 100), (0.14, 50), (1.0, 3), (0.0, 1)])
def test_share_is_exact(share, tracked):
    """Exactly the share is enough, whatever floats make of the product."""
    delivered = round(share * tracked)

    decision = DeliveryCriteria(min_delivered=share).decide(
        tracked=tracked, delivered=delivered, pending=0, now=NOW, deadline=NOW
    )

    assert decision is Decision.SUCCEED


@pytest.mark.parametrize(
    ("needed", "delivered", "decision"), [(9, 9, "succeed"), (9, 8, "fail"), (0, 0, "succeed")]
)
def test_an_int_is_a_number_of_messages(needed, delivered, decision):
    """A whole number is how many must be delivered, however many there are."""
    criteria = DeliveryCriteria(min_delivered=needed)

    assert criteria.decide(tracked=100, delivered=delivered, pending=0, now=NOW, deadline=NOW) == decision


def test_accepted_may_be_enough():
    """For a network that never reports more, ACCEPTED ends the wait and counts as delivered."""
    criteria = DeliveryCriteria(accepted_is_delivered=True)

    assert criteria.is_final(DeliveryStatus.ACCEPTED, repeats=0)
    assert criteria.is_delivered(DeliveryStatus.ACCEPTED)
    assert not criteria.is_final(DeliveryStatus.ENROUTE, repeats=0)


def test_unknown_limit():
    """The user may believe UNKNOWN earlier or later."""
    assert DeliveryCriteria(unknown_limit=1).is_final(DeliveryStatus.UNKNOWN, repeats=1)
    assert not DeliveryCriteria(unknown_limit=5).is_final(DeliveryStatus.UNKNOWN, repeats=4)


@pytest.mark.parametrize(
    "fields",
    [
        {"min_delivered": 1.5},
        {"min_delivered": -1},
        {"min_delivered": True},
        {"min_delivered": "0.5"},
        {"min_delivered": float("nan")},
        {"unknown_limit": 0},
        {"unknown_limit": 2.5},
    ],
)
def test_wrong_rules(fields):
    """A share outside 0 to 1, a negative number or no limit are refused by name."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        DeliveryCriteria(**fields)


def test_one_is_ambiguous():
    """An int 1 may mean one message or all of them: whoever writes it has to say which."""
    with pytest.raises(ValueError, match=r"1\.0 for all"):
        DeliveryCriteria(min_delivered=1)


@pytest.mark.parametrize("status", DeliveryStatus)
def test_every_status_has_a_meaning(status):
    """The table knows each status, and agrees with what the status says of itself."""
    reach = DeliveryCriteria().judge(status, repeats=100)

    assert (reach is Reach.REACHED) is status.is_delivered
    assert (reach is Reach.ON_ITS_WAY) is not (status.is_terminal or status.needs_confirmation)
