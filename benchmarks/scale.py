"""``make scale``: one campaign end to end, for 10,000, 100,000 and 1,000,000 rows (SCALE_ROWS).

CSV, preview, campaign with state store and results table, a kill at half and the next try, a Clear, and a
deferred wait with a report. The simulated gateway keeps its whole ledger and runs on one core, each step in a
process of its own on the other. The state store keeps its values in files, as slowly as Airflow's does.
"""

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from campaign import JOURNAL_SECONDS, pin

ROWS: Final = [int(rows) for rows in os.environ.get("SCALE_ROWS", "10000,100000,1000000").split(",")]
FORK: Final = multiprocessing.get_context("fork")
SPAWN: Final = multiprocessing.get_context("spawn")
MAX_MEGABYTES: Final = {"a Clear of it": 300}
MAX_MEGABYTES_ELSE: Final = 500
MAX_SECONDS_TO_FIRST: Final = 60
CONNECTION: Final = "AIRFLOW_CONN_OSONSMS_DEFAULT"
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"


class FileStore:
    """A state store of Airflow, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.seconds = 0.0

    def get(self, key: str) -> Any:
        """Return a value; None for none."""
        path = self._folder / key
        return json.loads(path.read_text()) if path.exists() else None

    def set(self, key: str, value: Any, **_: Any) -> None:
        """Keep a value."""
        began = time.perf_counter()
        time.sleep(JOURNAL_SECONDS)
        path = self._folder / f"{key}.new"
        path.write_text(json.dumps(value))
        path.rename(self._folder / key)
        self.seconds += time.perf_counter() - began


def serve(pipe: Any, sent: Any) -> None:
    """Run the simulated gateway; *sent* counts what it has accepted, until a word comes over the *pipe*."""
    from airflow_provider_osonsms.simulator import SimulatedGateway

    pin(0)
    gateway = SimulatedGateway(balance=Decimal(10_000_000), enroute_seconds=0, accepted_seconds=0)
    with gateway:
        pipe.send(gateway.connection_json())
        while not pipe.poll(0.05):
            sent.value = gateway.requests["send"]
        phones = [message.phone for message in gateway.sent]
        pipe.send((len(phones), len(set(phones))))


def make_context(folder: Path, try_number: int) -> dict[str, Any]:
    """Make what the operators read of Airflow's context."""
    (folder / "store").mkdir(exist_ok=True)
    task = SimpleNamespace(outlets=[])
    ti = SimpleNamespace(
        dag_id="scale", run_id="run", task_id="task", map_index=-1, try_number=try_number, max_tries=5
    )
    dag_run = SimpleNamespace(run_after=datetime.now(UTC))
    store = FileStore(folder / "store")
    return {"ti": ti, "task": task, "dag_run": dag_run, "run_id": "run", "task_state_store": store}


def preview(folder: Path) -> str:
    """Count and price the campaign."""
    from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignPreviewOperator

    operator = OsonSmsCampaignPreviewOperator(
        task_id="task", recipients=str(folder / "people.csv"), message=TEXT
    )
    return f"{operator.execute(make_context(folder, 1))['parts']:,} parts"


def send(folder: Path, try_number: int = 1) -> str:
    """Send what is left."""
    from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator

    path = folder / "results.csv"
    context = make_context(folder, try_number)
    result = OsonSmsCampaignOperator(
        task_id="task", recipients=str(folder / "people.csv"), message=TEXT, results_path=str(path)
    ).execute(context)
    (folder / "output.json").write_text(json.dumps(result))
    counts = {name: count for name, count in result["outcomes"].items() if count}
    return f"{counts}, {context['task_state_store'].seconds:.1f} s in the state store"


def send_again(folder: Path) -> str:
    """Send what a killed try has left; the same after a Clear of a campaign that is at its end."""
    return send(folder, 2)


def wait(folder: Path) -> str:
    """Wait for all messages in a trigger, and write table and page of the report."""
    from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

    sensor = OsonSmsDeliverySensor(
        task_id="wait",
        messages=json.loads((folder / "output.json").read_text()),
        report_path=str(folder / "report.csv"),
        deferrable=True,
        timeout=7200,
    )
    ran = run_triggers([defer(sensor, folder)])
    return f"{ran['delivered']:,} delivered, loop blocked {max(ran['lateness']) * 1000:.0f} ms at most"


def defer(sensor: Any, folder: Path) -> Any:
    """Let a sensor defer, and return its trigger."""
    from airflow.sdk.exceptions import TaskDeferred

    try:
        sensor.execute(make_context(folder, 1))
    except TaskDeferred as deferred:
        return deferred.trigger
    raise RuntimeError("the sensor did not defer")


def run_triggers(triggers: list[Any]) -> dict[str, Any]:
    """Run triggers in a process of their own; see `trigger_loop`."""
    serialized = json.dumps([trigger.serialize() for trigger in triggers])
    command = [sys.executable, str(Path(__file__).with_name("trigger_loop.py"))]
    output = subprocess.run(command, input=serialized, stdout=subprocess.PIPE, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def run_step(step: Callable[[Path], str], folder: Path, pipe: Any) -> None:
    """Do a step in this process, and tell seconds, peak memory and what it says."""
    pin(1)
    began = time.perf_counter()
    said = step(folder)
    seconds = time.perf_counter() - began
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    pipe.send((seconds, max(used) / 1024, said))


def measure(step: Callable[[Path], str], folder: Path, name: str) -> None:
    """Print what a step takes."""
    receiver, sender = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=run_step, args=(step, folder, sender))
    process.start()
    sender.close()
    try:
        seconds, memory, said = receiver.recv()
    except EOFError:
        sys.exit(f"{name} failed")
    process.join()
    print(f"  {name:<28} {seconds:8.1f} s {memory:6.0f} MB   {said}", flush=True)
    most = MAX_MEGABYTES.get(name, MAX_MEGABYTES_ELSE)
    if memory > most:
        sys.exit(f"{name} took {memory:.0f} MB, and at most {most} are allowed")


def kill_at_half(folder: Path, sent: Any, rows: int) -> None:
    """Kill a campaign when half is accepted; print how long the next try takes to its first new message."""
    process = SPAWN.Process(target=send, args=(folder,))
    process.start()
    while sent.value < rows / 2:
        time.sleep(0.05)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    time.sleep(0.2)
    before, began = sent.value, time.perf_counter()
    watcher = FORK.Process(target=print_first, args=(sent, before, began))
    watcher.start()
    measure(send_again, folder, "the next try after a kill")
    watcher.join()
    if watcher.exitcode:
        sys.exit("the next try after a kill came too late")


def print_first(sent: Any, before: int, began: float) -> None:
    """Print when the next message comes."""
    while sent.value <= before:
        time.sleep(0.01)
    seconds = time.perf_counter() - began
    print(f"  {'to its first new message':<28} {seconds:8.1f} s", flush=True)
    if seconds > MAX_SECONDS_TO_FIRST:
        sys.exit(f"{seconds:.0f} s to the first new message, and at most {MAX_SECONDS_TO_FIRST} are allowed")


def run_campaign(rows: int) -> None:
    """Print what each step takes for so many rows."""
    print(f"{rows:,} rows", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "people.csv").open("w") as file:  # whom the simulated gateway reaches at once
            file.write("phone,name\n")
            file.writelines(f"9929{row:06}01,Мизоҷ {row}\n" for row in range(rows))
        for scenario in (("preview", "whole", "clear", "wait"), ("kill",)):
            here, there = FORK.Pipe()
            sent = FORK.Value("q", 0)
            gateway = FORK.Process(target=serve, args=(there, sent))
            gateway.start()
            os.environ[CONNECTION] = here.recv()
            for path in (folder / "store").glob("*"):
                path.unlink()
            for path in folder.glob("results*"):
                path.unlink()
            if "kill" in scenario:
                kill_at_half(folder, sent, rows)
            else:
                measure(preview, folder, "preview")
                measure(send, folder, "campaign")
                measure(send_again, folder, "a Clear of it")
                measure(wait, folder, "wait and report")
            here.send("stop")
            messages, people = here.recv()
            gateway.join()
            if messages != people or people != rows:
                sys.exit(f"{messages} messages for {people} people instead of {rows}")


TEXT: Final = "Салом, {name}! Фармоиши шумо омода аст. Ташаккур!"

if __name__ == "__main__":
    for count in ROWS:
        run_campaign(count)
