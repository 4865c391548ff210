"""A wire to a gateway that can be cut, held and mended while it is used."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 64 << 10


class Wire:
    """Passes bytes on between clients of `port` and another port of this machine.

    Attributes
    ----------
    port : int
        Where clients connect.
    cuts : int
        How often it was cut so far.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.cuts = 0
        self._target = target
        self._cut_after: list[int] = []
        self._passed = 0
        self._is_down = False
        self._cut = threading.Condition()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire")

    def start(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", self.port), self._loop
        ).result()
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut_after(self, *sizes: int) -> None:
        """Cut all connections each time when so many more bytes have passed, in both directions together."""
        self._cut_after = list(sizes)
        self._passed = 0

    def cut(self) -> None:
        """Cut all connections now."""
        asyncio.run_coroutine_threadsafe(self._cut_all(), self._loop).result()

    def take_down(self) -> None:
        """Cut all connections, and let there be no new ones."""
        self._is_down = True
        self.cut()

    def mend(self) -> None:
        """Let there be connections again."""
        self._is_down = False

    def wait_for_cuts(self, number: int) -> None:
        """Wait until it was cut so often."""
        with self._cut:
            assert self._cut.wait_for(lambda: self.cuts >= number, 60), f"{self.cuts} cuts of {number}"

    async def _stop(self) -> None:
        self._server.close()
        await self._cut_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()
        with self._cut:
            self.cuts += 1
            self._cut.notify_all()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._is_down:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            return
        finally:
            if self._is_down:
                writer.transport.abort()
        self._open |= {writer, back}
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self._open -= {writer, back}
            writer.transport.abort()
            back.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                self._passed += len(piece)
                if self._cut_after and self._passed >= self._cut_after[0]:
                    self._passed -= self._cut_after.pop(0)
                    await self._cut_all()
                    return
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


@contextmanager
def wire_to(target: int) -> Iterator[Wire]:
    """A wire for as long as the block lasts."""
    wire = Wire(target)
    wire.start()
    try:
        yield wire
    finally:
        wire.stop()
