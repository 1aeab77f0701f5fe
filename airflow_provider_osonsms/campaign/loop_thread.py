"""An event loop in a thread of its own: signals meet the main thread only, and sending ends in order.

Airflow stops a task by a signal, whose handler raises in the main thread. Were the requests sent there, the
exception would come up in the middle of one, and its answer would be lost.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Final

from airflow_provider_osonsms.protocol.errors import OsonSmsError

_SECONDS_TO_END: Final = 10.0


class CampaignStoppedError(OsonSmsError):
    """The task was told to stop; a later try goes on."""


class Stop:
    """Tells a coroutine to end, and why: the first cause counts.

    It may be set from any thread and from a signal handler, also before the loop runs.

    Attributes:
        cause: Why; None until it is set.
    """

    def __init__(self) -> None:
        self.cause: OsonSmsError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    @property
    def is_set(self) -> bool:
        """Whether there is a cause to end."""
        return self.cause is not None

    def set(self, cause: OsonSmsError) -> None:
        """Tell the coroutine to end because of *cause*."""
        if self.cause is None:
            self.cause = cause
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._event.set)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Tell the coroutine to end when the block fails, too."""
        try:
            yield
        except BaseException:
            self.set(CampaignStoppedError("a worker failed"))
            raise

    def attach(self) -> None:
        """Belong to the running event loop from now on."""
        self._loop = asyncio.get_running_loop()
        if self.is_set:
            self._event.set()

    async def wait(self) -> None:
        """Wait until it is set."""
        await self._event.wait()


def run_in_thread(main: Callable[[], Coroutine[Any, Any, None]], stop: Stop) -> None:
    """Run *main* to its end on a loop of its own, while the calling thread waits.

    Args:
        main: Ends soon after *stop* is set.
        stop: Set when an exception, a timeout's say, comes up in the calling thread.

    Raises:
        BaseException: What *main* raised, or what came up here meanwhile.
    """
    errors: list[BaseException] = []
    # An event of our own is waited for: up to Python 3.12 a join that an exception has interrupted takes the
    # thread for ended, and the journal would be closed while answers still come.
    ended = Event()

    def serve() -> None:
        try:
            _serve(main, stop, errors)
        finally:
            ended.set()

    context = contextvars.copy_context()
    thread = Thread(target=context.run, args=(serve,), name="osonsms-campaign", daemon=True)
    try:
        thread.start()
        ended.wait()
    except BaseException:
        stop.set(CampaignStoppedError("the task was stopped"))
        ended.wait(_SECONDS_TO_END)
        raise
    if errors:
        raise errors[0]


def _serve(main: Callable[[], Coroutine[Any, Any, None]], stop: Stop, errors: list[BaseException]) -> None:
    import uvloop  # a third faster; not when a DAG file is parsed

    async def begin() -> None:
        stop.attach()
        await main()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(begin())
    except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
        errors.append(error)
