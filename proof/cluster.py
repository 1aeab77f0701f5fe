"""Airflow on PostgreSQL and CeleryExecutor with Redis and two workers, on free ports of 127.0.0.1.

Everything runs in sessions of its own and is stopped by process id, to the last process.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final, Self

from cryptography.fernet import Fernet
from whole_airflow import (
    BINARIES,
    Airflow,
    Standalone,
    free_port,
    kill,
    list_members,
    standalone_settings,
    start_session,
    stop,
)

COMPONENTS: Final = ("api-server", "scheduler", "dag-processor", "triggerer")
WORKERS: Final = ("worker-1", "worker-2")


def find_missing() -> str:
    """Say which program of the machine is missing, or nothing."""
    if _find_postgres() is None:
        return "PostgreSQL is not installed"
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return "root may not run PostgreSQL, and there is no user postgres"
    return "" if shutil.which("redis-server") else "Redis is not installed"


def _find_postgres() -> Path | None:
    """Find the newest PostgreSQL where Debian puts it, or what is on the PATH."""
    by_version = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("pg_ctl")
    return by_version[-1] if by_version else Path(on_path).parent if on_path else None


class Postgres:
    """A PostgreSQL in a temporary folder; root lets the user ``postgres`` run it, because root may not.

    Its folder is none of the proof's own, which this user may be unable to enter.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._binaries = _find_postgres()
        self._folder = Path(tempfile.mkdtemp(prefix="osonsms-proof-postgres-"))
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self.log = self._folder / "postgres.log"

    def start(self) -> None:
        """Make the database and serve it."""
        self._run("initdb", "-D", str(self._folder / "data"), "-A", "trust", "-U", "airflow")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self._control("-o", options, "-l", str(self.log), "-w", "start")
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "airflow", "airflow")

    def restart(self) -> None:
        """Restart as after a crash: no connection survives."""
        self._control("-l", str(self.log), "-w", "-m", "immediate", "restart")

    def dump(self) -> str:
        """Return everything that is stored, as SQL."""
        return self._run("pg_dump", "-h", "127.0.0.1", "-p", str(self.port), "-U", "airflow", "airflow")

    def stop(self) -> None:
        """Stop it, by the process id in its folder, and remove the folder."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._control("-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with tempfile.TemporaryFile("w+") as output:  # a server that is started would keep a pipe open
            done = subprocess.run(
                [*become, str(self._binaries / program), *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            output.seek(0)
            written = output.read()
        if done.returncode:
            raise RuntimeError(f"{program} failed: {written[-2000:]}")
        return written


class Cluster(Standalone):
    """The whole Airflow, its database and its broker, while the ``with`` block lasts."""

    def __init__(self, home: Path, dags: Path, *, env: dict[str, str]) -> None:
        port, redis_port = free_port(), free_port()
        self.postgres = Postgres()
        self.fernet = Fernet(key := Fernet.generate_key())
        database = f"postgresql+psycopg2://airflow@127.0.0.1:{self.postgres.port}/airflow"
        settings = {
            "CELERY__BROKER_URL": f"redis://127.0.0.1:{redis_port}/0",
            "CELERY__RESULT_BACKEND": f"db+{database}",
            "CELERY__WORKER_CONCURRENCY": "2",
            "CORE__DAGS_FOLDER": str(dags),
            "CORE__EXECUTOR": "CeleryExecutor",
            "CORE__FERNET_KEY": key.decode(),
            "CORE__PARALLELISM": "16",
            "DATABASE__SQL_ALCHEMY_CONN": database,
            "API__SECRET_KEY": os.urandom(20).hex(),
            "API_AUTH__JWT_SECRET": os.urandom(32).hex(),
            # a kill is noticed within 20 seconds
            "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
        }
        env = Airflow(home).env | standalone_settings(home, port) | env
        env |= {f"AIRFLOW__{name}": value for name, value in settings.items()}
        env |= {"PYTHONPATH": os.environ["PYTHONPATH"], "TMPDIR": str(home / "tmp")}
        super().__init__(home, port, env=env, log="api-server.log")
        self._redis_port = redis_port
        self.broker_folder = home / "redis"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            stop(*self._started)
        finally:
            self.postgres.stop()

    def _start_all(self) -> None:
        self.postgres.start()
        self.broker_folder.mkdir()
        # Its log of commands holds every message, also after that was taken: the search for leaks reads it.
        options = {
            "bind": "127.0.0.1",
            "dir": self.broker_folder,
            "appendonly": "yes",
            "aof-use-rdb-preamble": "no",
        }
        options |= {"port": self._redis_port, "save": "", "auto-aof-rewrite-percentage": 0}
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._start("redis", "redis-server", *arguments)
        self.run_airflow("db", "migrate")
        for name in (*COMPONENTS, *WORKERS):
            self.start_component(name)
        self.log_in(self._running["api-server"])

    def run_airflow(self, *arguments: str) -> str:
        """Run a command of Airflow to its end, and return what it has written."""
        airflow = Airflow(self.home)
        airflow.env = self.env
        done = airflow.run("airflow", *arguments)
        if done.returncode:
            raise RuntimeError(f"airflow {' '.join(arguments)} failed: {done.stdout[-2000:]}")
        return done.stdout

    def start_component(self, name: str) -> None:
        """Start a component, or start it again after a kill."""
        airflow = str(BINARIES / "airflow")
        if name in COMPONENTS:
            self._start(name, airflow, name)
        else:
            self._start(name, airflow, "celery", "worker", "-H", f"{name}-{len(self._started)}@127.0.0.1")

    def members(self, name: str) -> list[int]:
        """List the process ids of a component."""
        return [process.pid for process in list_members(self._running[name])]

    def kill_component(self, name: str) -> int:
        """Kill all processes of a component at once; return how many there were."""
        members = list_members(self._running[name])
        kill(*members)
        self.wait_until(lambda: not list_members(self._running[name]), f"{name} killed")
        return len(members)

    def revive(self) -> list[str]:
        """Start again what has ended by itself, as a service manager does; wait until all are healthy."""
        ended = [name for name in (*COMPONENTS, *WORKERS) if self._running[name].poll() is not None]
        for name in ended:
            self.start_component(name)
        self.log_in(self._running["api-server"])
        return ended

    def _start(self, name: str, *command: str) -> None:
        number = sum(path.name.startswith(f"{name}.") for path in self.home.glob("*.log"))
        log = self.home / (f"{name}.{number}.log" if number else f"{name}.log")
        ports = {
            f"AIRFLOW__LOGGING__{kind}_LOG_SERVER_PORT": str(free_port()) for kind in ("WORKER", "TRIGGER")
        }
        self._running[name] = start_session(*command, env=self.env | ports, log=log)
        self._started.append(self._running[name])
