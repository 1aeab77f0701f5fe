"""``make bench``: the simulator with all checks and its ledger, against servers that answer a constant.

Each server runs in a process of its own on one core, the load comes from the other one: requests written
beforehand, over kept-alive connections. A B C A B C ...: medians of the ratios of single rounds.
"""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import quote, urlsplit

from airflow_provider_osonsms.protocol.signing import sign_send
from airflow_provider_osonsms.simulator import GatewayBackend, SimAccount

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "5"))
REQUESTS: Final = 6_000
CONNECTIONS: Final = 16
MESSAGES: Final = 1_000_000
TEXT: Final = "Салом, мизоҷи азиз! Фармоиши шумо омода аст. Ташаккур!"
MODULE: Final = "airflow_provider_osonsms.simulator"
SIMULATOR: Final = [sys.executable, "-m", MODULE, "--port", "0", "--account", "demo:salt", "--balance", "1e9"]
AIOHTTP: Final = """
import asyncio
from aiohttp import web
BODY = b'{"status": "ok", "timestamp": "2026-11-24 12:00:00", "txn_id": "x", "msg_id": 1}'
async def answer(request):
    return web.Response(status=201, body=BODY, content_type="application/json")
async def main():
    app = web.Application()
    app.router.add_get("/sendsms_v1.php", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("http://127.0.0.1:%d" % runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def pin(core: int) -> None:
    """Keep this process on one core, where there are several."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


@contextmanager
def serve(command: list[str]) -> Iterator[str]:
    """Run a server that prints its address first."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: pin(0)) as process:  # noqa: PLW1509
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http"))
        finally:
            process.terminate()


def write_requests(netloc: str, *, seed: str) -> list[bytes]:
    """Write requests with right hashes and fresh txn_ids."""
    written = []
    for number in range(REQUESTS):
        txn_id, phone = f"{seed}{number:026x}", f"9929{number:08}"
        digest = sign_send(txn_id=txn_id, login="demo", sender="SHOP", phone=phone, secret="salt")
        target = (
            f"/sendsms_v1.php?from=SHOP&phone_number={phone}&msg={quote(TEXT)}&login=demo&txn_id={txn_id}"
        )
        written.append(f"GET {target}&str_hash={digest} HTTP/1.1\r\nHost: {netloc}\r\n\r\n".encode())
    return written


async def load(url: str, requests: list[bytes]) -> None:
    """Send every request once, a few at a time; each must be answered 201."""
    address, rest = urlsplit(url), iter(requests)

    async def work() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for request in rest:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 201"):
                raise RuntimeError(f"{head[:40]!r} instead of 201")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


def measure_rates() -> None:
    """Print requests per second and the ratio."""
    pin(1)
    with serve(SIMULATOR) as ours, serve([sys.executable, "-c", AIOHTTP]) as bare:
        rates: dict[str, list[float]] = {ours: [], bare: []}
        busy = 0.0
        for number in range(ROUNDS + 1):
            for url in (ours, bare):
                requests = write_requests(urlsplit(url).netloc, seed=f"{number:06x}")
                began, cpu = time.perf_counter(), time.process_time()
                asyncio.run(load(url, requests))
                seconds = time.perf_counter() - began
                busy = max(busy, (time.process_time() - cpu) / seconds)
                if number:
                    rates[url].append(REQUESTS / seconds)
    ratio = median(one / other for one, other in zip(rates[ours], rates[bare], strict=True))
    print(f"simulator: {median(rates[ours]):,.0f} messages a second, checked and kept")
    print(f"bare aiohttp with a constant answer: {median(rates[bare]):,.0f}; ratio {ratio:.2f} (target 0.5)")
    print(f"the load's own core was busy for {busy:.0%} at most\n")


def measure_memory() -> None:
    """Print how many bytes a message takes."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    backend = GatewayBackend(SimAccount(login="demo", secret="salt", balance=Decimal(10**9)))
    before, began = resident(), time.perf_counter()
    for number in range(MESSAGES):
        query = {"from": "SHOP", "phone_number": f"9929{number:08}", "msg": TEXT, "login": "demo"}
        txn_id = f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"
        backend.send({**query, "txn_id": txn_id}, authorization="Bearer salt")
    seconds = time.perf_counter() - began
    if backend.totals["messages"] != MESSAGES:
        raise RuntimeError("messages are missing")
    size = (resident() - before) / MESSAGES
    each = seconds / MESSAGES * 1e6
    print(f"{MESSAGES:,} messages held in {size:.0f} bytes each (target 500), {each:.0f} us each")


if __name__ == "__main__":
    measure_rates()
    process = multiprocessing.Process(target=measure_memory)
    process.start()
    process.join()
    sys.exit(process.exitcode)
