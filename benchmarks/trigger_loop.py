"""Runs triggers in one event loop, in a process that holds what a triggerer holds, and measures that loop.

Reads serialized triggers as JSON, and writes how many messages were delivered, the lateness of a timer that
is due each millisecond, the seconds of each full garbage collection, those of all, and the megabytes.
"""

import asyncio
import gc
import json
import resource
import sys
import time
from importlib import import_module
from typing import Any, Final

import airflow.jobs.triggerer_job_runner  # noqa: F401 - garbage collection takes as long as in a triggerer
from side_by_side import measure_lateness

OLDEST: Final = 2


def make_trigger(class_path: str, arguments: dict[str, Any]) -> Any:
    """Make a trigger again, as a triggerer does."""
    module, _, name = class_path.rpartition(".")
    return getattr(import_module(module), name)(**arguments)


async def run_trigger(trigger: Any) -> int:
    """Run a trigger to its event, and return how many messages were delivered."""
    async for event in trigger.run():
        delivered: int = event.payload["summary"]["delivered"]
        return delivered
    raise RuntimeError("no event")


async def run_all(triggers: list[Any]) -> int:
    """Run all triggers."""
    return sum(await asyncio.gather(*map(run_trigger, triggers)))


def time_collections() -> list[float]:
    """Return a list that is given the seconds of each full garbage collection from now on."""
    took: list[float] = []
    began = 0.0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        elif info["generation"] == OLDEST:
            took.append(time.perf_counter() - began)

    gc.callbacks.append(note)
    return took


def main() -> None:
    """Run them."""
    collections = time_collections()
    triggers = [make_trigger(*serialized) for serialized in json.load(sys.stdin)]
    began = time.perf_counter()
    lateness, delivered = asyncio.run(measure_lateness(run_all(triggers)))
    seconds = time.perf_counter() - began
    ran = {
        "delivered": delivered,
        "lateness": lateness,
        "collections": collections,
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    json.dump(ran, sys.stdout)


if __name__ == "__main__":
    main()
