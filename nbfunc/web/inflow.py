"""Bytes from the event loop to an upload on disk: in threads, a piece at a time, with back pressure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

PIECE = 1 << 20

T = TypeVar("T")


class Writer(Protocol):
    """Where an upload's bytes go."""

    def write(self, data: bytes, /) -> object:
        """Write the next bytes; blocks."""


class Inflow:
    """The way of one upload to its file.

    While one piece is written the next one is collected; a third makes the sender wait.

    Parameters
    ----------
    open_writer : callable
        Returns the writer, as a context manager; called in a thread, with the first piece.
    in_thread : callable
        Calls what blocks, in a thread.
    """

    def __init__(
        self,
        open_writer: Callable[[], AbstractContextManager[Writer]],
        in_thread: Callable[[Callable[[], None]], asyncio.Future[None]],
    ) -> None:
        self._open_writer = open_writer
        self._in_thread = in_thread
        self._context: AbstractContextManager[Writer] | None = None
        self._writer: Writer | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._writing: asyncio.Future[None] | None = None

    async def write(self, data: bytes) -> None:
        """Take bytes; raise what writing earlier ones raised."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= PIECE:
            await self._settle()
            self._writing = self._in_thread(self._turn())

    async def close(self) -> None:
        """Write the rest and close the file; raise what writing raised, the file closed all the same."""
        try:
            await self._settle()
            await self._in_thread(self._turn())
        finally:
            await self._in_thread(self._leave)

    async def abort(self) -> None:
        """Close the file as it is."""
        self._pieces.clear()
        if self._writing is not None:
            await asyncio.wait([self._writing])
            self._writing.exception()
        await self._in_thread(self._leave)

    async def _settle(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    def _turn(self) -> Callable[[], None]:
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0

        def turn() -> None:
            if self._writer is None:
                self._context = self._open_writer()
                self._writer = self._context.__enter__()
            if data:
                self._writer.write(data)

        return turn

    def _leave(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.__exit__(None, None, None)
