"""``make bench``: a campaign's send loop against a bare aiohttp loop and against what people write today.

The gateway is `fast_gateway.py` on one core, the client runs on the other, each measurement in a process of
its own, in turns. Ratios are medians of those of single rounds.
"""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp
import pandas as pd
import requests
from yarl import URL

from airflow_provider_osonsms.audience.audience import Audience, prepare_audience
from airflow_provider_osonsms.campaign.journal import CampaignJournal
from airflow_provider_osonsms.campaign.plan import CampaignPlan, SendOptions
from airflow_provider_osonsms.campaign.result_parts import ResultParts
from airflow_provider_osonsms.campaign.run import CampaignRun
from airflow_provider_osonsms.campaign.store_chunks import StoreChunks
from airflow_provider_osonsms.messages.estimate import estimate_campaign
from airflow_provider_osonsms.messages.source import MessageSource, read_message_source
from airflow_provider_osonsms.protocol.build import build_send
from airflow_provider_osonsms.protocol.history import TxnIdHistory
from airflow_provider_osonsms.protocol.models import Account, Message
from airflow_provider_osonsms.protocol.txn_ids import TxnIdSeries

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "3"))
GATEWAY: Final = [sys.executable, str(Path(__file__).with_name("fast_gateway.py"))]
TEXT: Final = "Салом, {name}! Фармоиши шумо омода аст. Ташаккур!"
JOURNAL_SECONDS: Final = 0.015


class SlowStore:
    """Takes as long as Airflow's state store does for each value."""

    is_lasting = True

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """Return the value of *key*."""
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        """Keep a value, after a while."""
        time.sleep(JOURNAL_SECONDS)
        self._values[key] = value


def make_people(rows: int) -> pd.DataFrame:
    """Make an audience."""
    return pd.DataFrame(
        {"phone": [f"9929{row:08}" for row in range(rows)], "name": [f"Мизоҷ {row}" for row in range(rows)]}
    )


def make_run(
    audience: Audience, source: MessageSource, *, concurrency: int, path: Path | None
) -> CampaignRun:
    """Make the one try of a campaign, with state store and results table where there is a *path*."""
    parts = None if path is None else ResultParts(path, campaign="bench")
    backends = [] if parts is None else [StoreChunks(SlowStore(), store_key="bench", try_number=1), parts]
    return CampaignRun(
        CampaignPlan(
            campaign_id="bench",
            audience=audience,
            source=source,
            txn_ids=TxnIdSeries("bench", "run", "task", ""),
            options=SendOptions(sender="SHOP", concurrency=concurrency),
        ),
        journal=CampaignJournal(backends, history=TxnIdHistory.UNUSED),
        try_number=1,
        clock=lambda: datetime.now(UTC),
        results_path=path,
        parts=parts,
    )


def send_campaign(url: str, rows: int, concurrency: int, *, is_noted: bool = True) -> float:
    """Send with this package: seconds, from the first row to the written results."""
    account = Account(login="demo", secret="salt", api_url=url)
    audience = prepare_audience(make_people(rows), columns=["name"])
    text = read_message_source(TEXT, None, is_latin=False, max_parts=None)
    audience, _ = estimate_campaign(audience, text)  # as the operator does before it sends
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(
            audience, text, concurrency=concurrency, path=Path(folder) / "results.csv" if is_noted else None
        )
        run.send(account)
        run.write_results()
    seconds = time.perf_counter() - began
    if run.count_outcomes()["accepted"] != rows:
        raise RuntimeError("some were not accepted")
    return seconds


def send_campaign_without_notes(url: str, rows: int, concurrency: int) -> float:
    """Send with this package, without journal and results."""
    return send_campaign(url, rows, concurrency, is_noted=False)


def send_bare(url: str, rows: int, concurrency: int) -> float:
    """Send the same GETs, built beforehand, with an aiohttp session and a pool of workers: seconds."""
    account = Account(login="demo", secret="salt", api_url=url)
    urls = [
        build_send(
            Message(
                phone=f"9929{row:08}",
                text=TEXT.format(name=f"Мизоҷ {row}"),
                sender="SHOP",
                txn_id=f"{row:032x}",
            ),
            account,
        ).url
        for row in range(rows)
    ]

    async def main() -> float:
        waiting = iter(urls)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

            async def work() -> None:
                for target in waiting:
                    async with session.get(URL(target, encoded=True)) as answer:
                        await answer.read()

            began = time.perf_counter()
            await asyncio.gather(*(work() for _ in range(concurrency)))
            return time.perf_counter() - began

    return asyncio.run(main())


def send_with_requests(url: str, rows: int, concurrency: int) -> float:  # noqa: ARG001
    """Send as people do today, with requests.Session, one after the other: seconds."""
    session, people = requests.Session(), make_people(rows)
    began = time.perf_counter()
    for row, person in enumerate(people.itertuples()):
        txn_id = f"{row:032x}"
        fields = f"{txn_id};demo;SHOP;{person.phone};salt"
        params = {
            "from": "SHOP",
            "phone_number": person.phone,
            "msg": TEXT.format(name=person.name),
            "login": "demo",
            "txn_id": txn_id,
            "str_hash": sha256(fields.encode()).hexdigest(),
        }
        session.get(f"{url}/sendsms_v1.php", params=params, timeout=10).json()
    return time.perf_counter() - began


def pin(core: int) -> None:
    """Keep this process on one core, where there are several."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


@contextmanager
def serve(*options: str) -> Iterator[str]:
    """Run the gateway on the first core."""
    command = [*GATEWAY, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: pin(0)) as process:  # noqa: PLW1509
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measure(send: Callable[[str, int, int], float], url: str, rows: int, concurrency: int) -> float:
    """Measure in a fresh process on the second core: rows per second."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def work() -> None:
        pin(1)
        sender.send(send(url, rows, concurrency))

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    seconds = receiver.recv()
    process.join()
    return rows / seconds


def compare(
    title: str,
    options: tuple[str, ...],
    *,
    ours: Callable[[str, int, int], float],
    peer: Callable[[str, int, int], float],
    rows: tuple[int, int],
    concurrency: int,
    target: float,
) -> None:
    """Print both rates and their ratio; *rows* are ours and the peer's."""
    with serve(*options) as url:
        rates = [
            (measure(ours, url, rows[0], concurrency), measure(peer, url, rows[1], concurrency))
            for _ in range(ROUNDS + 1)
        ][1:]
    ratio = median(one / other for one, other in rates)
    one, other = (median(side) for side in zip(*rates, strict=True))
    print(f"{title}: {one:,.0f} and {other:,.0f} a second, ratio {ratio:.2f} (target {target})", flush=True)


def main() -> None:
    """Compare."""
    for latency, concurrency, rows, target in (
        ("0", 16, 20_000, 0.75),
        ("0", 64, 20_000, 0.75),
        ("20", 16, 4_000, 0.9),
        ("20", 64, 12_000, 0.9),
    ):
        compare(
            f"{latency} ms, concurrency {concurrency}: campaign against bare aiohttp",
            (latency,),
            ours=send_campaign,
            peer=send_bare,
            rows=(rows, rows),
            concurrency=concurrency,
            target=target,
        )
    for latency, rows, target in (("0", (20_000, 4_000), 4.0), ("20", (4_000, 150), 12.0)):
        compare(
            f"{latency} ms, concurrency 16: campaign against requests.Session",
            (latency,),
            ours=send_campaign,
            peer=send_with_requests,
            rows=rows,
            concurrency=16,
            target=target,
        )
    for latency, rows, target in (("20", 4_000, 0.95), ("0", 20_000, 0.85)):
        compare(
            f"{latency} ms, concurrency 16: with journal and results against without",
            (latency,),
            ours=send_campaign,
            peer=send_campaign_without_notes,
            rows=(rows, rows),
            concurrency=16,
            target=target,
        )
    mean = (95 * 0.02 + 4 * 0.1 + 0.5) / 100
    with serve("20", "tail") as url:
        rate = median(measure(send_campaign, url, 20_000, 64) for _ in range(ROUNDS))
    share = rate * mean / 64
    print(f"a tail to 500 ms, concurrency 64: {rate:,.0f} a second, {share:.2f} of the ideal (target 0.8)")


if __name__ == "__main__":
    main()
