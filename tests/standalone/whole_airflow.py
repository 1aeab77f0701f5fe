"""A whole Airflow in a folder of its own: command line, scheduler and REST, stopped to the last process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

_COMPLAINT = re.compile(r"\[(error|critical) |locked|Error: |Timeout")
BINARIES = Path(sys.executable).parent  # not resolved: beside the link stands the venv's airflow
PATIENCE = 240.0
"""Seconds for anything that should happen; the machine may be busy."""


def wait_until(is_true: Callable[[], Any], what: str, *, seconds: float = PATIENCE) -> None:
    """Ask again and again until something is true."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.3)


class Airflow:
    """An AIRFLOW_HOME with its own sqlite, and the environment of every process that uses it.

    Nothing of the environment of these tests gets in: it makes a database impossible.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {
            **{name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ},
            "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        }

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment's ``bin`` folder to its end, with stderr in its stdout."""
        return subprocess.run(
            [BINARIES / command[0], *command[1:]],
            cwd=self.home,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


class Standalone:
    """A running Airflow, such as ``airflow standalone``, driven over REST.

    Its components write their logs to ``*.log`` in *home*.
    """

    def __init__(self, home: Path, port: int, *, env: dict[str, str], log: str = "standalone.log") -> None:
        self.home = home
        self.log = home / log
        self.env = env
        self._port = port
        self._token = ""
        self._leader: subprocess.Popen[bytes] | None = None

    def wait_until(self, is_true: Callable[[], Any], what: str, *, seconds: float = PATIENCE) -> None:
        """Ask again and again until something is true; what Airflow complains of is told if it never is."""
        try:
            wait_until(is_true, what, seconds=seconds)
        except AssertionError as error:
            logs = sorted(self.home.glob("*.log"), key=lambda path: path == self.log)
            lines = [line for path in logs for line in path.read_text(errors="replace").splitlines()]
            complaints = [line[:200] for line in lines if _COMPLAINT.search(line)]
            raise AssertionError("\n".join([str(error), *complaints[-40:], *lines[-5:]])) from None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API server, and return the JSON of its answer.

        Its SQLite is locked now and then, while the scheduler writes: such a call has done nothing.
        """
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        for is_last in (False, False, False, True):
            with closing(HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
                connection.request(method, path, json.dumps(body) if body is not None else None, headers)
                answer = connection.getresponse()
                content = answer.read()
            if is_last or answer.status != 500 or b"Database error" not in content:
                break
            time.sleep(1)
        assert answer.status < 400, f"{method} {path}: {answer.status} {content[:500]!r}"
        return json.loads(content)

    def log_in(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until every component of *process* is healthy, and take a token."""
        self._leader = process
        wait_until(lambda: self._is_healthy(process), "every component healthy")
        self._token = self.call("GET", "/auth/token")["access_token"]

    def kill(self, component: str, *others: subprocess.Popen[bytes]) -> None:
        """Kill a component and its children with SIGKILL, also in the sessions of *others*."""
        assert self._leader is not None
        members = list_members(self._leader, *others)
        killed = [process for process in members if component in " ".join(process.cmdline())]
        assert killed, component
        kill(*killed)

    def start(self, component: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Keep another component running beside the others."""
        log = self.home / f"{component}.log"
        return running(BINARIES / "airflow", component, env=self.env, log=log)

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run, once it is parsed."""
        self._wait_for_dag(dag_id)
        self.call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def start_run(self, dag_id: str, **fields: str) -> "Run":
        """Trigger a DAG, once it is parsed; *fields* are of the run, such as ``dag_run_id``."""
        return self.start_runs(dag_id, 1, **fields)[0]

    def start_runs(self, dag_id: str, number: int, **fields: str) -> list["Run"]:
        """Trigger a DAG so many times at once.

        The DAG runs when all are there: SQLite lets Airflow lose tasks that begin while others are triggered.
        """
        self._wait_for_dag(dag_id)
        path = f"/api/v2/dags/{dag_id}/dagRuns"
        runs = [Run(self, self.call("POST", path, {"logical_date": None, **fields})) for _ in range(number)]
        self.unpause(dag_id)
        return runs

    def count_versions(self, dag_id: str) -> int:
        """Count the versions of a DAG."""
        return self.call("GET", f"/api/v2/dags/{dag_id}/dagVersions")["total_entries"]

    def time_of_parse(self, dag_id: str) -> str:
        """Tell when a DAG was parsed last."""
        return self.call("GET", f"/api/v2/dags/{dag_id}")["last_parsed_time"]

    def _wait_for_dag(self, dag_id: str) -> None:
        self.wait_until(lambda: dag_id in self._list_dags(), f"{dag_id} parsed")

    def _list_dags(self) -> set[str]:
        dags = self.call("GET", "/api/v2/dags?limit=100")["dags"]
        return {dag["dag_id"] for dag in dags}

    def _is_healthy(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self.log.read_text()[-3000:]
        try:
            health = self.call("GET", "/api/v2/monitor/health")
        except (OSError, HTTPException):
            return False
        return len(health) >= 4 and all((part or {}).get("status") == "healthy" for part in health.values())


class Run:
    """A run of a DAG."""

    def __init__(self, standalone: Standalone, answer: dict[str, Any]) -> None:
        self.id = answer["dag_run_id"]
        self._standalone = standalone
        self._dag_id = answer["dag_id"]
        self._path = f"/api/v2/dags/{self._dag_id}/dagRuns/{quote(self.id, safe='')}"

    def wait(self) -> str:
        """Wait for the end, and return the state."""
        self._standalone.wait_until(
            lambda: self.read()["state"] in ("success", "failed"), f"the end of {self.id}"
        )
        return self.read()["state"]

    @property
    def seconds(self) -> float:
        """How long the run took."""
        answer = self.read()
        began, ended = (datetime.fromisoformat(answer[name]) for name in ("start_date", "end_date"))
        return (ended - began).total_seconds()

    def task(self, task_id: str) -> dict[str, Any]:
        """Read a task instance."""
        return self.read(f"/taskInstances/{task_id}")

    def xcom(self, task_id: str) -> Any:
        """Read what a task returned."""
        value = self.read(f"/taskInstances/{task_id}/xcomEntries/return_value")["value"]
        return json.loads(value) if isinstance(value, str) else value

    def links(self, task_id: str) -> dict[str, str]:
        """Read the extra links of a task, by name."""
        return self.read(f"/taskInstances/{task_id}/links")["extra_links"]

    def clear(self, task_id: str) -> None:
        """Clear a task, as a person does in the UI."""
        body = {"dry_run": False, "dag_run_id": self.id, "task_ids": [task_id], "only_failed": False}
        self._standalone.call("POST", f"/api/v2/dags/{self._dag_id}/clearTaskInstances", body)

    def logs(self, task_id: str) -> dict[str, str]:
        """Read a task's log files, by name."""
        folder = self._standalone.home / "logs" / f"dag_id={self._dag_id}" / f"run_id={self.id}"
        return {path.name: path.read_text() for path in folder.glob(f"task_id={task_id}/*")}

    def read(self, path: str = "") -> dict[str, Any]:
        """Read the run, or what is below its *path*."""
        return self._standalone.call("GET", self._path + path)


@contextmanager
def running(*command: Path | str, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a program running in a session of its own, and leave nothing of that session behind."""
    process = start_session(*command, env=env, log=log)
    try:
        yield process
    finally:
        stop(process)


def start_session(*command: Path | str, env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, in the folder of its *log*."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command, env=env, cwd=log.parent, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def stop(*leaders: subprocess.Popen[bytes]) -> None:
    """Interrupt the sessions' processes, then end, then kill them; idle workers hear only the last."""
    for word, seconds in ((signal.SIGINT, 4), (signal.SIGTERM, 2), (signal.SIGKILL, 30)):
        for member in list_members(*leaders):
            with suppress(psutil.NoSuchProcess):
                member.send_signal(word)
        with suppress(AssertionError):
            wait_until(lambda: not list_members(*leaders), "empty sessions", seconds=seconds)
            return
    raise AssertionError(f"left behind: {list_members(*leaders)}")


def kill(*processes: psutil.Process) -> None:
    """Kill with SIGKILL, as a lost machine or the kernel does."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def list_members(*leaders: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Find every process of the sessions; some of Airflow's make groups of their own, none a session."""
    for leader in leaders:
        leader.poll()
    sessions = {leader.pid for leader in leaders}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) in sessions and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def free_port() -> int:
    """Find a port that is free now."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def standalone_settings(home: Path, port: int) -> dict[str, str]:
    """Return the settings of a quick Airflow that listens on *port* of 127.0.0.1 only."""
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": home / "dags",
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
        "LOGGING__LOGGING_LEVEL": "DEBUG",
        "LOGGING__TRIGGER_LOG_SERVER_PORT": free_port(),
        "LOGGING__WORKER_LOG_SERVER_PORT": free_port(),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
        "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": 15,
    }
    return {
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
        "EXAMPLE_OSONSMS_FOLDER": str(home),
        "PYTHONUNBUFFERED": "1",
    }
