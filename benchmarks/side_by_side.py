"""Ratios, measured side by side: ours and its peers take turns, each time in a process of its own.

    compare(
        "normalize and deduplicate phones",
        ours=Candidate("this package", normalize, prepare=make_column),
        peers=[Peer("regex with Series.map", normalize_by_regex, prepare=make_column, at_least=6.0)],
        rows=1_000_000,
    )

A B C A B C ...: one round to warm up, then ``BENCH_ROUNDS`` (5) that count. A ratio is the median of the
ratios of single rounds, so a machine that slows down for a while slows down both sides of it. A missed target
is printed and fails nothing: machines are noisy.
"""

import asyncio
import ctypes
import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from math import isnan, nan
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal, NamedTuple, TypeVar

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "5"))
T = TypeVar("T")
_CLEAR_REFS: Final = Path("/proc/self/clear_refs")
_STATUS: Final = Path("/proc/self/status")
_RESET_PEAK: Final = "5"


async def measure_lateness(work: Coroutine[Any, Any, T]) -> tuple[list[float], T]:
    """Do *work* beside a timer that is due each millisecond; return its lateness each time, and the result.

    So many seconds have others in the same loop to wait.
    """
    over, lateness = asyncio.create_task(work), []
    while not over.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        lateness.append(time.perf_counter() - before - 0.001)
    return lateness, over.result()


class Cost(NamedTuple):
    """What one call costs: seconds, and the bytes by which its process grew at most (NaN: not measured)."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something to measure.

    Attributes:
        call: What is measured; its only argument is what *prepare* has made, none without *prepare*.
        prepare: Runs before the measurement in the same process. Make the input here if it consists of Python
            objects (after a fork the first touch copies their pages) or belongs to a library with threads
            (which do not survive a fork).
        rows: How many rows one call handles, if not as many as the others; its figures are scaled.
    """

    name: str
    call: Callable[..., object]
    prepare: Callable[[], Any] | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Peer(Candidate):
    """Something to measure ours against.

    Attributes:
        at_least: How many times the time of ours its time should be.
        memory_at_least: The same for the extra peak memory.
    """

    at_least: float | None = None
    memory_at_least: float | None = None


def compare(
    title: str,
    *,
    ours: Candidate,
    peers: Sequence[Peer],
    rows: int,
    figure: Literal["wall", "cpu"] = "wall",
    max_bytes_per_row: float | None = None,
    rounds: int = ROUNDS,
) -> None:
    """Measure all in turn; print medians, ratios of *figure* and memory, and which targets are reached."""
    everybody = [ours, *peers]
    for candidate in everybody:
        measure(candidate)
    taken = [
        [_scale(measure(candidate), candidate, rows=rows) for candidate in everybody] for _ in range(rounds)
    ]
    own, *others = zip(*taken, strict=True)

    print(f"\n{title}: {rows:,} rows, medians of {rounds} rounds")
    _print_costs(ours, own)
    for peer, theirs in zip(peers, others, strict=True):
        _print_costs(peer, theirs)
        _print_ratio(f"{figure} time", _ratio(figure, theirs, own), peer.at_least)
        _print_ratio("memory", _ratio("memory", theirs, own), peer.memory_at_least)
    if max_bytes_per_row is not None:
        used = median(cost.memory for cost in own) / rows
        verdict = _judge(used, is_reached=used <= max_bytes_per_row)
        print(
            f"  {ours.name}: {used:.0f} extra bytes per row; target at most {max_bytes_per_row:g}: {verdict}"
        )


def measure(candidate: Candidate) -> Cost:
    """Measure one call in a forked process.

    Raises:
        RuntimeError: the call failed; its traceback is on stderr.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure_here, args=(candidate, sender))
    process.start()
    sender.close()
    try:
        return Cost(*receiver.recv())
    except EOFError:
        raise RuntimeError(f"{candidate.name} failed") from None
    finally:
        process.join()


def _measure_here(candidate: Candidate, sender: Connection) -> None:
    arguments = () if candidate.prepare is None else (candidate.prepare(),)
    gc.collect()
    before = _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    result = candidate.call(*arguments)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = before if isnan(before) else _read_status("VmHWM") - before
    del result  # alive until here: what is returned is part of the memory
    sender.send((wall, cpu, memory))


def _reset_peak() -> float:
    """Return how large this process is, from here on its peak; NaN where the system is not Linux."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # or what was freed before would be used again, uncounted
        _CLEAR_REFS.write_text(_RESET_PEAK)
        return _read_status("VmRSS")
    except (AttributeError, OSError):
        return nan


def _read_status(field: str) -> float:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith(f"{field}:"))


def _scale(cost: Cost, candidate: Candidate, *, rows: int) -> Cost:
    factor = rows / (candidate.rows or rows)
    return Cost(*(amount * factor for amount in cost))


def _ratio(figure: str, theirs: Sequence[Cost], own: Sequence[Cost]) -> float:
    pairs = zip(theirs, own, strict=True)
    return median(float(getattr(its, figure)) / (getattr(mine, figure) or nan) for its, mine in pairs)


def _print_costs(candidate: Candidate, costs: Sequence[Cost]) -> None:
    wall, cpu, memory = map(median, zip(*costs, strict=True))
    name = candidate.name if candidate.rows is None else f"{candidate.name} ({candidate.rows:,} rows, scaled)"
    print(f"  {name:<44}{wall:>9.3f} s wall{cpu:>9.3f} s CPU{memory / 1e6:>8.0f} MB extra", flush=True)


def _print_ratio(what: str, ratio: float, target: float | None) -> None:
    verdict = "" if target is None else f"; target {target:g}: {_judge(ratio, is_reached=ratio >= target)}"
    print(f"    {ratio:>6.1f} x our {what}{verdict}")


def _judge(value: float, *, is_reached: bool) -> str:
    if isnan(value):
        return "not measured"
    return "reached" if is_reached else "NOT reached"
