"""A wire that breaks where it is told to, between a real client and the server."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

PIECE = 64 << 10

How: TypeAlias = Literal["closed", "reset", "client killed"]


@dataclass(frozen=True)
class Cut:
    """Where a connection breaks: after so many bytes to the client."""

    after: int
    how: How


class Relay:
    """Passes bytes on. Each connection takes the next cut, until none is left: then all pass.

    Attributes
    ----------
    port : int
        Where clients connect.
    made : list of Cut
        Those that were met; a client may end before it meets all.
    """

    def __init__(self, target: int, cuts: Sequence[Cut], kill: Callable[[], None]) -> None:
        self.port = 0
        self.made: list[Cut] = []
        self._target = target
        self._cuts = list(cuts)
        self._kill = kill
        self._tasks: list[asyncio.Future[None]] = []
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="relay")

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._over.wait()
            server.close()
            # A connection that was accepted just now is a task in three turns.
            for _ in range(3):
                await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.append(asyncio.ensure_future(self._pass_on(reader, writer)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cut = self._cuts.pop(0) if self._cuts else None
        with aborting(writer):
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            with aborting(back):
                asking = asyncio.create_task(_pump(reader, back))
                try:
                    if await _pump(there, writer, cut.after if cut else None) and cut:
                        self.made.append(cut)
                        if cut.how == "client killed":
                            self._kill()
                        elif cut.how == "reset":
                            _reset(writer)
                finally:
                    asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None = None) -> bool:
    """Pass bytes on until their end; return whether `most` of them came first."""
    left = most
    with suppress(OSError):
        while left != 0:
            piece = await reader.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                if most is None and writer.can_write_eof():
                    writer.write_eof()
                return False
            writer.write(piece)
            await writer.drain()
            left = None if left is None else left - len(piece)
        return True
    return False


@contextmanager
def aborting(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Close a connection at the end, whatever still waits to be sent."""
    try:
        yield
    finally:
        writer.transport.abort()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Let the close that comes be a reset, as of a router that forgot the connection."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def cutting(target: int, cuts: Sequence[Cut], kill: Callable[[], None]) -> Iterator[Relay]:
    """Pass bytes on to a port of this machine, breaking connections at `cuts`."""
    relay = Relay(target, cuts, kill)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()
