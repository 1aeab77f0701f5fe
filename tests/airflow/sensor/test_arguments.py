"""The arguments of the sensor mean the same in each mode, in Python and in a template."""

from datetime import UTC, datetime

import pytest

from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

MODES = ("poke", "reschedule", "deferrable")
DELIVERED, LOST = "01", "93"


@pytest.mark.parametrize(
    ("criterion", "state"),
    [
        ({"min_delivered": 0.75}, "success"),
        ({"min_delivered": "75%"}, "success"),
        ({"min_delivered": "{{ '0.75' }}"}, "success"),
        ({"min_delivered": "{{ '76%' }}"}, "failed"),
        ({"min_delivered_count": 3}, "success"),
        ({"min_delivered_count": "{{ 3 }}"}, "success"),
        ({"min_delivered_count": "4"}, "failed"),
        ({}, "failed"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_enough_is_a_share_or_a_number(mode, send, wait, *, criterion, state):
    """Three of four: enough for a share of 0.75 and for a number of 3, in every mode; the default is all."""
    messages = send(DELIVERED, DELIVERED, DELIVERED, LOST)

    assert wait(mode, messages=messages, timeout=20, **criterion).state == state


@pytest.mark.parametrize("value", [1, "1", 2, 95])
def test_a_whole_number_is_no_share(value):
    """1 may mean one or all, so it is refused, and the error names both spellings."""
    with pytest.raises(
        ValueError, match=r"min_delivered must be .*'100%'; a number of messages is min_delivered_c"
    ):
        OsonSmsDeliverySensor(task_id="wait", messages="1", min_delivered=value)


@pytest.mark.parametrize("value", ["{{ 1 }}", "{{ '2' }}"])
@pytest.mark.parametrize("mode", MODES)
def test_a_whole_number_from_a_template_is_no_share(mode, gateway, send, wait, *, value):
    """What a template came out as is refused before a question is asked, and no retry follows."""
    result = wait(mode, messages=send(DELIVERED), min_delivered=value, retries=3)

    assert result.state == "failed"
    assert "min_delivered_count" in str(result.error)
    assert gateway.requests["query"] == 0


def test_the_trigger_sees_what_is_meant(gateway, run_task, read_kwargs):
    """The trigger is given numbers and flags, whatever texts the templates came out as."""
    sensor = OsonSmsDeliverySensor(
        task_id="wait",
        messages="71",
        deferrable="{{ 'True' }}",
        min_delivered="{{ '95%' }}",
        accepted_is_delivered="{{ 'false' }}",
        unknown_limit="{{ '2' }}",
        unknown_after="{{ '0:01:00' }}",
        stop_early="1",
        concurrency="8 ",
        max_rate="{{ 20 }}",
        poke_interval="{{ 5 }}",
        max_poll_interval="{{ 60 }}",
        timeout="{{ macros.timedelta(hours=1) }}",
    )

    result = run_task(sensor)

    kwargs = read_kwargs(result.msg)
    assert result.state == "deferred"
    assert kwargs["criteria"] == {
        "min_delivered": 0.95,
        "min_delivered_count": None,
        "accepted_is_delivered": False,
        "unknown_limit": 2,
        "unknown_after": 60.0,
        "stop_early": True,
    }
    assert kwargs["polling"] == {
        "poll_interval": 5.0,
        "max_poll_interval": 60.0,
        "concurrency": 8,
        "max_rate": 20.0,
    }
    left = datetime.fromisoformat(kwargs["deadline"]) - datetime.now(UTC)
    assert 3500 < left.total_seconds() <= 3600


@pytest.mark.parametrize("mode", MODES)
def test_accepted_is_not_delivered(mode, gateway, send, wait):
    """The text 'false' is false: a message that is only accepted was not delivered."""
    gateway.backend.change_behavior(accepted_seconds=60)

    result = wait(mode, messages=send(DELIVERED), accepted_is_delivered="false", timeout=0.5)

    assert result.state == "failed"


@pytest.mark.parametrize(
    "options",
    [
        {"include_unknown": "{{ 'true' }}"},
        {"report_language": "{{ 'ru' }}"},
        {"min_delivered": "{{ '0.5' }}", "min_delivered_count": 3},
        {"stop_early": "{{ 1 }}", "undelivered_path": "/data/u.csv"},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", MODES)
def test_what_would_have_no_effect(mode, gateway, send, wait, *, options):
    """Arguments that do not go together are refused also when a template says so."""
    result = wait(mode, messages=send(DELIVERED), **options)

    assert result.state == "failed"
    assert next(iter(options)) in str(result.error)
    assert gateway.requests["query"] == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_join_over_a_skipped_send(mode, gateway, send, wait):
    """A skipped send has nothing to wait for; the others are waited for."""
    (msg_id,) = send(DELIVERED)

    result = wait(mode, messages=[None, {"msg_id": msg_id, "outcome": "accepted"}], timeout=20)

    assert result.state == "success"
    assert (result.xcom["total"], result.xcom["delivered"]) == (1, 1)


@pytest.mark.parametrize("nothing", [None, [None], [None, None], [[None], None]])
@pytest.mark.parametrize("mode", MODES)
def test_nothing_but_skipped_sends(mode, gateway, wait, *, nothing):
    """Without any output the wait is a mistake, which is said at once."""
    result = wait(mode, messages=nothing, retries=3)

    assert result.state == "failed"
    assert "was the send task skipped" in str(result.error)
    assert gateway.requests["query"] == 0
