"""``make scale``: 20 deferrable waits for 50,000 messages each in one event loop, as in a triggerer.

A watcher in the same loop stands for the other triggers: it wants to run each millisecond. The gateway is
`fast_gateway.py` on the other core, and each message is delivered when it is asked for first.
"""

import os
import tempfile
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from campaign import pin, serve
from delivery import write_results
from scale import CONNECTION, defer, run_triggers

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


def main() -> None:
    """Wait, and print how long the others had to."""
    with tempfile.TemporaryDirectory() as folder, serve("0", "delivered") as url:
        paths = []
        for number in range(WAITS):
            (Path(folder) / str(number)).mkdir()
            paths.append(write_results(Path(folder) / str(number), MESSAGES))
        os.environ[CONNECTION] = f'{{"conn_type":"osonsms","host":"{url}","login":"demo","password":"salt"}}'
        pin(1)
        ran = run_triggers([make_trigger(path) for path in paths])
    if ran["delivered"] != WAITS * MESSAGES:
        raise RuntimeError("some were not delivered")
    lateness = [seconds * 1000 for seconds in ran["lateness"]]
    typical, rare = (quantiles(lateness, n=1000)[part] for part in (499, 998))
    print(
        f"{WAITS} waits for {MESSAGES:,} messages each in one loop: {ran['seconds']:.0f} s, "
        f"{ran['megabytes']:.0f} MB. Others were late by {typical:.1f} ms (median), {rare:.0f} ms (one of "
        f"1,000 times), and {max(lateness):.0f} ms (at most; the limit is 100). "
        f"{len(ran['collections'])} full garbage collections, of all that a triggerer holds, took up to "
        f"{max(ran['collections'], default=0) * 1000:.0f} ms each"
    )


if __name__ == "__main__":
    main()
