"""A wait whose gateway asks to slow down: it is no failure of any message, in every mode."""

import pytest

from airflow_provider_osonsms.simulator import Fault

MODES = ["poke", "reschedule", "deferrable"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", [Fault.TOO_MANY_REQUESTS, Fault.UNAVAILABLE])
def test_each_question_comes_again(gateway, send, wait, *, mode, fault):
    """Questions that are turned away come again, and each message has its status after the first round."""
    msg_ids = send(*["00"] * 12)
    gateway.inject(fault, call="query", times=6)

    result = wait(mode, messages=msg_ids, poke_interval=60, max_poll_interval=60, timeout=30)

    assert result.state == "success", result.error
    assert result.xcom["delivered"] == 12
    assert gateway.requests["query"] == 12 + 6


@pytest.mark.parametrize("mode", MODES)
def test_a_gateway_that_stays_busy_fails_no_wait_before_its_deadline(gateway, send, wait, mode):
    """At the deadline the wait says that nothing is known, as with a gateway that is away."""
    msg_ids = send("00", "00")
    gateway.inject(Fault.TOO_MANY_REQUESTS, call="query", times=None)

    result = wait(mode, messages=msg_ids, timeout=1.5)

    assert result.state == "failed"
    assert "unanswered" in str(result.error)
