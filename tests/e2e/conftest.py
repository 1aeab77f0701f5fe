"""A whole Airflow with the DAGs of this folder and the examples, in front of a simulated gateway."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from whole_airflow import BINARIES, Airflow, Standalone, free_port, running, standalone_settings

from airflow_provider_osonsms.simulator import SimulatedGateway

HERE = Path(__file__).parent
SECRET = "e2e-salt-Kh7Wq2"
HASH = re.compile(r"\b[0-9a-f]{64}\b")
CHECKSUM = re.compile(r"(\bchecksum\W{1,8})[0-9a-f]{64}\b")
"""Of a table, in the XCom of the campaign that wrote it: it signs nothing."""
PHONE = re.compile(r"(?=(992\d{9}))")


@pytest.fixture(scope="module")
def gateway() -> Iterator[SimulatedGateway]:
    """A gateway whose salt is found nowhere else."""
    with SimulatedGateway(secret=SECRET, hang_seconds=120) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, gateway: SimulatedGateway) -> Airflow:
    """An Airflow with a fresh database, and the gateway behind its default Connection."""
    airflow = Airflow(tmp_path_factory.mktemp("airflow"))
    airflow.env["AIRFLOW_CONN_OSONSMS_DEFAULT"] = gateway.connection_json(timeout=60)
    airflow.env["AIRFLOW_CONN_OSONSMS_PRICED"] = gateway.connection_json(timeout=60, price_per_part="0.10")
    migration = airflow.run("airflow", "db", "migrate")
    assert migration.returncode == 0, migration.stdout
    pool = airflow.run("airflow", "pools", "set", "osonsms", "1", "SMS: one task spends at a time")
    assert pool.returncode == 0, pool.stdout
    return airflow


@pytest.fixture(scope="module")
def standalone(airflow: Airflow, gateway: SimulatedGateway) -> Iterator[Standalone]:
    """A whole Airflow with the example DAGs and those of ``dags``, until the last test of the module.

    Delivery takes a while: Airflow may fail a task whose trigger fires before the executor has reported the
    end of the process that deferred it, up to 5 s later (apache/airflow#72716).
    """
    gateway.backend.change_behavior(enroute_seconds=5, accepted_seconds=5)
    for source in (HERE.parents[1] / "example_dags", HERE / "dags"):
        shutil.copytree(
            source, airflow.home / "dags", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    port = free_port()
    env = airflow.env | standalone_settings(airflow.home, port)
    env |= {"AIRFLOW__OSONSMS__REPORT_ROOT": str(airflow.home)}
    env |= {"AIRFLOW__OSONSMS__REPORT_BASE_URL": "https://reports.example.tj"}
    standalone = Standalone(airflow.home, port, env=env)
    with running(BINARIES / "airflow", "standalone", env=env, log=standalone.log) as process:
        standalone.log_in(process)
        yield standalone


@pytest.fixture
def find_private(gateway: SimulatedGateway) -> Callable[[str], list[str]]:
    """Find what nobody may read in a text: secrets, hashes, URLs and the phones that were texted."""
    phones = {message.phone for message in gateway.sent}.union(*(job.phones for job in gateway.bulks))
    words = ["e2e-salt", "another-salt", "sendsms_v1.php", "str_hash=", gateway.url]
    assert len(phones) >= 9
    assert phones == {phone for phone in phones if PHONE.findall(phone) == [phone]}

    def find(text: str) -> list[str]:
        return [
            *(word for word in words if word in text),
            *phones.intersection(PHONE.findall(text)),
            *HASH.findall(CHECKSUM.sub(r"\1", text)),
        ]

    return find
