"""The ``airflow`` command line with the provider installed."""

import json
import re
from importlib.metadata import version
from typing import Any

import pytest

from airflow_provider_osonsms.provider_info import CONNECTION_FIELDS
from airflow_provider_osonsms.simulator import SimulatedGateway

HAS_FORM_METADATA = tuple(map(int, version("apache-airflow").split(".")[:2])) >= (3, 2)
COMPLAINT = re.compile(r"Traceback|^.*(?:warning|error|exception).*osonsms.*$", re.IGNORECASE | re.MULTILINE)
SECRETS = re.compile(r"e2e-salt|another-salt|\b[0-9a-f]{64}\b|str_hash=|\.php")


@pytest.fixture
def run(airflow: Any) -> Any:
    """Run ``airflow ...``, and return its exit code and output, which complains of nothing of ours."""

    def run(*arguments: str, **env: str) -> tuple[int, str]:
        result = airflow.run("airflow", *arguments, **env)
        assert not COMPLAINT.search(result.stdout), result.stdout
        assert not SECRETS.search(result.stdout), result.stdout
        return result.returncode, result.stdout

    return run


def test_provider_is_listed(run):
    """Airflow finds the provider with its version."""
    code, output = run("providers", "list", "--output", "json")

    assert code == 0
    assert '"airflow-provider-osonsms"' in output
    assert f'"{version("airflow-provider-osonsms")}"' in output


def test_provider_shows_everything(run):
    """Airflow shows the connection type, its hook and the modules of the provider."""
    code, output = run("providers", "get", "airflow-provider-osonsms", "--full", "--output", "json")

    assert code == 0
    assert "airflow_provider_osonsms.hooks.osonsms.OsonSmsHook" in output
    for kind in ("operators", "sensors", "triggers"):
        assert f"airflow_provider_osonsms.{kind}.osonsms" in output


def test_hook_is_listed(run):
    """Airflow imports the hook and knows its connection type."""
    code, output = run("providers", "hooks", "--output", "plain")

    assert code == 0
    assert re.search(
        r"^osonsms +airflow_provider_osonsms\.hooks\.osonsms\.OsonSmsHook ", output, re.MULTILINE
    )


def test_form_is_listed(run):
    """Airflow lists the fields of the form, where it has forms without FAB's own libraries."""
    code, widgets = run("providers", "widgets", "--output", "plain")
    listed = set(re.findall(r"(?m)^extra__osonsms__(\w+)", widgets))

    assert code == 0
    assert listed == (set(CONNECTION_FIELDS) if HAS_FORM_METADATA else set())

    code, behaviors = run("providers", "behaviours", "--output", "plain")

    assert code == 0
    assert ("osonsms" in behaviors) is HAS_FORM_METADATA


def test_connection_of_the_environment_is_tested(run, gateway):
    """Testing a Connection of the environment asks the gateway for the balance once."""
    before = gateway.requests["balance"]

    code, output = run("connections", "test", "osonsms_default")

    assert code == 0
    assert "Connection success!" in output
    assert gateway.requests["balance"] == before + 1


def test_connection_of_the_database_is_tested(run, gateway):
    """A Connection that was added to the database works the same."""
    code, output = run("connections", "add", "stored", "--conn-json", gateway.connection_json())
    assert code == 0, output
    before = gateway.requests["balance"]

    code, output = run("connections", "test", "stored")

    assert code == 0
    assert "Connection success!" in output
    assert gateway.requests["balance"] == before + 1


def test_wrong_salt_is_explained(run, gateway):
    """A wrong salt fails the test, and the text says what the password must be."""
    wrong = json.loads(gateway.connection_json()) | {"password": "another-salt"}

    _, output = run("connections", "test", "wrong", AIRFLOW_CONN_WRONG=json.dumps(wrong))

    assert "Connection failed!" in output
    assert "pass_salt_hash" in output
    assert gateway.url not in output


def test_gateway_out_of_reach_is_explained(run):
    """An unreachable gateway fails the test, and the text names no address."""
    with SimulatedGateway() as gone:
        pass

    _, output = run("connections", "test", "gone", AIRFLOW_CONN_GONE=gone.connection_json())

    assert "Connection failed!" in output
    assert "check the host" in output
    assert gone.url not in output
