"""``make bench``: what a campaign of 100,000 rows takes in memory beyond its audience."""

import tempfile
from pathlib import Path
from typing import Final

import campaign

from airflow_provider_osonsms.audience.audience import prepare_audience
from airflow_provider_osonsms.messages.estimate import estimate_campaign
from airflow_provider_osonsms.messages.source import read_message_source
from airflow_provider_osonsms.protocol.models import Account

MANY: Final = 100_000


def measure_memory(rows: int) -> float:
    """Return the bytes a row by which the process grows at its peak beyond the audience."""
    with campaign.serve("0") as url:
        account = Account(login="demo", secret="salt", api_url=url)
        audience = prepare_audience(campaign.make_people(rows), columns=["name"])
        text = read_message_source(campaign.TEXT, None, is_latin=False, max_parts=None)
        audience, _ = estimate_campaign(audience, text)
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = read_status("VmRSS")
        with tempfile.TemporaryDirectory() as folder:
            run = campaign.make_run(audience, text, concurrency=16, path=Path(folder) / "results.csv")
            run.send(account)
            run.write_results()
        return (read_status("VmHWM") - before) / rows


def read_status(name: str) -> int:
    """Return a figure of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


if __name__ == "__main__":
    measure_memory(100)  # what is imported on the way is no memory of a row
    for _ in range(3):
        each = measure_memory(MANY)
        print(
            f"{MANY:,} rows: {each:.0f} bytes a row beyond the audience at the peak (at most 300)", flush=True
        )
