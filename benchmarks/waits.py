"""``make scale``: 20 deferrable waits for 50,000 messages each in one event loop, as in a triggerer.

A watcher in the same loop stands for the other triggers: it wants to run each millisecond. The gateway is
`fast_gateway.py` on the other core, and each message is delivered when it is asked for first.
"""

import asyncio
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from types import SimpleNamespace
from typing import Any, Final

from campaign import pin, serve
from delivery import write_results

WAITS: Final = int(os.environ.get("WAITS", "20"))
MESSAGES: Final = int(os.environ.get("WAIT_MESSAGES", "50000"))
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"


def make_trigger(path: Path, number: int) -> Any:
    """Return the trigger of a deferred wait for a campaign's table."""
    from datetime import UTC, datetime

    from airflow.sdk.exceptions import TaskDeferred

    from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

    ti = SimpleNamespace(
        dag_id="waits", run_id="run", task_id=f"wait{number}", map_index=-1, try_number=1, max_tries=5
    )
    context = {
        "ti": ti,
        "task": SimpleNamespace(outlets=[]),
        "dag_run": SimpleNamespace(run_after=datetime.now(UTC)),
        "run_id": "run",
    }
    sensor = OsonSmsDeliverySensor(
        task_id=ti.task_id,
        messages={"results_path": str(path), "osonsms_conn_id": "osonsms_default"},
        deferrable=True,
        timeout=7200,
    )
    try:
        sensor.execute(context)
    except TaskDeferred as deferred:
        return deferred.trigger
    raise RuntimeError("the sensor did not defer")


async def run_all(triggers: list[Any]) -> tuple[int, list[float]]:
    """Run all triggers to their events: how many messages were delivered, and how late the watcher was."""

    async def run(trigger: Any) -> int:
        async for event in trigger.run():
            return int(event.payload["summary"]["delivered"])
        raise RuntimeError("no event")

    over, lateness = asyncio.gather(*map(run, triggers)), []
    while not over.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        lateness.append(time.perf_counter() - before - 0.001)
    return sum(over.result()), lateness


def wait_for_all(paths: list[Path], pipe: Any) -> None:
    """Wait in this process, and tell what came of it."""
    pin(1)
    triggers = [make_trigger(path, number) for number, path in enumerate(paths)]
    began = time.perf_counter()
    delivered, lateness = asyncio.run(run_all(triggers))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send((delivered, lateness, time.perf_counter() - began, memory))


def main() -> None:
    """Wait, and print how long the others had to."""
    with tempfile.TemporaryDirectory() as folder, serve("0", "delivered") as url:
        paths = []
        for number in range(WAITS):
            (Path(folder) / str(number)).mkdir()
            paths.append(write_results(Path(folder) / str(number), MESSAGES))
        os.environ["AIRFLOW_CONN_OSONSMS_DEFAULT"] = (
            f'{{"conn_type":"osonsms","host":"{url}","login":"demo","password":"salt"}}'
        )
        spawn = multiprocessing.get_context("spawn")
        receiver, sender = spawn.Pipe(duplex=False)
        process = spawn.Process(target=wait_for_all, args=(paths, sender))
        process.start()
        sender.close()
        delivered, lateness, seconds, memory = receiver.recv()
        process.join()
    if delivered != WAITS * MESSAGES:
        raise RuntimeError("some were not delivered")
    typical, rare = (quantiles(lateness, n=1000)[part] * 1000 for part in (499, 998))
    print(
        f"{WAITS} waits for {MESSAGES:,} messages each in one loop: {seconds:.0f} s, {memory:.0f} MB. Others "
        f"were late by {typical:.1f} ms (median), {rare:.0f} ms (one of 1,000 times), and "
        f"{max(lateness) * 1000:.0f} ms (at most; the aim is 100)"
    )


if __name__ == "__main__":
    main()
