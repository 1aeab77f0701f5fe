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
from typing import Any, Final

from campaign import pin, serve
from delivery import write_results
from scale import CONNECTION, defer, run_trigger
from side_by_side import measure_lateness

WAITS: Final = int(os.environ.get("WAITS", "20"))
MESSAGES: Final = int(os.environ.get("WAIT_MESSAGES", "50000"))


def make_trigger(path: Path) -> Any:
    """Return the trigger of a deferred wait for a campaign's table."""
    from airflow_provider_osonsms.sensors.osonsms import OsonSmsDeliverySensor

    sensor = OsonSmsDeliverySensor(
        task_id="task",
        messages={"results_path": str(path), "osonsms_conn_id": "osonsms_default"},
        deferrable=True,
        timeout=7200,
    )
    return defer(sensor, path.parent)


async def run_all(triggers: list[Any]) -> int:
    """Run all triggers to their events, and return how many messages were delivered."""
    payloads = await asyncio.gather(*map(run_trigger, triggers))
    return sum(payload["summary"]["delivered"] for payload in payloads)


def wait_for_all(paths: list[Path], pipe: Any) -> None:
    """Wait in this process, and tell what came of it."""
    pin(1)
    triggers = [make_trigger(path) for path in paths]
    began = time.perf_counter()
    lateness, delivered = asyncio.run(measure_lateness(run_all(triggers)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send((delivered, lateness, time.perf_counter() - began, memory))


def main() -> None:
    """Wait, and print how long the others had to."""
    with tempfile.TemporaryDirectory() as folder, serve("0", "delivered") as url:
        paths = []
        for number in range(WAITS):
            (Path(folder) / str(number)).mkdir()
            paths.append(write_results(Path(folder) / str(number), MESSAGES))
        os.environ[CONNECTION] = f'{{"conn_type":"osonsms","host":"{url}","login":"demo","password":"salt"}}'
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
