"""Workers that share a queue of questions: more of them or fewer, as other waits end or begin."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic

from airflow_provider_osonsms.delivery.share import Share
from airflow_provider_osonsms.protocol.models import T


class Workers(Generic[T]):
    """Ask the questions of one round.

    Args:
        ask: Asks one; returns whether its worker goes on to the next.
        queue: The questions.
        most: Questions under way at once, if the share allows it.
        share: With the other waits.
    """

    def __init__(
        self, ask: Callable[[T], Awaitable[bool]], queue: Iterator[T], *, most: int, share: Share
    ) -> None:
        self._ask = ask
        self._queue = queue
        self._most = most
        self._share = share
        self._working = 0
        self._is_empty = False

    async def run(self) -> None:
        """Ask until the queue is empty, or no worker goes on.

        Raises:
            ExceptionGroup: Of what *ask* has raised; the others were cancelled.
        """
        with self._share:
            async with asyncio.TaskGroup() as group:
                self._fill(group)

    def _fill(self, group: asyncio.TaskGroup) -> None:
        while self._working < min(self._most, self._share.most) and not self._is_empty:
            self._working += 1
            group.create_task(self._work(group))

    async def _work(self, group: asyncio.TaskGroup) -> None:
        for question in self._queue:
            if not await self._ask(question) or self._working > self._share.most:
                break
            self._fill(group)
        else:
            self._is_empty = True
        self._working -= 1
