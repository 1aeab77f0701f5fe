"""A whole Airflow in a folder of its own: command line, scheduler and REST, stopped to the last process."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest

from airflow_provider_osonsms.simulator import SimulatedGateway

HERE = Path(__file__).parent
SECRET = "e2e-salt-Kh7Wq2"
PATIENCE = 240.0
"""Seconds for anything that should happen; the machine may be busy."""


class Airflow:
    """An AIRFLOW_HOME with its own sqlite, and the environment of every process that uses it.

    Nothing of the environment of these tests gets in: it makes a database impossible.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        binaries = Path(sys.executable).parent  # not resolved: beside the link stands the venv's airflow
        inherited = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        self.env = {
            **inherited,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        }

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment's ``bin`` folder to its end, with stderr in its stdout."""
        program = Path(sys.executable).parent / command[0]
        return subprocess.run(
            [program, *command[1:]],
            cwd=self.home,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def migrate(self) -> None:
        """Create the database."""
        result = self.run("airflow", "db", "migrate")
        assert result.returncode == 0, result.stdout


class Standalone:
    """A running ``airflow standalone``, driven over REST."""

    def __init__(self, airflow: Airflow, port: int) -> None:
        self.home = airflow.home
        self.log = airflow.home / "standalone.log"
        self._port = port
        self._token = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API server, and return the JSON of its answer."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            content = answer.read()
        assert answer.status < 400, f"{method} {path}: {answer.status} {content[:500]!r}"
        return json.loads(content)

    def log_in(self) -> None:
        """Wait until every component is healthy, and take a token."""
        wait_until(self._is_healthy, "every component healthy")
        self._token = self.call("GET", "/auth/token")["access_token"]

    def start_run(self, dag_id: str, conf: dict[str, Any] | None = None) -> "Run":
        """Trigger a DAG, once it is parsed."""
        wait_until(lambda: self._is_known(dag_id), f"{dag_id} parsed")
        self.call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})
        body = {"logical_date": None, "conf": conf or {}}
        return Run(self, self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body))

    def _is_healthy(self) -> bool:
        try:
            health = self.call("GET", "/api/v2/monitor/health")
        except (OSError, HTTPException):
            return False
        components = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(name) or {}).get("status") == "healthy" for name in components)

    def _is_known(self, dag_id: str) -> bool:
        dags = self.call("GET", "/api/v2/dags?exclude_stale=false&limit=100")["dags"]
        return dag_id in {dag["dag_id"] for dag in dags}


class Run:
    """A run of a DAG."""

    def __init__(self, standalone: Standalone, answer: dict[str, Any]) -> None:
        self.id = answer["dag_run_id"]
        self._standalone = standalone
        self._dag_id = answer["dag_id"]
        self._path = f"/api/v2/dags/{self._dag_id}/dagRuns/{quote(self.id, safe='')}"

    def wait(self) -> str:
        """Wait for the end, and return the state."""
        wait_until(lambda: self._read()["state"] in ("success", "failed"), f"the end of {self.id}")
        return self._read()["state"]

    def task(self, task_id: str) -> dict[str, Any]:
        """Read a task instance."""
        return self._read(f"/taskInstances/{task_id}")

    def xcom(self, task_id: str) -> Any:
        """Read what a task returned."""
        value = self._read(f"/taskInstances/{task_id}/xcomEntries/return_value")["value"]
        return json.loads(value) if isinstance(value, str) else value

    def clear(self, task_id: str) -> None:
        """Clear a task, as a person does in the UI."""
        body = {
            "dry_run": False,
            "dag_run_id": self.id,
            "task_ids": [task_id],
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self._standalone.call("POST", f"/api/v2/dags/{self._dag_id}/clearTaskInstances", body)

    def logs(self, task_id: str) -> dict[str, str]:
        """Read a task's log files, by name."""
        folder = self._standalone.home / "logs" / f"dag_id={self._dag_id}" / f"run_id={self.id}"
        return {path.name: path.read_text() for path in folder.glob(f"task_id={task_id}/*")}

    def _read(self, path: str = "") -> dict[str, Any]:
        return self._standalone.call("GET", self._path + path)


def wait_until(is_true: Callable[[], Any], what: str, *, seconds: float = PATIENCE) -> None:
    """Ask again and again until something is true."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.3)


@contextmanager
def running(program: str, *arguments: str, env: dict[str, str], log: Path) -> Iterator[None]:
    """Keep a program running in a session of its own, and leave nothing of that session behind."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, *arguments],
            env=env,
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the session's processes, then end, then kill them; idle workers hear only the last."""
    for word, seconds in ((signal.SIGINT, 8), (signal.SIGTERM, 3), (signal.SIGKILL, 30)):
        for member in _members(process):
            with suppress(psutil.NoSuchProcess):
                member.send_signal(word)
        with suppress(AssertionError):
            wait_until(lambda: not _members(process), "an empty session", seconds=seconds)
            return
    raise AssertionError(f"left behind: {_members(process)}")


def _members(leader: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Find every process of the session; some of Airflow's make groups of their own, none a session."""
    leader.poll()
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == leader.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def free_port() -> int:
    """Find a port that is free now."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


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
    airflow.migrate()
    return airflow


@pytest.fixture(scope="module")
def standalone(airflow: Airflow) -> Iterator[Standalone]:
    """A whole Airflow with the example DAGs and those of ``dags``, until the last test of the module."""
    dags = airflow.home / "dags"
    shutil.copytree(HERE.parents[1] / "example_dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HERE / "dags", dags, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    port = free_port()
    env = airflow.env | _standalone_settings(airflow.home, dags, port)
    standalone = Standalone(airflow, port)
    with running(env["PATH"].split(os.pathsep)[0] + "/airflow", "standalone", env=env, log=standalone.log):
        standalone.log_in()
        yield standalone


def _standalone_settings(home: Path, dags: Path, port: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": dags,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": 0,
        "CORE__PARALLELISM": 4,
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "API__BASE_URL": url,
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__WORKERS": 1,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 5,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 5,
        "LOGGING__TRIGGER_LOG_SERVER_PORT": free_port(),
        "LOGGING__WORKER_LOG_SERVER_PORT": free_port(),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
    }
    return {
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
        "EXAMPLE_OSONSMS_FOLDER": str(home),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="session")
def wait() -> Callable[..., None]:
    """Ask again and again until something is true."""
    return wait_until
