"""A browser for all tests, a fresh gateway for each; without a browser they are skipped, but never in CI."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_osonsms.simulator import SimulatedGateway


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A window of 1280 x 860 pixels that prefers light colors."""
    from chromium import open_browser, why_no_browser

    missing = why_no_browser()
    if missing and os.environ.get("CI") != "true":
        pytest.skip(missing)
    assert missing is None, missing
    with open_browser() as opened:
        yield opened


@pytest.fixture
def gateway() -> Iterator[SimulatedGateway]:
    """A gateway on which a message takes 0.6 seconds to be delivered."""
    with SimulatedGateway(
        senders=("SHOP", "BANK"), enroute_seconds=0.3, accepted_seconds=0.3, secret="browser-salt"
    ) as running:
        yield running


@pytest.fixture
def page(browser: Any, gateway: SimulatedGateway) -> Iterator[Any]:
    """The inbox of the gateway, in English and live; it does not complain and does not leave its origin."""
    browser.get(gateway.url)
    browser.value("localStorage.clear()")
    browser.get(gateway.url).wait_for("#live.live")
    browser.errors()
    browser.requested_urls()
    yield browser
    assert browser.errors() == []
    assert {url for url in browser.requested_urls() if not url.startswith((gateway.url, "data:"))} == set()
    browser.get("about:blank")


@pytest.fixture
def send(gateway: SimulatedGateway) -> Callable[..., tuple[int, Any]]:
    """Send a message over the backend, with the Bearer token: HTTP status and JSON."""

    def post(text: str, *, phone: str = "992900000101", txn_id: str | None = None, **fields: str) -> Any:
        number = gateway.backend.revision
        query = {
            "from": "SHOP",
            "phone_number": phone,
            "msg": text,
            "login": "demo",
            "txn_id": txn_id or f"t-{number}",
        }
        return gateway.backend.send({**query, **fields}, authorization="Bearer browser-salt")

    return post
