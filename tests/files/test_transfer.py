"""A file goes out in pieces, and is closed however that ends."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from nbfunc.errors import StorageError
from nbfunc.files import transfer
from nbfunc.files.transfer import PIECE, pieces
from tests.files.conftest import child

CONTENT = os.urandom(3 * PIECE + 12_345)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.bin"
    path.write_bytes(CONTENT)
    return path


class Watched(FileIO):
    """A file that tells when it was closed: a thread does that."""

    def __init__(self, file: Path | int) -> None:
        super().__init__(file)
        self.gone = threading.Event()

    def close(self) -> None:
        super().close()
        self.gone.set()


def closed(file: Watched) -> bool:
    return file.gone.wait(10)


async def collected(file: FileIO, start: int, stop: int) -> list[bytes]:
    async with aclosing(generator(file, start, stop)) as gen:
        return [piece async for piece in gen]


def generator(file: FileIO, start: int, stop: int) -> Any:
    given: AsyncIterator[bytes] = pieces(file, start, stop)
    return given


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, len(CONTENT)), (0, 1), (5, 5), (PIECE - 1, PIECE + 1), (len(CONTENT) - 1, len(CONTENT)), (7, PIECE)],
)
def test_any_part_of_a_file_comes_in_pieces_of_at_most_a_mebibyte(path: Path, start: int, stop: int) -> None:
    file = Watched(path)
    got = asyncio.run(collected(file, start, stop))
    assert b"".join(got) == CONTENT[start:stop]
    assert all(0 < len(piece) <= PIECE for piece in got)
    assert closed(file)


def test_two_downloads_of_one_file_do_not_meet(path: Path) -> None:
    async def both() -> list[list[bytes]]:
        return await asyncio.gather(*(collected(FileIO(path), n, len(CONTENT)) for n in range(8)))

    for n, got in enumerate(asyncio.run(both())):
        assert b"".join(got) == CONTENT[n:]


def test_the_loop_turns_between_any_two_pieces(path: Path) -> None:
    async def turns() -> list[int]:
        turned = 0

        async def turn() -> None:
            nonlocal turned
            while True:
                turned += 1
                await asyncio.sleep(0)

        turning = asyncio.create_task(turn())
        at = [turned async for _ in generator(FileIO(path), 0, len(CONTENT))]
        turning.cancel()
        return at

    at = asyncio.run(turns())
    assert sorted(set(at)) == at
    assert at[0] > 0


def test_a_file_that_became_shorter_is_told(path: Path) -> None:
    async def truncated() -> None:
        async for _ in generator(file, 0, len(CONTENT)):
            os.truncate(path, PIECE + 100)

    file = Watched(path)
    with pytest.raises(StorageError, match=rf"{re.escape(str(path))}.*ended at {PIECE + 100} bytes"):
        asyncio.run(truncated())
    assert closed(file)


def test_a_client_that_leaves_closes_the_file(path: Path) -> None:
    async def left() -> None:
        async with aclosing(generator(file, 0, len(CONTENT))) as gen:
            async for _ in gen:
                return

    file = Watched(path)
    asyncio.run(left())
    assert closed(file)


class Stalled(Watched):
    """A file on a disk that does not answer: a pipe that nobody writes to yet."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self.asked = threading.Event()

    def seek(self, *_: object) -> int:
        self.asked.set()
        return 0


def test_a_download_that_is_cancelled_closes_the_file_when_its_read_ends() -> None:
    read_end, write_end = os.pipe()
    file = Stalled(read_end)

    async def cancelled() -> None:
        reading = asyncio.create_task(collected(file, 0, 10))
        await asyncio.to_thread(file.asked.wait)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        # Were it closed now, the read could go on in another file that got its number.
        assert not file.closed

    asyncio.run(cancelled())
    os.close(write_end)
    assert closed(file)


def test_a_process_ends_while_a_download_is_open(path: Path) -> None:
    code = """
        import asyncio, sys
        from io import FileIO
        from nbfunc.files.transfer import pieces
        async def first():
            async for piece in pieces(FileIO(sys.argv[1]), 0, 3 << 20):
                return len(piece)
        print(asyncio.run(first()))
        """
    assert child(code, path) == f"{PIECE}\n"


SYSTEM = pytest.mark.skipif(not transfer.BY_SYSTEM, reason="this system sends no file by itself")


async def sent(file: FileIO, start: int, stop: int) -> bytes:
    """Return what comes out of the other end of a socket."""
    here, there = socket.socketpair()
    with there:
        there.setblocking(False)

        async def sending() -> None:
            with here:
                here.setblocking(False)
                await transfer.send(file, start, stop, here)

        task = asyncio.create_task(sending())
        got = bytearray()
        while piece := await asyncio.get_running_loop().sock_recv(there, PIECE):
            got += piece
        await task
        return bytes(got)


@SYSTEM
@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(
    ("start", "stop"), [(0, len(CONTENT)), (0, 1), (5, 5), (PIECE - 1, PIECE + 1), (7, len(CONTENT) - 3)]
)
def test_the_system_sends_any_part_of_a_file(
    path: Path, start: int, stop: int, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_in_memory", lambda *_: in_memory)
    file = Watched(path)
    assert asyncio.run(sent(file, start, stop)) == CONTENT[start:stop]
    assert closed(file)


@SYSTEM
def test_a_file_that_became_shorter_is_told_by_the_system_too(path: Path) -> None:
    file = Watched(path)
    os.truncate(path, PIECE + 100)
    with pytest.raises(StorageError, match=f"ended at {PIECE + 100} bytes"):
        asyncio.run(sent(file, 0, len(CONTENT)))
    assert closed(file)


@SYSTEM
def test_a_reader_that_is_gone_ends_the_sending(path: Path) -> None:
    async def left() -> None:
        here, there = socket.socketpair()
        with here:
            here.setblocking(False)
            sending = asyncio.create_task(transfer.send(file, 0, len(CONTENT), here))
            await asyncio.sleep(0)
            there.close()
            await sending

    file = Watched(path)
    with pytest.raises(ConnectionError):
        asyncio.run(left())
    assert closed(file)


@SYSTEM
def test_a_slow_reader_holds_no_thread_and_a_cancel_closes_the_file(path: Path) -> None:
    async def cancelled() -> None:
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            sending = [
                asyncio.create_task(transfer.send(FileIO(path), 0, len(CONTENT), here)) for _ in range(20)
            ]
            # All wait for the one socket; the readers of other downloads are free.
            assert b"".join(await collected(FileIO(path), 0, len(CONTENT))) == CONTENT
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    asyncio.run(cancelled())


@pytest.mark.skipif(not hasattr(socket, "TCP_CONGESTION"), reason="this system lets nobody choose")
@pytest.mark.parametrize(("client", "paced"), [("127.0.0.1", False), ("127.0.0.2", True)])
def test_only_a_client_at_the_same_address_is_not_paced(path: Path, client: str, paced: bool) -> None:
    allowed = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control").read_text().split()
    other = next((name for name in allowed if name != "reno"), None)
    if other is None:
        pytest.skip("this machine has but one way")

    async def chosen() -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as there:
            there.bind((client, 0))
            there.connect(server.getsockname())
            here, _ = server.accept()
            with here:
                here.setblocking(False)
                here.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, other.encode())
                await transfer.send(FileIO(path), 0, 1, here)
                return here.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")

    assert asyncio.run(chosen()) == (other.encode() if paced else b"reno")


@SYSTEM
@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="this system does not say what is in memory")
def test_a_slice_whose_middle_is_on_the_disk_is_not_in_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def preadv(fd: int, buffers: list[bytearray], offset: int, flags: int) -> int:
        if PIECE // 4 <= offset < 3 * PIECE // 4:
            raise BlockingIOError
        return 1

    monkeypatch.setattr(os, "preadv", preadv)
    with FileIO(path) as file:
        assert not transfer._in_memory(file, 0, transfer.SLICE)
        assert transfer._in_memory(file, PIECE, transfer.SLICE)
