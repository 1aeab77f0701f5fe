"""``make bench``: one campaign task against one mapped task per SMS, under a real scheduler.

A whole Airflow runs the DAGs of `benchmarks/dags` in turns; the simulated gateway runs in this process.
Seconds are those of the DAG run, CPU is that of all processes of Airflow from its trigger to its end.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final

import psutil

sys.path.append(str(Path(__file__).parents[1] / "tests" / "standalone"))
from whole_airflow import (
    BINARIES,
    Airflow,
    Run,
    Standalone,
    free_port,
    list_members,
    running,
    standalone_settings,
)

from airflow_provider_osonsms.simulator import SimulatedGateway

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "2"))
PEOPLE: Final = 200
LOGIN: Final = "bench"
SECRET: Final = "bench-salt"  # noqa: S105 - the simulator's own, not a secret
WALL_TARGET: Final = 20
CPU_TARGET: Final = 40


def read_cpu(processes: list[psutil.Process]) -> float:
    """Return the CPU seconds of *processes* and of their children that have ended."""
    return sum(sum(process.cpu_times()[:4]) for process in processes)


def wait_patiently(run: Run) -> str:
    """Wait for the end, also while so many tasks lock sqlite that Airflow's API answers with errors."""
    while True:
        with suppress(AssertionError):
            return run.wait()
        time.sleep(1)


def measure(standalone: Standalone, dag_id: str, *, leader: psutil.Popen) -> tuple[float, float]:
    """Run a DAG: its seconds, and the CPU seconds of all of Airflow meanwhile."""
    before = read_cpu(list_members(leader))
    run = standalone.start_run(dag_id)
    state = wait_patiently(run)
    if state != "success":
        raise RuntimeError(f"{dag_id}: {state}; see {standalone.home}")
    return run.seconds, read_cpu(list_members(leader)) - before


def main() -> None:
    """Compare."""
    with (
        tempfile.TemporaryDirectory(prefix="osonsms-bench-") as folder,
        SimulatedGateway(login=LOGIN, secret=SECRET, balance=Decimal(10_000)) as gateway,
    ):
        home = Path(folder)
        airflow = Airflow(home)
        shutil.copytree(Path(__file__).with_name("dags"), home / "dags")
        port = free_port()
        host, http_port = gateway.url.removeprefix("http://").split(":")
        env = airflow.env | standalone_settings(home, port)
        env |= {
            "AIRFLOW__CORE__PARALLELISM": "32",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
            "AIRFLOW_CONN_OSONSMS_DEFAULT": gateway.connection_json(),
            "AIRFLOW_CONN_HTTP_DEFAULT": json.dumps(
                {"conn_type": "http", "host": host, "port": int(http_port), "schema": "http"}
            ),
            "BENCH_LOGIN": LOGIN,
            "BENCH_SECRET": SECRET,
        }
        airflow.run("airflow", "db", "migrate")
        standalone = Standalone(home, port, env=env)
        with running(BINARIES / "airflow", "standalone", env=env, log=standalone.log) as leader:
            standalone.log_in(leader)
            costs = []
            for dag_id in ("bench_campaign", "bench_mapped"):
                standalone.unpause(dag_id)
            for number in range(ROUNDS):
                ours = measure(standalone, "bench_campaign", leader=leader)
                theirs = measure(standalone, "bench_mapped", leader=leader)
                if len(gateway.sent) != 2 * PEOPLE * (number + 1):
                    raise RuntimeError(f"{len(gateway.sent)} messages instead of {2 * PEOPLE * (number + 1)}")
                costs.append((ours, theirs))
    for position, name, target in ((0, "wall", WALL_TARGET), (1, "CPU", CPU_TARGET)):
        ours, theirs = ([one[side][position] for one in costs] for side in (0, 1))
        ratio = median(their / our for our, their in zip(ours, theirs, strict=True))
        print(
            f"{PEOPLE} recipients, {name}: campaign {median(ours):.1f} s, mapped HttpOperator "
            f"{median(theirs):.1f} s, ratio {ratio:.0f} (target {target})",
            flush=True,
        )


if __name__ == "__main__":
    main()
