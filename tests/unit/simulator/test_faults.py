"""Injected faults, asserted on the ledger."""

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.simulator import Fault, SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.records import Call

SEND = "/sendsms_v1.php"


@pytest.mark.parametrize(("fault", "accepted"), [(Fault.CUT_BEFORE, 0), (Fault.CUT_AFTER, 1)])
def test_cut(
    gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str], fault: Fault, accepted: int
) -> None:
    """A cut connection gives no answer; only the ledger knows what happened."""
    gateway.inject(fault)

    with pytest.raises(http.client.RemoteDisconnected):
        ask(SEND, message)
    assert len(gateway.sent) == accepted
    assert ask(SEND, message)[0] == (409 if accepted else 201)


@pytest.mark.parametrize(("fault", "accepted"), [(Fault.HANG_BEFORE, 0), (Fault.HANG_AFTER, 1)])
def test_hang(
    gateway: SimulatedGateway,
    ask: Callable[..., Any],
    *,
    message: dict[str, str],
    second_message: dict[str, str],
    fault: Fault,
    accepted: int,
) -> None:
    """A hanging request times out, blocks no other request and does not delay the end."""
    gateway.inject(fault)

    with pytest.raises(TimeoutError):
        ask(SEND, message, timeout=0.5)
    assert len(gateway.sent) == accepted
    assert ask(SEND, second_message)[0] == 201

    start = time.monotonic()
    gateway.stop()
    assert time.monotonic() - start < 1


def test_a_hang_ends_with_a_cut() -> None:
    """After ``hang_seconds`` the connection is closed without an answer."""
    with SimulatedGateway(hang_seconds=0.05) as gateway:
        gateway.inject(Fault.HANG_AFTER)
        connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=5)
        connection.request("GET", SEND)
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()


@pytest.mark.parametrize(
    ("fault", "status", "code", "msg"),
    [
        (Fault.NOT_STORED, 500, 109, "Unable to store message."),
        (Fault.NOT_SENT, 501, 112, "Error while sending sms."),
        (Fault.SMSC_UNREACHABLE, 599, 113, "Unable to connect to smsc host."),
    ],
)
def test_temporary_refusals(
    gateway: SimulatedGateway,
    ask_json: Callable[..., Any],
    *,
    message: dict[str, str],
    fault: Fault,
    status: int,
    code: int,
    msg: str,
) -> None:
    """A temporary refusal has its documented row, stores nothing and leaves the txn_id free."""
    gateway.inject(fault)

    answer = ask_json(SEND, message)
    assert (answer[0], answer[1]["error"]["code"], answer[1]["error"]["msg"]) == (status, code, msg)
    assert gateway.sent == []
    assert ask_json(SEND, message)[0] == 201


def test_not_stored_but_used_up(
    gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str]
) -> None:
    """A repeat may say 409 though no SMS exists (wire-notes, "Repeats")."""
    gateway.inject(Fault.NOT_STORED_BUT_USED_UP)

    assert [ask(SEND, message)[0] for _ in range(2)] == [500, 409]
    assert gateway.sent == []
    with pytest.raises(ValueError, match="only a send"):
        gateway.inject(Fault.NOT_STORED_BUT_USED_UP, call="bulk")


def test_bad_gateway(gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str]) -> None:
    """Something in between answers with HTML."""
    gateway.inject(Fault.BAD_GATEWAY)

    status, body = ask(SEND, message)
    assert (status, body[:6]) == (502, b"<html>")
    assert gateway.sent == []


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        (Fault.GARBAGE, 200, 0),
        (Fault.GARBAGE_AFTER, 201, 1),
        (Fault.TRUNCATED, 201, 1),
        (Fault.EMPTY, 201, 1),
    ],
)
def test_unreadable_answers(
    gateway: SimulatedGateway,
    ask: Callable[..., Any],
    *,
    message: dict[str, str],
    fault: Fault,
    status: int,
    accepted: int,
) -> None:
    """A complete HTTP answer may hold no JSON; only the ledger knows what happened."""
    gateway.inject(fault)

    answered, body = ask(SEND, message)
    assert answered == status
    assert len(gateway.sent) == accepted
    with pytest.raises(ValueError):  # noqa: PT011 - not UTF-8 or not JSON
        json.loads(body)


def test_truncated_is_the_first_half(
    gateway: SimulatedGateway, ask: Callable[..., Any], message: dict[str, str]
) -> None:
    """A cut body is the beginning of the right one."""
    gateway.inject(Fault.TRUNCATED)

    assert ask(SEND, message)[1].startswith(b'{"status": "ok"')


def test_faults_come_in_order_and_per_call(
    gateway: SimulatedGateway,
    ask: Callable[..., Any],
    message: dict[str, str],
    balance_question: dict[str, str],
) -> None:
    """Faults are met first in, first out, each by its own call, and every request is counted."""
    gateway.inject(Fault.NOT_SENT, times=2)
    gateway.inject(Fault.BAD_GATEWAY, call="send")
    gateway.inject(Fault.EMPTY, call="balance")

    assert [ask(SEND, message)[0] for _ in range(4)] == [501, 501, 502, 201]
    assert ask("/check_balance.php", balance_question) == (200, b"")
    assert gateway.requests == {Call.SEND: 4, Call.QUERY: 0, Call.BALANCE: 1, Call.BULK: 0}


def test_bulk_cut_after(
    gateway: SimulatedGateway, ask: Callable[..., Any], bulk_fields: dict[str, str], form: Callable[..., Any]
) -> None:
    """A bulk job may exist though its answer was lost."""
    gateway.inject(Fault.CUT_AFTER, call="bulk")
    body, headers = form(bulk_fields, b"992900001234\n")

    with pytest.raises(http.client.RemoteDisconnected):
        ask("/api/v1/bulk-sms/create", method="POST", body=body, headers=headers)
    assert [job.txn_id for job in gateway.bulks] == ["b-1"]


def test_bulk_failure_speaks_its_own_dialect(
    gateway: SimulatedGateway,
    ask_json: Callable[..., Any],
    bulk_fields: dict[str, str],
    form: Callable[..., Any],
) -> None:
    """A bulk job that fails has no error code."""
    gateway.inject(Fault.NOT_STORED, call="bulk")
    body, headers = form(bulk_fields, b"992900001234\n")

    answer = ask_json("/api/v1/bulk-sms/create", method="POST", body=body, headers=headers)
    assert answer == (500, {"error": "Unable to store message."})


def test_an_unknown_call_is_an_error(gateway: SimulatedGateway) -> None:
    """A misspelt call is noticed."""
    with pytest.raises(ValueError, match="sned"):
        gateway.inject(Fault.EMPTY, call="sned")
