"""The button that tests a Connection, in a browser: it answers for what our pages and the form make."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is in the environment of the newest Airflow only")

from chromium import open_browser, why_no_browser
from connections_page import ConnectionsPage

ROOT = Path(__file__).parents[2]
FAILED = "Test Connection Failed\n106: the hash or token is wrong"


@pytest.fixture(scope="module")
def page(standalone: Any) -> Iterator[ConnectionsPage]:
    """The page of Connections."""
    missing = why_no_browser()
    if missing and os.environ.get("CI") != "true":
        pytest.skip(missing)
    assert missing is None, missing
    with open_browser(size=(1280, 1600)) as browser:
        yield ConnectionsPage(browser, standalone.env["AIRFLOW__API__BASE_URL"])


@pytest.fixture
def succeeded(gateway: Any) -> str:
    """What the button says of the right password."""
    return f"Test Connection Successful\nOsonSMS answers. Balance: {gateway.balance:.2f} somoni"


def read_command(page: str) -> dict[str, Any]:
    """Read the Connection out of the last command on a page that adds one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    command = re.findall(r"airflow connections add \w+ --conn-json '(.*?)'", text, re.DOTALL)[-1]
    return json.loads(command)


@pytest.mark.parametrize(("name", "document"), [("account", "README.md"), ("simulator", "docs/simulator.md")])
def test_a_connection_of_the_pages(
    name: str, document: str, *, page: ConnectionsPage, airflow: Any, gateway: Any, succeeded: str
) -> None:
    """A command of ours makes a Connection whose button tells a right password from a wrong one."""
    ours, written = json.loads(gateway.connection_json()), read_command(document)
    assert written["port"]
    here = {key: ours[key] for key in ("host", "port", "login", "password")}
    right = {**written, **here, "extra": {**written["extra"], "bulk_url": gateway.url}}
    wrong = {**right, "password": "another-salt"}
    for conn_id, connection in ((f"{name}-right", right), (f"{name}-wrong", wrong)):
        command = ("airflow", "connections", "add", conn_id, "--conn-json", json.dumps(connection))
        assert airflow.run(*command).returncode == 0

    assert page.test(f"{name}-right") == succeeded
    assert page.test(f"{name}-wrong").startswith(FAILED)


def test_a_connection_of_the_form(page: ConnectionsPage, gateway: Any, succeeded: str) -> None:
    """So does the form, once the field of the port is filled in."""
    ours = json.loads(gateway.connection_json())
    fields = {name: str(ours[name]) for name in ("host", "port", "login", "password")}

    page.add("form-right", fields, extra=ours["extra"])
    page.add("form-wrong", {**fields, "password": "another-salt"}, extra=ours["extra"])

    assert page.test("form-right") == succeeded
    assert page.test("form-wrong").startswith(FAILED)
