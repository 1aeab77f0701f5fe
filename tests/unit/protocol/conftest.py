"""Values of an invented bookshop, and a driver that feeds a flow by hand."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import TransportError
from airflow_provider_osonsms.protocol.models import Account, BulkJob, Flow, Message, Pause, Request, Response
from airflow_provider_osonsms.protocol.vocabulary import TAJIK_TIME, AuthScheme


@pytest.fixture
def account() -> Account:
    """An account that signs with its salt."""
    return Account(
        login="kitobkhona", secret="sol-4711", api_url="https://api.test", bulk_url="https://cab.test"
    )


@pytest.fixture
def bearer_account() -> Account:
    """An account that shows a token instead."""
    return Account(
        login="kitobkhona",
        secret="tok-0815",
        auth_scheme=AuthScheme.BEARER,
        api_url="https://api.test",
        bulk_url="https://cab.test",
    )


@pytest.fixture
def message() -> Message:
    """A message that is right in every respect."""
    return Message(
        phone="992900001234",
        text="Salom, Dilshod",
        sender="KITOB",
        txn_id="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    )


@pytest.fixture
def job() -> BulkJob:
    """A bulk job that is right in every respect."""
    return BulkJob(
        csv=b"992900001234\n992900001235\n",
        text="Kitobhoi nav",
        sender="KITOB",
        txn_id="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        send_at=datetime(2026, 11, 24, 10, 0, 0, tzinfo=TAJIK_TIME),
    )


class Conversation:
    """What a flow asked for and what came of it.

    Attributes:
        requests: The requests that it yielded, in order.
        pauses: Seconds, in order.
        result: What it returned, or the exception that it raised.
    """

    def __init__(self, flow: Flow[Any], replies: list[Response | TransportError]) -> None:
        self.requests: list[Request] = []
        self.pauses: list[float] = []
        self.unused = list(replies)
        try:
            self._run(flow)
        except StopIteration as stop:
            self.result: Any = stop.value
        except Exception as error:  # noqa: BLE001 - a test looks at whatever came out
            self.result = error

    def _run(self, flow: Flow[Any]) -> None:
        step = next(flow)
        while True:
            if isinstance(step, Pause):
                self.pauses.append(step.seconds)
                step = flow.send(None)
                continue
            self.requests.append(step)
            reply = self.unused.pop(0)
            step = flow.throw(reply) if isinstance(reply, TransportError) else flow.send(reply)


@pytest.fixture
def converse() -> Callable[..., Conversation]:
    """Run a flow against scripted replies."""
    return Conversation
