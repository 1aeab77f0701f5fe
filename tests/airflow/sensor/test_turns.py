"""Work of many triggers in threads: one at a time, and nobody waits for a storage that hangs."""

import asyncio
import gc
import threading
import weakref

import pytest

from airflow_provider_osonsms.triggers import turns
from airflow_provider_osonsms.triggers.turns import run_in_turn


def test_one_at_a_time():
    """Work that computes never runs beside other work; each caller gets its own result."""
    running, most = 0, 0

    def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threading.Event().wait(0.01)
        running -= 1
        return number

    async def main() -> list[int]:
        return await asyncio.gather(*(run_in_turn(work, number) for number in range(5)))

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]
    assert most == 1


def test_a_storage_that_hangs_holds_nobody(monkeypatch):
    """Who has waited long enough begins, although the one before is not at its end."""
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    goes_on = threading.Event()

    async def main() -> list[str]:
        hanging = asyncio.create_task(run_in_turn(lambda: goes_on.wait(60) and "hung"))
        await asyncio.sleep(0)
        others = await asyncio.gather(*(run_in_turn(lambda: "read") for _ in range(3)))
        assert not hanging.done()
        goes_on.set()
        return [*others, await hanging]

    assert asyncio.run(main()) == ["read", "read", "read", "hung"]


def test_an_error_gives_the_turn_back():
    """Work that fails, and work that is cancelled, leaves the next turn to others at once."""

    def fail() -> None:
        raise LookupError("a storage of its own")

    async def main() -> str:
        with pytest.raises(LookupError):
            await run_in_turn(fail)
        cancelled = asyncio.create_task(run_in_turn(lambda: None))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        async with asyncio.timeout(turns.PATIENCE / 2):
            return await run_in_turn(lambda: "read")

    assert asyncio.run(main()) == "read"


def test_each_loop_has_turns_of_its_own():
    """A process that runs a second event loop, as dag.test() does, waits for nothing of the first."""
    assert [asyncio.run(run_in_turn(lambda: "read")) for _ in range(2)] == ["read", "read"]


def test_a_loop_that_is_closed_is_forgotten():
    """Those who had to wait for their turn leave nothing behind when their loop ends."""

    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        await asyncio.gather(*(run_in_turn(lambda: "read") for _ in range(3)))
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(main())
    gc.collect()

    assert loop() is None
