"""Fixtures for tests of DAGs: ``pytest_plugins = ["airflow_provider_osonsms.simulator.pytest_plugin"]``.

See ``docs/testing.md``. Only this module imports pytest.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_osonsms.simulator.gateway import SimulatedGateway
from airflow_provider_osonsms.simulator.ledger.records import AcceptedMessage


@pytest.fixture
def osonsms_gateway_options() -> dict[str, Any]:
    """More arguments of `SimulatedGateway`; override this fixture to set them."""
    return {}


@pytest.fixture
def osonsms_gateway(
    monkeypatch: pytest.MonkeyPatch, osonsms_gateway_options: dict[str, Any]
) -> Iterator[SimulatedGateway]:
    """A new gateway for each test, as the Connection ``osonsms_default``; it delivers at once."""
    options = {"enroute_seconds": 0, "accepted_seconds": 0, **osonsms_gateway_options}
    with SimulatedGateway(**options) as gateway:
        monkeypatch.setenv("AIRFLOW_CONN_OSONSMS_DEFAULT", gateway.connection_json())
        yield gateway


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show phone and text of messages whose comparison failed; confidential texts stay hidden."""
    sides = [_describe(side) for side in (left, right)]
    if sides == [None, None]:
        return None
    lines = [f"messages {op} what was expected"]
    for name, side, value in zip(("left", "right"), sides, (left, right), strict=True):
        lines += [f"{name}:", *(f"  {line}" for line in side or [repr(value)])]
    return lines


def _describe(value: object) -> list[str] | None:
    """Return a line for each message; None when *value* is not a list of messages."""
    if not isinstance(value, list) or not value or not all(isinstance(one, AcceptedMessage) for one in value):
        return None
    return [
        f"to {one.phone} from {one.sender}, {one.parts} part(s): "
        f"{'<confidential>' if one.is_confidential else repr(one.text)}"
        for one in value
    ]
