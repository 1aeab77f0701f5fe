"""The button that tests a Connection, in a browser: it answers for what the README and the form make."""

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

README = Path(__file__).parents[2] / "README.md"
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


def read_command(place: int) -> dict[str, Any]:
    """Read the Connection out of one of the README's commands."""
    text = README.read_text(encoding="utf-8")
    commands = re.findall(r"airflow connections add \w+ --conn-json '(.*?)'", text, re.DOTALL)
    return json.loads(commands[place])


@pytest.mark.parametrize("place", [0, 1])
def test_a_connection_of_the_readme(
    place: int, page: ConnectionsPage, airflow: Any, gateway: Any, succeeded: str
) -> None:
    """The command makes a Connection whose button tells a right password from a wrong one."""
    ours = json.loads(gateway.connection_json())
    extra = {**read_command(place)["extra"], "bulk_url": gateway.url}
    own = {name: ours[name] for name in ("host", "login", "password")}
    written = {**read_command(place), **own, "extra": extra}
    assert written["port"]
    right = {**written, "port": ours["port"]}  # the gateway of the tests is where it is
    for name, connection in (("right", right), ("wrong", {**right, "password": "another-salt"})):
        done = airflow.run(
            "airflow", "connections", "add", f"{name}{place}", "--conn-json", json.dumps(connection)
        )
        assert done.returncode == 0, done.stdout

    assert page.test(f"right{place}") == succeeded
    assert page.test(f"wrong{place}").startswith(FAILED)


def test_a_connection_of_the_form(page: ConnectionsPage, gateway: Any, succeeded: str) -> None:
    """So does the form, once the field of the port is filled in."""
    ours = json.loads(gateway.connection_json())
    fields = {name: str(ours[name]) for name in ("host", "port", "login", "password")}

    page.add("form-right", fields, extra=ours["extra"])
    page.add("form-wrong", {**fields, "password": "another-salt"}, extra=ours["extra"])

    assert page.test("form-right") == succeeded
    assert page.test("form-wrong").startswith(FAILED)
