"""What unit tests share: a store in memory, a Connection."""

import json
from collections.abc import Callable
from functools import partial

import pytest

from airflow_provider_osonsms.connection import Settings, read_settings


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
