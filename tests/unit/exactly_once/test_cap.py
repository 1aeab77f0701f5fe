"""The category of a cap, and the period that a task keeps in all its tries."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_osonsms.arguments import InvalidArgumentError
from airflow_provider_osonsms.exactly_once.cap import (
    CATEGORY,
    Cap,
    PeriodUnknownError,
    choose_period,
    note_period,
    read_periods,
    recall_period,
)
from airflow_provider_osonsms.exactly_once.store import NullStateStore
from airflow_provider_osonsms.preflight.calendar import Period

SUNDAY = datetime(2026, 11, 29, 18, 58, tzinfo=UTC)
MONDAY = SUNDAY + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("given_", "name"), [("marketing", "marketing"), (" Marketing ", "marketing"), ("a-1_b", "a-1_b")]
)
def test_a_category_has_one_written_form(given_, name):
    """Case and blanks around it make no second cap."""
    assert CATEGORY.read(given_, "category") == name


@pytest.mark.parametrize(
    "name", ["", " ", "my news", "маркетинг", "mаrketing", "news!", "-x", "x" * 51, 7, None, True]
)
def test_what_is_no_category(name):
    """A name that could be written in two ways is refused; one letter here is Cyrillic."""
    with pytest.raises(InvalidArgumentError, match="category must be a name of Latin letters"):
        CATEGORY.read(name, "category")


def test_a_cap_is_category_period_phone_and_namespace():
    """Each of the four makes another txn_id, and nothing else is part of it."""
    cap = Cap(category="marketing", period="2026-W48")
    same = cap.make_txn_ids("").make("992900000001")
    others = [
        Cap(category="news", period="2026-W48").make_txn_ids("").make("992900000001"),
        Cap(category="marketing", period="2026-W49").make_txn_ids("").make("992900000001"),
        cap.make_txn_ids("staging").make("992900000001"),
        cap.make_txn_ids("").make("992900000002"),
    ]

    assert Cap(category="marketing", period="2026-W48").make_txn_ids("").make("992900000001") == same
    assert len({same, *others}) == 5


@pytest.mark.parametrize(
    ("due", "remembered", "knows_all", "period"),
    [
        (MONDAY, None, False, "2026-W49"),
        (SUNDAY, None, True, "2026-W49"),
        (None, None, True, "2026-W49"),
        (SUNDAY, "2026-W48", False, "2026-W48"),
        (MONDAY, "2026-W48", True, "2026-W48"),
    ],
)
def test_the_period_of_a_task(due, remembered, knows_all, period):
    """It is the one in which the task has begun, else that of now if none other is possible."""
    chosen = choose_period(Period.WEEK, now=MONDAY, due=due, remembered=remembered, knows_all=knows_all)

    assert chosen == period


@pytest.mark.parametrize("due", [SUNDAY, None])
def test_a_period_that_nobody_can_know(due):
    """Where an earlier try may have sent in another period, nothing is sent."""
    with pytest.raises(PeriodUnknownError, match=r"Look in the\s+cabinet"):
        choose_period(Period.WEEK, now=MONDAY, due=due, remembered=None, knows_all=False)


def test_the_periods_that_a_task_has_begun_in(make_store):
    """They are stored in their order, once; nothing stored tells nothing."""
    store = make_store()
    assert (read_periods(store), read_periods(NullStateStore())) == (None, None)
    for period in ("2026-W47", "2026-W48", "2026-W47"):
        note_period(store, period)

    assert read_periods(store) == ["2026-W47", "2026-W48"]
    assert recall_period(store, {"2026-W48"}.__contains__) == "2026-W48"
    assert recall_period(store, lambda _: False) is None
