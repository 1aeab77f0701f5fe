"""What a status means for a waiting task."""

import pytest

from airflow_provider_osonsms.delivery.criteria import (
    UNKNOWN_AFTER,
    UNKNOWN_LIMIT,
    Decision,
    DeliveryCriteria,
    Reach,
)
from airflow_provider_osonsms.protocol.vocabulary import DeliveryStatus

LONG_AGO = 1e9


def judge(status, *, repeats=UNKNOWN_LIMIT, age=LONG_AGO, **fields):
    """Judge a status by the default criteria, or by those with *fields*."""
    return DeliveryCriteria(**fields).judge(status, repeats=repeats, age=age)


def decide(tracked, delivered, pending=0, *, unknown=0, is_over=False, **fields):
    """Decide about *tracked* messages."""
    return DeliveryCriteria(**fields).decide(
        tracked=tracked, delivered=delivered, pending=pending, unknown=unknown, is_over=is_over
    )


@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_which_statuses_are_final(status):
    """Five statuses are final at once, two after three sightings in a row, the others never (§3.2)."""
    at_once = {"DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "REJECTED"}
    is_final = [judge(status, repeats=count) is not Reach.ON_ITS_WAY for count in (1, 2, 3, 100)]

    if status in at_once:
        assert is_final == [True] * 4
    elif status in {"UNKNOWN", "NOT_FOUND"}:
        assert is_final == [False, False, True, True]
    else:
        assert is_final == [False] * 4


@pytest.mark.parametrize("status", [DeliveryStatus.UNKNOWN, DeliveryStatus.NOT_FOUND])
def test_a_doubt_needs_time_too(status):
    """A gateway may know of a message only a while after it has accepted it, however often it is asked."""
    assert judge(status, repeats=200, age=UNKNOWN_AFTER - 1) is Reach.ON_ITS_WAY
    assert judge(status, repeats=200, age=UNKNOWN_AFTER) is Reach.NOT_KNOWN
    assert judge(status, repeats=200, age=30, unknown_after=30) is Reach.NOT_KNOWN


@pytest.mark.parametrize(
    ("pending", "delivered", "is_over", "decision"),
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
def test_decisions_about_ten_messages(pending, delivered, is_over, decision):
    """Pending messages are waited for until the deadline; then the share of delivered ones decides."""
    assert decide(10, delivered, pending, is_over=is_over, min_delivered=0.9) is decision


@pytest.mark.parametrize(
    ("delivered", "pending", "decision"),
    [(9, 1, Decision.SUCCEED), (8, 2, Decision.WAIT), (5, 4, Decision.WAIT), (5, 3, Decision.FAIL)],
)
def test_a_wait_may_end_early(delivered, pending, decision):
    """With stop_early, a wait ends once no pending message can change what it comes to."""
    assert decide(10, delivered, pending, min_delivered=0.9, stop_early=True) is decision


@pytest.mark.parametrize(
    ("delivered", "unknown", "decision"),
    [(8, 2, Decision.SUCCEED), (7, 3, Decision.ASK_ACCOUNT), (0, 10, Decision.ASK_ACCOUNT)],
)
def test_many_unknown_messages_are_another_accounts(delivered, unknown, decision):
    """If the gateway does not know more than a fifth of the messages, nothing is concluded from it."""
    assert decide(10, delivered, unknown=unknown, min_delivered=0.0) is decision


def test_a_lagging_status_side_does_not_stop_a_wait_early():
    """With stop_early, many messages that are not known yet are waited for: they may be another account's."""
    rules = {"min_delivered": 0.5, "stop_early": True}

    assert decide(10, 6, 4, unknown=4, **rules) is Decision.WAIT
    assert decide(10, 6, 4, unknown=2, **rules) is Decision.SUCCEED
    assert decide(10, 6, 4, unknown=4, is_over=True, **rules) is Decision.ASK_ACCOUNT


@pytest.mark.parametrize(("share", "tracked"), [(0.55, 100), (0.07, 100), (0.14, 50), (1.0, 3), (0.0, 1)])
def test_share_is_exact(share, tracked):
    """Exactly the share is enough, whatever floats make of the product."""
    assert decide(tracked, round(share * tracked), min_delivered=share) is Decision.SUCCEED


@pytest.mark.parametrize(
    ("needed", "delivered", "decision"), [(9, 9, "succeed"), (9, 8, "fail"), (0, 0, "succeed")]
)
def test_a_number_of_messages(needed, delivered, decision):
    """A count is how many must be delivered, however many there are."""
    assert decide(100, delivered, min_delivered_count=needed) == decision


def test_accepted_may_be_enough():
    """For a network that never reports more, ACCEPTED ends the wait and counts as delivered."""
    criteria = DeliveryCriteria(accepted_is_delivered=True)

    assert criteria.judge(DeliveryStatus.ACCEPTED, repeats=0, age=0) is Reach.REACHED
    assert criteria.is_delivered(DeliveryStatus.ACCEPTED)
    assert criteria.judge(DeliveryStatus.ENROUTE, repeats=0, age=LONG_AGO) is Reach.ON_ITS_WAY


def test_unknown_limit():
    """The user may believe UNKNOWN earlier or later."""
    assert judge(DeliveryStatus.UNKNOWN, unknown_limit=1, repeats=1) is Reach.NOT_KNOWN
    assert judge(DeliveryStatus.UNKNOWN, unknown_limit=5, repeats=4) is Reach.ON_ITS_WAY


@pytest.mark.parametrize("status", DeliveryStatus)
def test_every_status_has_a_meaning(status):
    """The table knows each status, and agrees with what the status says of itself."""
    reach = judge(status)

    assert (reach is Reach.REACHED) is status.is_delivered
    assert (reach is Reach.ON_ITS_WAY) is not (status.is_terminal or status.needs_confirmation)
    assert (reach is Reach.NOT_KNOWN) is status.needs_confirmation
