"""``make bench``: one task for everybody against one mapped task for each, under a real scheduler.

A campaign against ``HttpOperator.partial().expand()``, and a wait for 10,000 messages in one deferrable task
against 200 mapped deferrable ones. A whole Airflow runs the DAGs of `benchmarks/dags` in turns; the simulated
gateway runs in this process. Seconds are those of the DAG run. CPU is that of all processes of Airflow from
its trigger to its end; that of a wait, which lasts as long as the gateway likes, without what an idle Airflow
takes in the same time.
"""

import csv
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

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
WAITED_FOR: Final = 10_000
MAPPED_WAITS: Final = 200
FIRST_MSG_ID: Final = 100_000_001
LOGIN: Final = "bench"
SECRET: Final = "bench-salt"  # noqa: S105 - the simulator's own, not a secret
IDLE_SECONDS: Final = 30
ETERNITY: Final = 1e6


class Cost(NamedTuple):
    """What a DAG run took, in seconds: wall time and CPU of all of Airflow."""

    wall: float
    cpu: float


class Bench:
    """A running Airflow in front of a gateway.

    Args:
        standalone: Runs DAGs.
        gateway: Knows the messages that are waited for, which are not delivered before `deliver`.
        leader: The first process of Airflow.
    """

    def __init__(self, standalone: Standalone, gateway: SimulatedGateway, leader: psutil.Popen) -> None:
        self.gateway = gateway
        self._standalone = standalone
        self._leader = leader

    def measure(self, dag_id: str, *, meanwhile: Callable[[Run], None] = lambda _run: None) -> Cost:
        """Run a DAG to its end."""
        before = self._read_cpu()
        run = self._standalone.start_run(dag_id)
        meanwhile(run)
        if (state := _wait_patiently(run)) != "success":
            raise RuntimeError(f"{dag_id}: {state}; see {self._standalone.home}")
        return Cost(run.seconds, self._read_cpu() - before)

    def measure_idle(self) -> float:
        """Return the CPU seconds that an idle Airflow takes in a second."""
        before = self._read_cpu()
        time.sleep(IDLE_SECONDS)
        return (self._read_cpu() - before) / IDLE_SECONDS

    def deliver(self, *, after_questions: int) -> Callable[[Run], None]:
        """Make what delivers every message once so many questions were asked."""

        def tracker(_run: Run) -> None:
            goal = self.gateway.requests["query"] + after_questions
            while self.gateway.requests["query"] < goal:
                time.sleep(0.5)
            self.gateway.advance(2 * ETERNITY)

        return tracker

    def send(self, number: int) -> int:
        """Let the gateway accept messages, and return the msg_id of the first."""
        first = FIRST_MSG_ID + len(self.gateway.sent)
        for row in range(number):
            fields = {"from": "SHOP", "phone_number": f"9929{row:06}01", "msg": "Салом", "login": LOGIN}
            fields["txn_id"] = f"wait-{first + row}"
            self.gateway.backend.send(fields, authorization=f"Bearer {SECRET}")
        return first

    def _read_cpu(self) -> float:
        """Return the CPU seconds of Airflow's processes and of their children that have ended."""
        return sum(sum(process.cpu_times()[:4]) for process in list_members(self._leader))


def _wait_patiently(run: Run) -> str:
    """Wait for the end, also while so many tasks lock sqlite that Airflow's API answers with errors."""
    while True:
        with suppress(AssertionError):
            return run.wait()
        time.sleep(1)


def write_table(path: Path, *, first: int) -> None:
    """Write the results table of a campaign whose messages are waited for."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "key", "phone", "outcome", "reason", "txn_id", "msg_id", "parts"])
        for row in range(WAITED_FOR):
            phone = f"9929{row:06}01"
            writer.writerow([row, phone, phone, "accepted", "", f"wait-{first + row}", first + row, 1])


@contextmanager
def run_airflow(gateway: SimulatedGateway) -> Iterator[Bench]:
    """Run an Airflow with the DAGs, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="osonsms-bench-") as folder:
        home = Path(folder)
        airflow = Airflow(home)
        shutil.copytree(Path(__file__).with_name("dags"), home / "dags")
        port = free_port()
        host, http_port = gateway.url.removeprefix("http://").split(":")
        http = {"conn_type": "http", "host": host, "port": int(http_port), "schema": "http"}
        env = airflow.env | standalone_settings(home, port)
        env |= {
            "AIRFLOW__CORE__PARALLELISM": "32",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
            "AIRFLOW_CONN_OSONSMS_DEFAULT": gateway.connection_json(),
            "AIRFLOW_CONN_HTTP_DEFAULT": json.dumps(http),
            "BENCH_LOGIN": LOGIN,
            "BENCH_SECRET": SECRET,
            "BENCH_TABLE": str(home / "sent.csv"),
            "BENCH_FIRST_MAPPED": str(FIRST_MSG_ID + WAITED_FOR),
            "BENCH_MAPPED": str(MAPPED_WAITS),
        }
        write_table(home / "sent.csv", first=FIRST_MSG_ID)
        airflow.run("airflow", "db", "migrate")
        standalone = Standalone(home, port, env=env)
        with running(BINARIES / "airflow", "standalone", env=env, log=standalone.log) as leader:
            standalone.log_in(leader)
            yield Bench(standalone, gateway, leader)


def compare_waits(bench: Bench) -> None:
    """Compare one wait for many messages with many waits for one, once: a mapped one takes minutes."""
    idle = bench.measure_idle()
    ours = bench.measure("bench_wait_one", meanwhile=bench.deliver(after_questions=2 * WAITED_FOR))
    bench.gateway.advance(-2 * ETERNITY)
    theirs = bench.measure("bench_wait_mapped", meanwhile=bench.deliver(after_questions=2 * MAPPED_WAITS))
    each, other = (
        (cost.cpu - idle * cost.wall) / number
        for cost, number in ((ours, WAITED_FOR), (theirs, MAPPED_WAITS))
    )
    print(
        f"CPU of a wait: {1000 * each:.2f} ms a message of {WAITED_FOR:,} in one task ({ours.wall:.0f} s), "
        f"{1000 * other:.0f} ms a message of {MAPPED_WAITS} mapped tasks ({theirs.wall:.0f} s), ratio "
        f"{other / each:.0f} (target 500); an idle Airflow takes {idle:.2f} CPU seconds a second",
        flush=True,
    )


def compare_campaigns(bench: Bench) -> None:
    """Compare a campaign with a mapped task for each person."""
    costs, before = [], len(bench.gateway.sent)
    for number in range(1, ROUNDS + 1):
        costs.append((bench.measure("bench_campaign"), bench.measure("bench_mapped")))
        if len(bench.gateway.sent) - before != 2 * PEOPLE * number:
            raise RuntimeError(
                f"{len(bench.gateway.sent) - before} messages instead of {2 * PEOPLE * number}"
            )
    for field, target in (("wall", 20), ("cpu", 40)):
        ours, theirs = ([getattr(cost, field) for cost in side] for side in zip(*costs, strict=True))
        ratio = median(their / our for our, their in zip(ours, theirs, strict=True))
        print(
            f"{PEOPLE} recipients, {field}: campaign {median(ours):.1f} s, mapped HttpOperator "
            f"{median(theirs):.1f} s, ratio {ratio:.0f} (target {target})",
            flush=True,
        )


def main() -> None:
    """Compare."""
    account = {"login": LOGIN, "secret": SECRET, "balance": Decimal(100_000)}
    with SimulatedGateway(**account, accepted_seconds=ETERNITY) as gateway, run_airflow(gateway) as bench:
        bench.send(WAITED_FOR + MAPPED_WAITS)
        compare_waits(bench)
        compare_campaigns(bench)


if __name__ == "__main__":
    main()
