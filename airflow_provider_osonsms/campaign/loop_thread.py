"""An event loop in a thread of its own: signals meet the main thread only, and sending ends in order."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, Final

import uvloop

_SECONDS_TO_END: Final = 10.0


class LoopThread:
    """Runs one coroutine in a thread while the calling thread waits, and can be told to stop it.

    Args:
        stop: What tells the coroutine to end; called on the loop's thread.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._is_stopped = False

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run *main* to its end; an exception here, a timeout's say, stops it in order first.

        Raises:
            BaseException: What *main* raised, or what came here meanwhile.
        """
        context = contextvars.copy_context()
        thread = Thread(target=context.run, args=(self._serve, main), name="osonsms-campaign", daemon=True)
        thread.start()
        try:
            thread.join()
        except BaseException:
            self.stop()
            thread.join(_SECONDS_TO_END)
            raise
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Tell the coroutine to end; may be called from a signal handler, and when nothing runs."""
        self._is_stopped = True
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._stop)

    def _serve(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def begin() -> None:
            self._loop = asyncio.get_running_loop()
            if self._is_stopped:
                self._stop()
            await main()

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(begin())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            self._error = error
