"""The pytest plugin, used as a stranger's project uses it: in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = 'pytest_plugins = ["airflow_provider_osonsms.simulator.pytest_plugin"]\n'
SEND = """
def send(gateway, text="Салом", **fields):
    query = {"from": "SHOP", "phone_number": "992900000101", "msg": text, "login": "demo", "txn_id": "t-1"}
    return gateway.backend.send({**query, **fields}, authorization="Bearer demo-salt")
"""


@pytest.fixture
def run_tests(tmp_path: Path):
    """Run a test file beside a conftest that names the plugin: exit code and output."""

    def run(code: str) -> tuple[int, str]:
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "test_it.py").write_text(SEND + code)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        env = {**os.environ, "AIRFLOW_CONN_OSONSMS_DEFAULT": "before"}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    return run


def test_each_test_has_its_own(run_tests) -> None:
    """Every test has a fresh gateway on a port of its own, and the variable is restored after it."""
    code, output = run_tests(
        """
import json, os
import pytest
urls = []

@pytest.mark.parametrize("number", range(3))
def test_fresh(osonsms_gateway, number):
    assert send(osonsms_gateway)[0] == 201
    assert len(osonsms_gateway.sent) == 1
    connection = json.loads(os.environ["AIRFLOW_CONN_OSONSMS_DEFAULT"])
    assert connection["host"] == osonsms_gateway.url
    assert osonsms_gateway.backend.status(osonsms_gateway.sent[0]) == "DELIVERED"

def test_restored():
    assert os.environ["AIRFLOW_CONN_OSONSMS_DEFAULT"] == "before"
    import sys
    assert "airflow" not in sys.modules
"""
    )
    assert code == 0, output
    assert "4 passed" in output


def test_options(run_tests) -> None:
    """A project says how its gateways are made with a fixture of its own."""
    code, output = run_tests(
        """
import pytest
from decimal import Decimal

@pytest.fixture
def osonsms_gateway_options():
    return {"senders": ("BANK",), "balance": Decimal("0.05"), "enroute_seconds": 60}

def test_poor(osonsms_gateway):
    assert send(osonsms_gateway, **{"from": "BANK"})[0] == 402
"""
    )
    assert code == 0, output


def test_a_failure_can_be_read(run_tests) -> None:
    """A failing comparison shows phone and text of the messages, and no confidential one."""
    code, output = run_tests(
        """
def test_wrong(osonsms_gateway):
    send(osonsms_gateway, "Салом, Зарина!")
    send(osonsms_gateway, "code 4829", txn_id="t-2", is_confidential="true")
    assert osonsms_gateway.inbox("992900000101") == []
"""
    )
    assert code == 1
    assert "to 992900000101 from SHOP, 1 part(s): 'Салом, Зарина!'" in output
    assert "1 part(s): <confidential>" in output
    assert "E " in output
    assert "code 4829" not in output.replace('send(osonsms_gateway, "code 4829"', "")
