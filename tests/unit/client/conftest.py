"""The gateway of a bookshop, and the fields of a Connection to it."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from airflow_provider_osonsms.simulator import SimulatedGateway


@pytest.fixture
def gateway() -> Iterator[SimulatedGateway]:
    """A bookshop's account with ten somoni."""
    with SimulatedGateway(
        login="kitobkhona", secret="sol-4711", senders=["KITOB"], balance=Decimal(10)
    ) as running:
        yield running
