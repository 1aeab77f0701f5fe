"""The sensor in its three modes, against the simulated gateway."""

import pytest

from airflow_provider_osonsms.operators.osonsms import OsonSmsSendOperator
from airflow_provider_osonsms.sensors.osonsms import (
    DeliveryFailedError,
    DeliveryTimeoutError,
    OsonSmsDeliverySensor,
    WrongAccountError,
)
from airflow_provider_osonsms.simulator import Fault

MODES = ("poke", "reschedule", "deferrable")


@pytest.mark.parametrize("mode", MODES)
def test_waits_until_delivered(gateway, mode, send, wait):
    """The sensor succeeds when everything is delivered, and counts it."""
    gateway.backend.change_behavior(enroute_seconds=0.1, accepted_seconds=0.1)
    msg_ids = send("01", "02")

    result = wait(mode, messages=msg_ids)

    assert result.state == "success"
    assert result.xcom == {
        "total": 2, "delivered": 2, "failed": 0, "pending": 0, "untracked": 0, "by_status": {"DELIVERED": 2},
        "examples": {},
    }  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_soft", [False, True])
def test_failed_delivery(mode, is_soft, send, wait):
    """A message that is not delivered fails with the same text in every mode, and skips under soft_fail."""
    result = wait(mode, messages=send("01", "93"), soft_fail=is_soft)

    if is_soft:
        assert result.state == "skipped"
    else:
        assert result.state == "failed"
        assert isinstance(result.error, DeliveryFailedError)
        assert str(result.error).startswith("1 of 2 messages delivered, 1 failed, 0 pending, 0 untracked")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_soft", [False, True])
def test_timeout(mode, is_soft, send, wait):
    """At the deadline the wait fails with its counts in every mode, and skips under soft_fail."""
    result = wait(mode, messages=send("01", "96"), timeout=0.3, soft_fail=is_soft)

    if is_soft:
        assert result.state == "skipped"
    else:
        assert result.state == "failed"
        assert isinstance(result.error, DeliveryTimeoutError)
        assert "1 of 2 messages delivered, 0 failed, 1 pending" in str(result.error)
        assert "ACCEPTED" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_unknown_is_believed_after_three_sightings(gateway, mode, send, wait):
    """UNKNOWN, and a msg_id that the gateway does not know, are final after three sightings in a row."""
    messages = [*send("95", "01", "01", "01"), "777777"]

    result = wait(mode, messages=messages, unknown_after=0.001)

    assert isinstance(result.error, DeliveryFailedError)
    assert "3 DELIVERED, 1 NOT_FOUND, 1 UNKNOWN" in str(result.error)
    assert gateway.requests["query"] == 3 + 2 * 3


@pytest.mark.parametrize("mode", MODES)
def test_a_status_side_that_lags_is_waited_for(mode, send, wait):
    """The gateway may not know of a new message for a while: that alone is final for minutes in no mode."""
    result = wait(mode, messages=[*send("01", "01", "01", "01"), "777777"], timeout=0.5)

    assert isinstance(result.error, DeliveryTimeoutError)
    assert "1 pending" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("unknown_after", [0.001, 300])
def test_messages_of_another_account(gateway, mode, wait, unknown_after):
    """If the gateway knows none of the messages, the task fails and asks whose they are."""
    options = {"unknown_after": unknown_after, "timeout": 0.3, "min_delivered": 0.0, "retries": 3}

    result = wait(mode, messages=["777771", "777772"], **options)

    assert result.state == "failed"
    assert isinstance(result.error, WrongAccountError)
    assert "was the account of Connection 'osonsms_default' the one that sent them?" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_messages_of_another_connection(gateway, run_task, mode, wait):
    """The output of a task names its Connection: another one asks for nothing."""
    operator = OsonSmsSendOperator(task_id="send", phone="992900000101", message="Салом")
    sent = {**run_task(operator).xcom, "osonsms_conn_id": "osonsms_marketing"}

    result = wait(mode, messages=[sent], retries=3)

    assert result.state == "failed"
    assert "set osonsms_conn_id to 'osonsms_marketing'" in str(result.error)
    assert gateway.requests["query"] == 0


@pytest.mark.parametrize("mode", MODES)
def test_transient_errors_never_fail_the_wait(gateway, mode, send, wait):
    """Whatever the network does before the deadline, the wait goes on."""
    msg_ids = send("01")
    for fault in (Fault.CUT_BEFORE, Fault.GARBAGE, Fault.BAD_GATEWAY, Fault.EMPTY, Fault.NOT_STORED):
        gateway.inject(fault, call="query")

    result = wait(mode, messages=msg_ids, timeout=60)

    assert result.state == "success"
    assert gateway.requests["query"] == 6


@pytest.mark.parametrize("mode", MODES)
def test_refused_account_fails_at_once(gateway, mode, send, wait):
    """A refused account ends the wait without waiting for the deadline."""
    msg_ids = send("96")
    gateway.backend.change_account("demo", is_blocked=True)

    result = wait(mode, messages=msg_ids, timeout=60)

    assert result.state == "failed"
    assert "login" in str(result.error)
    assert gateway.requests["query"] == 1


@pytest.mark.parametrize("mode", MODES)
def test_enough_delivered(mode, send, wait):
    """min_delivered is the share of tracked messages that must be delivered; every mode says the same."""
    msg_ids = send(*["01"] * 9, "93")

    assert wait(mode, messages=msg_ids, min_delivered=0.9).state == "success"
    too_few = wait(mode, messages=msg_ids, min_delivered=0.95)
    assert (too_few.state, type(too_few.error)) == ("failed", DeliveryFailedError)
    assert str(too_few.error) == (
        "9 of 10 messages delivered, 1 failed, 0 pending, 0 untracked "
        "(statuses: 9 DELIVERED, 1 UNDELIVERABLE); "
        f"not delivered: msg_id {msg_ids[-1]} UNDELIVERABLE; at least a share of 0.95 should be delivered, "
        "and every message has a final status"
    )


def test_outputs_of_sends(send, wait):
    """Outputs of send tasks, nested as mapping nests them, are read; those without a msg_id are counted."""
    (first, second) = send("01", "02")
    outputs = [
        {"msg_id": first, "outcome": "accepted"},
        [{"msg_id": None, "outcome": "accepted_untracked"}],
        second,
    ]

    result = wait("poke", messages=outputs)

    assert (result.xcom["total"], result.xcom["delivered"], result.xcom["untracked"]) == (3, 2, 1)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_to_ask_for(gateway, mode, wait):
    """Only untracked messages, or none, need no request."""
    result = wait(mode, messages=[{"msg_id": None}])

    assert (result.state, result.xcom["untracked"]) == ("success", 1)
    assert gateway.requests["query"] == 0


@pytest.mark.parametrize(
    ("messages", "hint"),
    [
        (None, "skipped"),
        ({"id": 5}, "msg_id"),
        ("[1, 2]", "render"),
        (1.5, "float"),
        ([True], "bool"),
    ],
)
def test_wrong_messages(gateway, messages, hint, wait):
    """What is no message fails without retry and says what is accepted."""
    result = wait("poke", messages=messages)

    assert result.state == "failed"
    assert hint in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_a_campaign_is_waited_for_by_its_table(gateway, mode, send, wait, tmp_path):
    """A campaign that returns no messages is waited for by its results_path, together with others."""
    (first, second, third) = send("01", "02", "93")
    path = tmp_path / "results.csv"
    path.write_text(
        "row,key,phone,outcome,reason,txn_id,msg_id,parts\n"
        f"0,a,992900000001,accepted,,0a,{first},1\n1,b,992900000002,accepted,,0b,{second},1\n"
        "2,c,992900000003,accepted_untracked,answer_lost,0c,,\n3,,9929•••,rejected,short,,,\n"
    )

    result = wait(mode, messages=[{"results_path": str(path)}, third], min_delivered_count=2, timeout=20)

    assert result.state == "success"
    assert {name: result.xcom[name] for name in ("total", "delivered", "failed", "untracked")} == {
        "total": 4, "delivered": 2, "failed": 1, "untracked": 1,
    }  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_a_table_that_cannot_be_read(gateway, mode, wait, tmp_path):
    """A results_path that is not there fails the wait without retry and says what it must be."""
    result = wait(mode, messages={"results_path": str(tmp_path / "none.csv")})

    assert result.state == "failed"
    assert "every worker and triggerer can read" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_accepted_may_be_enough(mode, send, wait):
    """A network that never reports more than ACCEPTED need not be waited for."""
    result = wait(mode, messages=send("01", "96"), accepted_is_delivered=True, timeout=20)

    assert (result.state, result.xcom["delivered"]) == ("success", 2)


def test_a_retry_keeps_the_deadline(gateway, has_state_store, run_task, send, read_kwargs):
    """The deadline counts from the first try, and from anew after a Clear, where Airflow remembers."""
    sensor = OsonSmsDeliverySensor(
        task_id="wait", messages=send("96"), timeout=3600, retries=2, deferrable=True
    )
    deadlines = [
        read_kwargs(run_task(sensor, try_number=number, max_tries=tries).msg)["deadline"]
        for number, tries in ((1, 2), (2, 2), (3, 4))
    ]

    assert (deadlines[0] == deadlines[1]) is has_state_store
    assert deadlines[1] < deadlines[2]


def test_nothing_to_wait_for_does_not_defer(gateway, run_task, send):
    """A deferrable sensor without a message returns at once; with one, the trigger alone asks."""
    empty, one = (
        run_task(OsonSmsDeliverySensor(task_id="wait", messages=messages, deferrable=True))
        for messages in ([], send("01"))
    )

    assert (empty.state, empty.xcom["total"]) == ("success", 0)
    assert one.state == "deferred"
    assert gateway.requests["query"] == 0


@pytest.mark.parametrize(
    "event", [{}, "text", {"decision": "succeed"}, {"decision": "?", "summary": {"a": 1}}]
)
def test_event_without_a_result_fails_closed(gateway, run_task, event):
    """An event that says nothing of use fails the task with a sentence."""
    sensor = OsonSmsDeliverySensor(task_id="wait", messages="1", deferrable=True)

    result = run_task(sensor, next_event=event)

    assert (result.state, type(result.error).__name__) == ("failed", "AirflowFailException")
