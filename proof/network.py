"""A network that can be cut: a TCP forwarder between workers and gateway."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Self


class Network:
    """Forwards a port of 127.0.0.1 to another while the ``with`` block lasts.

    While it is cut, connections stand and nothing comes through: requests and answers under way are lost.

    Attributes:
        port: Where it listens.
        lost: Pieces of requests and answers that were lost.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.lost = 0
        self._target = target
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="network", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0)).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Let nothing through; afterwards every connection that stood is reset."""
        self._is_cut = True
        try:
            yield
        finally:
            self._run(self._mend()).result()

    def _run(self, coroutine: object) -> "Future[asyncio.Server]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _mend(self) -> None:
        self._is_cut = False
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            gateway_reader, gateway_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ends = {writer, gateway_writer}
            self._writers |= ends
            try:
                await asyncio.gather(self._pump(reader, gateway_writer), self._pump(gateway_reader, writer))
            finally:
                self._writers -= ends
                for end in ends:
                    end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self._is_cut:
                self.lost += 1
            else:
                writer.write(data)
                await writer.drain()
        writer.close()
