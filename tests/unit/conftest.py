"""What unit tests share: a store in memory, a Connection, a gateway and a client of it."""

from collections.abc import Callable
from functools import partial

import pytest

from airflow_provider_osonsms.client.blocking import open_client
from airflow_provider_osonsms.connection import Settings, read_settings
from airflow_provider_osonsms.protocol.models import Account
from airflow_provider_osonsms.simulator import SimulatedGateway


class InMemoryStore:
    """A task state store in memory that fails from its n-th writing on."""

    is_lasting = True

    def __init__(self, *, fails_from=1000):
        self.values = {}
        self.left = fails_from

    def get(self, key):
        """Return the value under *key*."""
        return self.values.get(key)

    def set(self, key, value):
        """Store *value*, or fail."""
        self.left -= 1
        if self.left < 0:
            raise ConnectionError("the API server is away")
        self.values[key] = value


@pytest.fixture
def make_store():
    """Make a store in memory that lasts."""
    return InMemoryStore


@pytest.fixture
def read() -> Callable[..., Settings]:
    """Read a Connection that has a login and a salt, and what the test adds."""
    return partial(read_settings, "sms", login="kitobkhona", password="sol-4711")


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
