"""What unit tests share: a store in memory, a client without a network, a gateway and a client of it."""

import json
from collections.abc import Callable
from functools import partial

import pytest

from airflow_provider_osonsms.client.blocking import OsonSmsClient, open_client
from airflow_provider_osonsms.connection import Settings, read_settings
from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError, RequestNotSentError
from airflow_provider_osonsms.protocol.models import Account, Response
from airflow_provider_osonsms.simulator import SimulatedGateway


class InMemoryStore:
    """A task state store in memory: JSON goes in and comes out, as with Airflow's.

    Args:
        fails_from: The number of the first writing that fails, and all later ones with it; from 0.
        fails_at: Numbers of single writings that fail.
        values: What earlier tries have stored.
    """

    is_lasting = True

    def __init__(self, *, fails_from=1_000_000, fails_at=(), values=()):
        self.values = dict(values)
        self.written = []
        self.left = fails_from
        self._fails_at = fails_at
        self._attempts = 0

    def get(self, key):
        """Return a copy of the value under *key*."""
        return json.loads(json.dumps(self.values.get(key)))

    def set(self, key, value):
        """Store a copy of *value*, or fail."""
        number, self._attempts = self._attempts, self._attempts + 1
        self.left -= 1
        if self.left < 0 or number in self._fails_at:
            raise ConnectionError("the API server is away")
        self.values[key] = json.loads(json.dumps(value))
        self.written.append((key, self.values[key]))


@pytest.fixture(scope="session")
def make_store():
    """Make a store in memory that lasts."""
    return InMemoryStore


@pytest.fixture
def read() -> Callable[..., Settings]:
    """Read a Connection that has a login and a salt, and what the test adds."""
    return partial(read_settings, "sms", login="kitobkhona", password="sol-4711")


class ScriptedTransport:
    """Answers the requests of a real client from a script of words, and keeps what the store held at each.

    * ok: accepted, with msg_id 7000 or the bulk name Navsol
    * lost: no answer; unsent: no connection; junk: an answer that cannot be read
    * a code: refused
    * kill: the process dies before the answer

    Attributes:
        script: The words that are left.
        stored: The store's values when each request left, in order.
        requests: The requests, in order.
    """

    def __init__(self, script, store):
        self.script = script.split()
        self.stored = []
        self.requests = []
        self._store = store

    def handle(self, request):
        """Answer *request*."""
        self.requests.append(request)
        self.stored.append(json.loads(json.dumps(getattr(self._store, "values", None))))
        word = self.script.pop(0)
        if word == "kill":
            raise KeyboardInterrupt
        if word == "unsent":
            raise RequestNotSentError("no connection")
        if word == "lost":
            raise OutcomeUnknownError("no answer")
        if word == "junk":
            return Response(status=502, body=b"<html>")
        if word != "ok":
            return Response(status=422, body=json.dumps({"error": {"code": int(word)}}).encode())
        if request.call == "bulk":
            return Response(status=200, body=b'{"status":"success","sms_bulk_name":"Navsol"}')
        return Response(status=201, body=b'{"status":"ok","msg_id":7000,"smsc_msg_parts":2}')


@pytest.fixture
def make_scripted_client():
    """Make a client without a network, whose process may die while it waits between two attempts."""

    def make(script, store, *, dies_in_pause=False):
        def sleep(_seconds):
            if dies_in_pause:
                raise KeyboardInterrupt

        account = Account(
            login="kitobkhona", secret="sol-4711", api_url="https://api.test", bulk_url="https://cab.test"
        )
        transport = ScriptedTransport(script, store)
        client = OsonSmsClient(account, transport, sleep=sleep)
        client.transport = transport
        return client

    return make


@pytest.fixture
def gateway():
    """A fresh gateway."""
    with SimulatedGateway() as gateway:
        yield gateway


@pytest.fixture
def client(gateway):
    """A client of that gateway; its pauses cost no time."""
    account = Account(login="demo", secret="demo-salt", api_url=gateway.url, bulk_url=gateway.url, timeout=1)
    with open_client(account) as client:
        client._sleep = lambda seconds: None
        yield client
