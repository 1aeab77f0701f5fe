"""What is done to a campaign in each scenario. Afterwards its ledger is read and checked."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import psutil
from cluster import WORKERS, Cluster
from network import Network
from whole_airflow import BINARIES, Airflow, Run, Standalone, free_port, kill, running, standalone_settings

from airflow_provider_osonsms.alerts.throttle import find_window
from airflow_provider_osonsms.simulator import SimulatedGateway

FAILING_RUNS: Final = 10
MIDDLE: Final = 1000
"""Messages of a campaign before something is done to it: a quarter or so."""
FIRST_DAY, LAST_DAY = "2026-01-01", "2026-01-03"


class Stage:
    """Where the scenarios happen: a cluster, the gateway behind it and the network to it.

    Args:
        cluster: The whole Airflow.
        gateway: Behind every Connection.
        network: Between the gateway and one of the Connections.
        restart: Serves the ledger of the gateway again, which was stopped.
    """

    def __init__(
        self,
        cluster: Cluster,
        gateway: SimulatedGateway,
        network: Network,
        *,
        restart: Callable[[], SimulatedGateway],
    ) -> None:
        self.cluster = cluster
        self.gateway = gateway
        self.network = network
        self.dumps: list[str] = []
        self._before = 0
        self._restart = restart

    def restart_gateway(self) -> None:
        """Stop the gateway, and serve its file again on the same port."""
        self.gateway.stop()
        self.gateway = self._restart()

    def begin(self) -> None:
        """Begin a scenario: what the gateway has accepted before does not count."""
        self._before = self.gateway.backend.totals["messages"]

    def count(self) -> int:
        """Count the messages that the gateway has accepted in this scenario."""
        return self.gateway.backend.totals["messages"] - self._before

    def start(self, name: str) -> Run:
        """Start the campaign of a scenario, and return in the middle of it."""
        run = self.cluster.start_run(f"proof_{name}")
        self.cluster.wait_until(lambda: self.count() >= MIDDLE, f"{MIDDLE} messages of {name}")
        return run

    def find_tasks(self, name: str) -> list[tuple[int, int]]:
        """Find the processes of a campaign that run now, with those that supervise them."""
        traces = (self.cluster.home / "traces").glob(f"proof_{name}-*")
        pairs = [tuple(map(int, path.read_text().split())) for path in traces]
        return [pair for pair in pairs if psutil.pid_exists(pair[0]) and psutil.pid_exists(pair[1])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario.

    Attributes:
        name: Of its DAG, its Connection and its people.
        play: Does what is to be done and returns what was done; an AssertionError if something is wrong.
        people: Whom each campaign texts; 0 where there is none.
        parts: Tasks of a campaign.
        campaigns: How many text everybody.
        is_core: Whether CI plays it.
    """

    name: str
    play: Callable[[Stage], str]
    people: int = 4200
    parts: int = 6
    campaigns: int = 1
    is_core: bool = False


def count_retries(run: Run) -> int:
    """Count the tasks of a run that needed more than one try."""
    return sum(ti["try_number"] > 1 for ti in run.read("/taskInstances")["task_instances"])


def kill_worker(stage: Stage) -> str:
    """A worker is lost with everything that ran on it; another takes its place."""
    run = stage.start("worker_killed")
    tasks = stage.find_tasks("worker_killed")
    worker = WORKERS[0]
    lost = sum(pid in stage.cluster.members(worker) for pid, _ in tasks)
    accepted = stage.count()
    processes = stage.cluster.kill_component(worker)
    assert lost, "the worker that was killed ran no campaign"
    stage.cluster.start_component(worker)
    assert run.wait() == "success"
    assert count_retries(run) >= lost, "what was killed did not run again"
    return f"killed a worker's {processes} processes, {lost} campaigns among them, at {accepted:,} messages"


def kill_supervisor(stage: Stage) -> str:
    """The process that supervises a task is killed; the task is left alone, and may go on for a while."""
    run = stage.start("supervisor_killed")
    task, supervisor = stage.find_tasks("supervisor_killed")[0]
    process = psutil.Process(supervisor)
    assert task in [child.pid for child in process.children()], "no supervisor"
    accepted = stage.count()
    kill(process)
    assert run.wait() == "success"
    assert count_retries(run), "what was killed did not run again"
    return f"killed the supervisor of a campaign at {accepted:,} messages"


def kill_scheduler(stage: Stage) -> str:
    """The scheduler is killed while tasks run and others wait for a slot."""
    run = stage.start("scheduler_killed")
    assert stage.find_tasks("scheduler_killed"), "no task ran"
    stage.cluster.kill_component("scheduler")
    before = stage.count()
    stage.cluster.wait_until(lambda: stage.count() > before + 200, "messages without a scheduler")
    stage.cluster.start_component("scheduler")
    assert run.wait() == "success"
    return "killed the scheduler, and started it after 200 more messages"


def kill_triggerer(stage: Stage) -> str:
    """The triggerer is killed while a deferred task waits for delivery."""
    stage.gateway.backend.change_behavior(accepted_seconds=600)
    asked = stage.gateway.requests["query"]
    run = stage.cluster.start_run("proof_triggerer_killed")
    stage.cluster.wait_until(
        lambda: stage.gateway.requests["query"] >= asked + 2000, "two rounds of questions"
    )
    stage.dumps.append(stage.cluster.postgres.dump())  # only now a trigger stands in it
    stage.cluster.kill_component("triggerer")
    stage.cluster.start_component("triggerer")
    asked = stage.gateway.requests["query"]
    stage.cluster.wait_until(
        lambda: stage.gateway.requests["query"] > asked, "a question of the next triggerer"
    )
    stage.gateway.advance(600)
    stage.gateway.backend.change_behavior(accepted_seconds=5)
    assert run.wait() == "success"
    assert run.xcom("wait")["by_status"] == {"DELIVERED": 1000}
    return "killed the triggerer after two rounds of questions; the next one saw all delivered"


def restart_database(stage: Stage) -> str:
    """PostgreSQL is restarted as after a crash; what of Airflow ends with it is started again."""
    run = stage.start("database_restarted")
    accepted = stage.count()
    stage.cluster.postgres.restart()
    ended: set[str] = set()

    def is_over() -> bool:
        ended.update(stage.cluster.revive())
        return run.read()["state"] in ("success", "failed")

    stage.cluster.wait_until(is_over, f"the end of {run.id}")
    assert run.wait() == "success"
    lost = ", ".join(sorted(ended)) or "nothing"
    return f"restarted PostgreSQL at {accepted:,} messages; {lost} ended with it"


def restart_gateway(stage: Stage) -> str:
    """The gateway is restarted, and knows what it knew."""
    run = stage.start("gateway_restarted")
    accepted = stage.count()
    stage.restart_gateway()
    assert stage.count() >= accepted, "the gateway has lost messages"
    assert run.wait() == "success"
    return f"restarted the gateway with its state at {accepted:,} messages"


def cut_network(stage: Stage) -> str:
    """For some seconds nothing comes through between workers and gateway."""
    run = stage.start("network_cut")
    with stage.network.cut():
        time.sleep(8)  # longer than a request waits
    assert stage.network.lost, "nothing was lost"
    assert run.wait() == "success"
    return f"cut the network for 8 s, {stage.network.lost} pieces of requests and answers were lost"


def clear(stage: Stage) -> str:
    """A person clears all tasks, also those that run."""
    run = stage.start("cleared")
    running = len(stage.find_tasks("cleared"))
    assert running, "no task ran"
    run.clear("campaign")
    assert run.wait() == "success"
    assert count_retries(run) >= running, "not all ran again"
    return f"cleared all tasks while {running} ran"


def backfill_twice(stage: Stage) -> str:
    """Three days are backfilled, and backfilled again."""
    dag_id = "proof_backfilled_twice"
    stage.cluster.unpause(dag_id)

    def read_tasks() -> list[tuple[str, int]]:
        tasks = stage.cluster.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/~/taskInstances")["task_instances"]
        return [(ti["state"], ti["try_number"]) for ti in tasks]

    def is_over(number: int) -> bool:
        backfills = stage.cluster.call("GET", f"/api/v2/backfills?dag_id={dag_id}")["backfills"]
        return [bool(backfill["completed_at"]) for backfill in backfills] == [True] * number

    for number in (1, 2):
        days = ["--from-date", FIRST_DAY, "--to-date", LAST_DAY]
        command = ["backfill", "create", "--dag-id", dag_id, *days, "--reprocess-behavior", "completed"]
        stage.cluster.run_airflow(*command)
        stage.cluster.wait_until(lambda number=number: is_over(number), f"the end of backfill {number}")
        assert read_tasks() == [("success", number)] * 3, read_tasks()
    return "backfilled three days, twice"


def run_two_airflows(stage: Stage) -> str:
    """Another Airflow with the same DAG and run id uses the same account, and is told so."""
    dag_id, run_id = "proof_two_airflows", "nightly"
    assert stage.cluster.start_run(dag_id, dag_run_id=run_id).wait() == "success"
    sent = stage.count()
    with second_airflow(stage.cluster) as second:
        run = second.start_run(dag_id, dag_run_id=run_id)
        assert run.wait() == "failed"
        logs = run.logs("campaign")
    assert len(logs) == 1, "a final error was retried"
    log = "".join(logs.values())
    assert "already knows the txn_ids of the first 5 new rows" in log, "it does not say why"
    assert stage.count() == sent
    return "a second Airflow with the same dag and run ids stopped, and said that its ids are taken"


@contextmanager
def second_airflow(first: Cluster) -> Iterator[Standalone]:
    """Run an Airflow with a SQLite of its own, and the DAGs, people and Connections of the first."""
    home, port = first.home / "second", free_port()
    for folder in ("results", "traces"):
        (home / folder).mkdir(parents=True)
    airflow = Airflow(home)
    airflow.env |= standalone_settings(home, port)
    shared = ("AIRFLOW_CONN_", "AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__FERNET_KEY", "PROOF_", "TMPDIR")
    airflow.env |= {name: value for name, value in first.env.items() if name.startswith(shared)}
    assert airflow.run("airflow", "db", "migrate").returncode == 0
    second = Standalone(home, port, env=airflow.env)
    with running(BINARIES / "airflow", "standalone", env=airflow.env, log=second.log) as process:
        second.log_in(process)
        yield second


def storm(stage: Stage) -> str:
    """Runs fail with two callbacks of the task and two of the DAG each."""
    asked = stage.gateway.requests["send"]
    first = datetime.now(UTC)
    runs = stage.cluster.start_runs("proof_alerts", FAILING_RUNS)
    for run in runs:
        assert run.wait() == "failed"
    callbacks = 4 * FAILING_RUNS
    stage.cluster.wait_until(
        lambda: stage.gateway.requests["send"] >= asked + callbacks, f"{callbacks} callbacks"
    )
    window = timedelta(minutes=10)
    windows = (find_window(datetime.now(UTC), window) - find_window(first, window)) // window + 1
    sent = stage.count()
    assert 1 <= sent <= windows, f"{sent} SMS in {windows} windows"
    return f"{FAILING_RUNS} runs failed with 4 callbacks each: {sent} SMS in {windows} window(s)"


SCENARIOS: Final = (
    Scenario(name="worker_killed", play=kill_worker, is_core=True),
    Scenario(name="supervisor_killed", play=kill_supervisor),
    Scenario(name="scheduler_killed", play=kill_scheduler, is_core=True),
    Scenario(name="triggerer_killed", play=kill_triggerer, people=1000, parts=1),
    Scenario(name="database_restarted", play=restart_database),
    Scenario(name="gateway_restarted", play=restart_gateway),
    Scenario(name="network_cut", play=cut_network),
    Scenario(name="cleared", play=clear, is_core=True),
    Scenario(name="backfilled_twice", play=backfill_twice, people=1000, parts=1, campaigns=3),
    Scenario(name="two_airflows", play=run_two_airflows, people=1000, parts=1),
    Scenario(name="alerts", play=storm, people=0, parts=0, campaigns=0),
)
