"""``make bench``: a trigger's watch over 100,000 messages against a bare aiohttp loop asking the same.

Memory, CPU per question and the longest time that the event loop was blocked; the gateway is
`fast_gateway.py` on the other core. CPU is that of the client's process, each measurement in a process of its
own, in turns.
"""

import asyncio
import csv
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp
from campaign import pin, serve
from side_by_side import Candidate, measure, measure_lateness
from yarl import URL

from airflow_provider_osonsms.client.asynchronous import open_async_client
from airflow_provider_osonsms.client.blocking import make_nonce
from airflow_provider_osonsms.delivery.inputs import TrackedMessages
from airflow_provider_osonsms.delivery.tracker import DeliveryTracker
from airflow_provider_osonsms.protocol.build import build_query
from airflow_provider_osonsms.protocol.models import Account
from airflow_provider_osonsms.tables.results import ResultsTable

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "3"))
MESSAGES: Final = 100_000
QUESTIONS: Final = 20_000
CONCURRENCY: Final = 16
FIRST: Final = 163_000_000


def write_results(folder: Path, rows: int) -> Path:
    """Write the results table of a campaign."""
    path = folder / f"results-{rows}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "key", "phone", "outcome", "reason", "txn_id", "msg_id", "parts"])
        for row in range(rows):
            phone = f"9929{row:08}"
            writer.writerow([row, phone, phone, "accepted", "", f"{row:032x}", FIRST + row, 1])
    return path


async def ask_with_watch(url: str, path: Path) -> None:
    """Ask once for every message of the table, as the trigger does."""
    messages = TrackedMessages(msg_ids=(), sources=(ResultsTable(path=str(path)),))
    loaded = await asyncio.to_thread(messages.load, Path)
    tracker = DeliveryTracker(loaded.msg_ids, untracked=loaded.untracked, concurrency=CONCURRENCY)
    account = Account(login="demo", secret="salt", api_url=url)
    async with open_async_client(account, max_connections=CONCURRENCY) as client:
        await tracker.poll(client)
    await asyncio.to_thread(tracker.dump, "wait")
    tracker.decide(deadline=time.time(), needs_answers=True)
    if tracker.summarize().delivered != len(loaded.msg_ids):
        raise RuntimeError("some were not delivered")


async def measure_blocking(url: str, path: Path) -> float:
    """Ask with a watch: the longest block of the loop in seconds."""
    lateness, _ = await measure_lateness(ask_with_watch(url, path))
    return max(lateness)


async def ask_bare(url: str, path: Path) -> float:
    """Ask the same with GETs that were written beforehand."""
    account = Account(login="demo", secret="salt", api_url=url)
    with path.open() as file:
        rows = sum(1 for _ in file) - 1
    urls = [build_query(str(FIRST + row), account, nonce=make_nonce()).url for row in range(rows)]
    waiting = iter(urls)
    began = time.process_time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:

        async def work() -> None:
            for target in waiting:
                async with session.get(URL(target, encoded=True)) as answer:
                    await answer.read()

        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    return time.process_time() - began


def ask_and_count(url: str, path: Path) -> float:
    """Ask with a watch: CPU seconds, of reading the table too."""
    began = time.process_time()
    asyncio.run(ask_with_watch(url, path))
    return time.process_time() - began


def run_apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what *work* returns in a fresh process on the second core."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        pin(1)
        sender.send(work(*arguments))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    sender.close()  # of this side: the end of a process that has failed is noticed
    result = receiver.recv()
    process.join()
    return result


def main() -> None:
    """Compare."""
    with tempfile.TemporaryDirectory() as folder, serve("0", "delivered") as url:
        small, large = (write_results(Path(folder), rows) for rows in (QUESTIONS, MESSAGES))
        costs = [
            (
                run_apart(ask_and_count, url, small),
                run_apart(lambda: asyncio.run(ask_bare(url, small))),
            )
            for _ in range(ROUNDS + 1)
        ][1:]
        ratio = median(ours / bare for ours, bare in costs)
        ours, bare = (median(side) * 1e6 / QUESTIONS for side in zip(*costs, strict=True))
        print(
            f"CPU per question: {ours:.0f} and {bare:.0f} us of bare aiohttp, ratio {ratio:.2f} (target 1.25)"
        )
        blocked = median(run_apart(lambda: asyncio.run(measure_blocking(url, large))) for _ in range(ROUNDS))
        print(f"{MESSAGES:,} messages: the loop was blocked for at most {blocked * 1000:.0f} ms (at most 50)")
        grown = [
            measure(Candidate("watch", lambda path=path: asyncio.run(ask_with_watch(url, path)))).memory
            for path in (write_results(Path(folder), 1000), large)
        ]
        each = (grown[1] - grown[0]) / (MESSAGES - 1000)
        print(f"{MESSAGES:,} messages: {each:.0f} extra bytes a message (at most 120)", flush=True)


if __name__ == "__main__":
    main()
