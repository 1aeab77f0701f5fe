"""Deadlines of many requests with one timer: each ends by its own, and nothing else does."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_osonsms.protocol.errors import OutcomeUnknownError
from airflow_provider_osonsms.transport.asynchronous import AiohttpTransport
from airflow_provider_osonsms.transport.deadlines import Deadlines

LONG = 60.0


def test_each_ends_by_its_own() -> None:
    """One that begins later may end earlier; one that has time left goes on."""

    async def main() -> tuple[list[str], bool]:
        deadlines, ended = Deadlines(), []

        async def work(name: str, seconds: float) -> None:
            try:
                with deadlines.limit(seconds):
                    await asyncio.sleep(LONG)
            except TimeoutError:
                ended.append(name)

        tasks = [
            asyncio.create_task(work(name, seconds))
            for name, seconds in (("long", LONG), ("third", 0.09), ("first", 0.03), ("second", 0.06))
        ]
        await asyncio.gather(*tasks[1:])
        goes_on = not tasks[0].done()
        tasks[0].cancel()
        deadlines.close()
        return ended, goes_on

    assert asyncio.run(main()) == (["first", "second", "third"], True)


def test_what_ends_in_time_is_left_alone() -> None:
    """The same task goes on after its block, beyond the moment at which that would have ended."""

    async def main() -> str:
        deadlines = Deadlines()
        with deadlines.limit(0.02):
            pass
        await asyncio.sleep(0.05)
        with deadlines.limit(LONG):
            await asyncio.sleep(0.02)
        deadlines.close()
        return "went on"

    assert asyncio.run(main()) == "went on"


def test_an_error_of_the_block_stays() -> None:
    """What is raised in time is raised."""

    async def main() -> None:
        deadlines = Deadlines()
        with deadlines.limit(LONG):
            raise LookupError("of the block")

    with pytest.raises(LookupError, match="of the block"):
        asyncio.run(main())


def test_a_task_that_is_cancelled_stays_cancelled() -> None:
    """Who cancels a task is not told that it took too long."""

    async def main() -> None:
        deadlines = Deadlines()

        async def work() -> None:
            with deadlines.limit(LONG):
                await asyncio.sleep(LONG)

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_one_timer_for_many() -> None:
    """A thousand blocks one after the other, and a hundred at a time, set one timer."""

    async def main() -> int:
        loop, timers = asyncio.get_running_loop(), 0
        call_at: Callable[..., Any] = loop.call_at

        def count(*args: Any, **kwargs: Any) -> Any:
            nonlocal timers
            timers += 1
            return call_at(*args, **kwargs)

        loop.call_at = count  # type: ignore[method-assign]
        deadlines = Deadlines()

        async def work() -> None:
            with deadlines.limit(LONG):
                await asyncio.sleep(0)

        for _ in range(1000):
            await work()
        await asyncio.gather(*(work() for _ in range(100)))
        deadlines.close()
        return timers

    assert asyncio.run(main()) == 1


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"])
def test_a_transport_that_is_closed_too_early(
    serve: Callable[..., Any], send: Callable[..., Any], *, reply: Any, data: bytes
) -> None:
    """A request that is under way still ends by its deadline."""
    server = serve(reply(data=data, then="hang"))

    async def main() -> None:
        async with AiohttpTransport() as transport:
            prepared = transport.prepare(send(server.url, timeout=0.3))
            request = asyncio.create_task(transport.exchange(prepared))
            await asyncio.sleep(0.2)
        await asyncio.wait_for(request, 4)

    with pytest.raises(OutcomeUnknownError):
        asyncio.run(main())


def test_no_timer_is_left_behind() -> None:
    """Deadlines that are closed give up their timer: at once, or with the last block that is under way."""

    async def main() -> list[bool]:
        loop, timers = asyncio.get_running_loop(), []
        call_at: Callable[..., Any] = loop.call_at

        def remember(*args: Any, **kwargs: Any) -> Any:
            timers.append(call_at(*args, **kwargs))
            return timers[-1]

        loop.call_at = remember  # type: ignore[method-assign]
        idle, busy = Deadlines(), Deadlines()
        with idle.limit(LONG):
            pass
        idle.close()

        async def overstay() -> None:
            with busy.limit(0.02):
                busy.close()
                await asyncio.sleep(1)

        with pytest.raises(TimeoutError):
            await overstay()
        return [timer.cancelled() or timer.when() <= loop.time() for timer in timers]

    assert set(asyncio.run(main())) == {True}
