"""Files between a server and a kernel that share no disk: in blocks, a few asked for at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

from nbfunc.hosts.protocol import BLOCK, BLOCKS_ASKED


async def pulled(
    read: Callable[[int], Awaitable[bytes]], size: int, *, block: int = BLOCK, asked: int = BLOCKS_ASKED
) -> AsyncIterator[bytes]:
    """Yield a file's content.

    Parameters
    ----------
    read : callable
        Returns the block that begins at an offset.
    size : int
        Of the file, in bytes.
    block : int
        Bytes of a block; the last may have less.
    asked : int
        How many blocks are asked for at once.

    Raises
    ------
    EOFError
        The other side has another number of bytes than it said.
    """
    under_way: deque[asyncio.Future[bytes]] = deque()
    offsets = iter(range(0, size, block))
    expected = size
    try:
        while True:
            while len(under_way) < asked and (offset := next(offsets, None)) is not None:
                under_way.append(asyncio.ensure_future(read(offset)))
            if not under_way:
                return
            content = await under_way.popleft()
            if len(content) != min(block, expected):
                raise EOFError("the file has another size than it was said to have")
            expected -= len(content)
            yield content
    finally:
        for future in under_way:
            future.cancel()


def blocking(pieces: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """Yield what comes on an event loop, in a thread that waits for it."""

    async def following() -> bytes | None:
        return await anext(pieces, None)

    while (piece := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
        yield piece


async def push(
    path: Path,
    write: Callable[[int, bytes], Awaitable[object]],
    in_thread: Callable[[Callable[[], bytes]], Awaitable[bytes]],
    *,
    block: int = BLOCK,
    sent: int = BLOCKS_ASKED,
) -> None:
    """Send a file's content.

    Parameters
    ----------
    path : Path
        The file.
    write : callable
        Sends the block that begins at an offset, and waits until it is there; of an empty file an empty one.
    in_thread : callable
        Calls what blocks.
    block : int
        Bytes of a block.
    sent : int
        How many blocks are on their way at once.
    """
    with path.open("rb") as file:
        under_way: deque[asyncio.Future[object]] = deque()
        offset = 0
        try:
            while (content := await in_thread(lambda: file.read(block))) or offset == 0:
                sending: asyncio.Future[object] = asyncio.ensure_future(write(offset, content))
                if offset == 0:
                    await sending  # it makes the file
                under_way.append(sending)
                offset += len(content)
                if not content:
                    break
                if len(under_way) >= sent:
                    await under_way.popleft()
            while under_way:
                await under_way.popleft()
        finally:
            for sending in under_way:
                sending.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await sending
