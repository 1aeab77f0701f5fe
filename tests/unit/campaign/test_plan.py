"""What a try would send: rendered as it is asked for, and only where a row is open."""

from itertools import islice

import pytest

from airflow_provider_osonsms.campaign.plan import SendOptions
from airflow_provider_osonsms.protocol.models import Message


def test_a_message_is_what_was_planned(make_plan):
    """Each message has the text of its row, its own txn_id and the options of the campaign."""
    plan = make_plan(2, channel="telegram", is_confidential=True)

    messages = list(plan.render_messages(lambda _: True))

    assert [(position, parts) for position, parts, _ in messages] == [(0, 1), (1, 1)]
    assert messages[1][2] == Message(
        phone="992900000001",
        text="Salom, Dilshod 1",
        sender="KITOB",
        txn_id=plan.txn_ids.make("992900000001"),
        channel="telegram",
        is_confidential=True,
    )


def test_only_open_rows_are_rendered(make_plan):
    """Rows that are settled are not rendered, and the others keep their positions."""
    plan = make_plan(3000, rejected=[4])
    is_open = {1, 5, 1023, 1024, 2999}

    messages = list(plan.render_messages(is_open.__contains__))

    assert [position for position, _, _ in messages] == sorted(is_open)
    assert [message.text for _, _, message in messages] == [
        f"Salom, Dilshod {row}" for row in sorted(is_open)
    ]


def test_nothing_is_rendered_when_nothing_is_open(make_plan):
    """A settled campaign renders no text."""
    plan = make_plan(3000)

    assert list(plan.render_messages(lambda _: False)) == []


def test_messages_are_rendered_as_they_are_asked_for(make_plan):
    """A chunk is rendered when its first message is asked for, with the rows that are open then."""
    asked = []

    def is_open(position):
        asked.append(position)
        return position >= 1000

    messages = make_plan(3000).render_messages(is_open)
    assert asked == []
    first = list(islice(messages, 24))
    assert len(asked) == 1024
    assert next(messages)[0] == 1024
    assert len(asked) == 2048

    assert [position for position, _, _ in first] == list(range(1000, 1024))


def test_parts_are_estimated(make_plan):
    """A longer text has more parts, and a Cyrillic one has fewer characters a part."""
    names = ["a", "a" * 200, "я", "я" * 100]

    assert [parts for _, parts, _ in make_plan(4, names=names).render_messages(lambda _: True)] == [
        1,
        2,
        1,
        2,
    ]


def test_a_text_may_stand_in_a_column(make_plan):
    """Without a template the text is that of a column, as it stands there."""
    plan = make_plan(1, message=None, column="name", names=["Салом, {Зарина}"])

    assert next(plan.render_messages(lambda _: True))[2].text == "Салом, {Зарина}"


def test_a_plan_shows_no_phone_and_no_text(make_plan):
    """A plan in a log or a traceback shows neither audience nor texts nor keys."""
    shown = repr(make_plan(1))

    assert "dag/run/task" in shown
    assert "99290" not in shown
    assert "Salom" not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [("concurrency", 16), ("max_rate", None), ("max_consecutive_failures", 50), ("rounds", 6)],
)
def test_how_a_campaign_is_sent_by_default(name, value):
    """Without options a campaign is sent by sixteen workers, six times at most, without a highest rate."""
    assert getattr(SendOptions(sender="KITOB"), name) == value
