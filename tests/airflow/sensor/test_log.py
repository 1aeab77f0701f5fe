"""What a person reads of a wait: when it looks next, and at the end why it succeeded or failed."""

import logging
import re

import pytest

MODES = ("poke", "reschedule", "deferrable")


@pytest.fixture
def read_log(caplog):
    """Return the lines that say how many messages are delivered."""
    caplog.set_level(logging.INFO)
    return lambda: [one.getMessage() for one in caplog.records if " messages delivered" in one.getMessage()]


@pytest.mark.parametrize("mode", MODES)
def test_when_it_looks_next(mode, gateway, send, wait, read_log):
    """Each round that does not end the wait says in how many seconds, and when, the next one begins."""
    gateway.backend.change_behavior(enroute_seconds=0.3)

    assert wait(mode, messages=send("01")).state == "success"

    *rounds, _ = read_log()
    assert rounds
    for line in rounds:
        assert re.fullmatch(
            r"0 of 1 messages delivered, 0 failed, 1 pending, 0 untracked \(statuses: 1 \w+\); "
            r"the next round is in 0 s, at \d\d:\d\d:\d\d in Dushanbe",
            line,
        )


@pytest.mark.parametrize("mode", MODES)
def test_why_it_succeeded(mode, send, wait, read_log):
    """The last line says what was asked for, and that nothing is left to wait for."""
    wait(mode, messages=send("01", "93"), min_delivered=0.5)

    assert read_log()[-1] == (
        "Success: 1 of 2 messages delivered, 1 failed, 0 pending, 0 untracked "
        "(statuses: 1 DELIVERED, 1 UNDELIVERABLE); at least a share of 0.5 should be delivered, and every "
        "message has a final status"
    )


@pytest.mark.parametrize("mode", MODES)
def test_why_it_failed(mode, gateway, send, wait):
    """The error says what was asked for, and whether the deadline came."""
    gateway.backend.change_behavior(enroute_seconds=60)

    error = str(wait(mode, messages=send("01"), timeout=1).error)

    assert "at least a share of 1 should be delivered, and the deadline came after 1 s" in error
