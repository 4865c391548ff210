"""A file to a socket, so that the event loop is never held by a disk.

The operating system sends it where it can, and no byte of it comes into this process: in slices, with a turn
of the loop after each. Where something stands between file and socket, as TLS does, it is read in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO

from nbfunc.errors import StorageError

PIECE = 1 << 20
# Takes the loop 0.1 ms. Each costs a turn of it: with 256 KiB, 8 clients had a fifth less.
SLICE = 1 << 20
# One look in so many bytes tells whether they are in memory; the system drops and reads ahead by ranges.
LOOK = 256 << 10
# Windows has none.
BY_SYSTEM = hasattr(os, "sendfile")

# Threads of their own: the loop's default ones are few, and may all wait for something slow.
_READERS = ThreadPoolExecutor(8, thread_name_prefix="nbfunc-read")


async def pieces(file: FileIO, start: int, stop: int) -> AsyncIterator[bytes]:
    """Yield the bytes of `file` from `start` to before `stop`, at most 1 MiB at a time; then close it.

    Iterate it in ``async with contextlib.aclosing(pieces(...))``, so that the file is closed when the
    client leaves too.

    Parameters
    ----------
    file : io.FileIO
        As `nbfunc.files.returns.Found.open` returns it; for this alone from now on.
    start, stop : int
        In bytes.

    Raises
    ------
    StorageError
        The file became shorter meanwhile.
    """
    reading: Future[bytes] | None = None
    try:
        while start < stop:
            reading = _READERS.submit(_read, file, start, min(PIECE, stop - start))
            piece = await asyncio.wrap_future(reading)
            if not piece:
                raise _shortened(file, start, stop)
            start += len(piece)
            yield piece
    finally:
        # In a thread: closing the last of a large file that was swept meanwhile frees its blocks. And not
        # under a read that goes on after a cancel: the number could be another file's by then.
        if reading is None or reading.done():
            _READERS.submit(file.close)
        else:
            reading.add_done_callback(lambda _: file.close())


async def send(file: FileIO, start: int, stop: int, connection: socket.socket) -> None:
    """Send the bytes of `file` from `start` to before `stop`; then close it, and not the connection.

    Parameters
    ----------
    file : io.FileIO
        As for `pieces`.
    start, stop : int
        In bytes.
    connection : socket.socket
        A plain one that does not block, and into which nobody else writes meanwhile.

    Raises
    ------
    OSError
        The client is gone.
    StorageError
        The file became shorter meanwhile.
    """
    loop = asyncio.get_running_loop()
    sending: Future[int] | None = None
    # A number of its own: the loop watches the other one already, and it may be closed at any await.
    target = os.dup(connection.fileno())
    _unpaced(connection)
    try:
        while start < stop:
            size = min(SLICE, stop - start)
            try:
                if _in_memory(file, start, size):
                    sent = os.sendfile(target, file.fileno(), start, size)
                    await asyncio.sleep(0)
                else:
                    sending = _READERS.submit(os.sendfile, target, file.fileno(), start, size)
                    sent = await asyncio.wrap_future(sending)
            except BlockingIOError:
                await _until_writable(target, loop)
                continue
            if not sent:
                raise _shortened(file, start, stop)
            start += sent
    finally:
        if sending is not None and not sending.done():
            sending.add_done_callback(lambda _: _close(target, file))
        else:
            _READERS.submit(_close, target, file)


def _in_memory(file: FileIO, start: int, size: int) -> bool:
    """Say whether the system can send this without waiting for a disk, as far as some of its bytes tell."""
    if not hasattr(os, "RWF_NOWAIT"):
        return False
    try:
        return all(
            os.preadv(file.fileno(), [bytearray(1)], at, os.RWF_NOWAIT)
            for at in (*range(start, start + size, LOOK), start + size - 1)
        )
    except OSError:  # not there, or a file system that does not say
        return False


def _unpaced(connection: socket.socket) -> None:
    """Let a client on this very machine, as a proxy is, have its bytes as fast as it takes them.

    Where the system's default is bbr, it spreads them over time, with many timers. That spares a network,
    and here is none: it only took two fifths of the speed.
    """
    if not hasattr(socket, "TCP_CONGESTION") or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    # It is gone, or the system has no reno or gives it to nobody: then at the system's own pace.
    with contextlib.suppress(OSError):
        if connection.getpeername()[0] == connection.getsockname()[0]:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


async def _until_writable(target: int, loop: asyncio.AbstractEventLoop) -> None:
    writable = loop.create_future()
    loop.add_writer(target, writable.cancel)
    try:
        await asyncio.wait([writable])
    finally:
        loop.remove_writer(target)


def _close(target: int, file: FileIO) -> None:
    os.close(target)
    file.close()


def _shortened(file: FileIO, at: int, stop: int) -> StorageError:
    return StorageError(
        f"{file.name!r} ended at {at} bytes while it was sent, before {stop}: "
        "it was changed meanwhile. Run the function again."
    )


def _read(file: FileIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)
