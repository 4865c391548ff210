"""The server is killed at any moment: what it offers is whole, what it left goes, what lives stays."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote

import pytest

from nbfunc.files.returns import KEPT_SECONDS, ReturnsDir
from nbfunc.files.uploads import UploadsDir
from tests.transfers.server import PATIENCE_SECONDS, Program, serving
from tests.transfers.test_uploads import begun, break_off, go_on, offset, weighed

PIECES = 24
OLD_FILES = 2000
OLD_UPLOADS = 200
LIVE = 20


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        threading.Event().wait(0.001)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


# Each kills a server in the middle of something, and returns what has to hold of the next one.


def kill_in_a_write(server: Program, dice: random.Random) -> Callable[[Program], None]:
    """While a function writes a file, or has just written the last of it."""
    told = min(PIECES, dice.randint(1, PIECES + 6))
    body = json.dumps({"pieces": PIECES, "seed": dice.randrange(10**9)}).encode()
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    connection = server.connect()
    connection.request("POST", "/write", body, headers)
    answer = connection.getresponse()
    for _ in range(told):
        while (line := answer.readline()) and not line.startswith(b"event: progress"):
            assert not line.startswith(b"event: failed"), line
    server.kill()
    connection.close()
    return lambda _: None


def kill_in_a_table(server: Program, dice: random.Random) -> Callable[[Program], None]:
    """While a table is written, which has a name meanwhile."""
    returns = server.folder / "returns"
    earlier = set(names(returns))
    enough = dice.randrange(1 << 20)

    def is_written() -> bool:
        for name in set(names(returns)) - earlier:
            try:
                if (returns / name).stat().st_size >= enough or not name.endswith(".part"):
                    return True
            except FileNotFoundError:
                return True  # it has another name by now
        return False

    def ask() -> None:
        with suppress(OSError, HTTPException):  # it dies, or answered before that
            server.run("tabulate", rows=300_000)

    asking = threading.Thread(target=ask)
    asking.start()
    until(is_written)
    server.kill()
    asking.join()
    return lambda _: None


def kill_in_an_upload(server: Program, dice: random.Random) -> Callable[[Program], None]:
    """While bytes arrive."""
    content = dice.randbytes(6 << 20)
    path = begun(server, len(content))
    break_off(server, path, 0, content, dice.randrange(len(content)))
    server.kill()

    def goes_on(next_server: Program) -> None:
        assert offset(next_server, path) <= len(content)
        go_on(next_server, path, content)
        assert weighed(next_server, path) == digest(content)

    return goes_on


def kill_in_a_sweep(server: Program, dice: random.Random) -> Callable[[Program], None]:
    """While what is old goes."""
    server.kill()
    folder = server.folder
    returns, uploads = folder / "returns", folder / "uploads"
    long_ago = time.time() - 2 * KEPT_SECONDS
    for n in range(OLD_FILES):
        (returns / f"{int(long_ago * 1000):011x}-{n:032x}-old.txt").write_bytes(b"old")
    earlier = UploadsDir(uploads, clock=lambda: long_ago)
    gone = {earlier.create("old.txt", 10) for _ in range(OLD_UPLOADS)}
    for token in gone:
        os.utime(uploads / f"{token}.part" / "old.txt", (long_ago, long_ago))
    stored = [ReturnsDir(returns).put(f"{n}".encode(), "live.txt") for n in range(LIVE)]
    living = [UploadsDir(uploads).create("live.txt", 10) for _ in range(LIVE)]

    def old() -> int:
        files = sum(name.endswith("-old.txt") for name in names(returns))
        return files + sum(name.partition(".")[0] in gone for name in names(uploads))

    with serving(folder) as sweeping:
        few = dice.randrange(1, old())
        until(lambda: old() <= few)
        sweeping.kill()

    def is_swept(next_server: Program) -> None:
        until(lambda: not old())
        for n, file in enumerate(stored):
            answer = next_server.request("GET", f"/-/files/{file.id}/{file.filename}")
            assert (answer.status, answer.body) == (200, f"{n}".encode())
        for token in living:
            assert offset(next_server, f"/-/uploads/{token}") == 0

    return is_swept


def judge(server: Program) -> None:
    """Look at all that is offered: a file's name tells what it has to hold."""
    for name in names(server.folder / "returns"):
        if not name.endswith(".bin"):
            continue
        answer = server.request("GET", f"/-/files/{name[:44]}/{quote(name[45:])}")
        assert (answer.status, digest(answer.body)) == (200, name[45:-4])


def kill_once(kill: Kill, seed: int, folder: Path, *, named: bool = False) -> None:
    """Kill a server and look at what the next one on its directories has."""
    earlier = names(folder / "returns")
    with serving(folder, named=named) as server:
        holds = kill(server, random.Random(seed))
    with serving(folder, named=named) as server:
        judge(server)
        holds(server)
    if not named and kill is kill_in_a_write:
        assert not [name for name in set(names(folder / "returns")) - set(earlier) if name.endswith(".part")]


def sweep_an_hour_later(folder: Path) -> None:
    """Whatever was left is gone; held uploads of a server that is no more go after three hours."""

    def later() -> float:
        return time.time() + 4 * KEPT_SECONDS

    for _ in range(2):  # a mark outlives its upload by one sweep
        ReturnsDir(folder / "returns", clock=later).sweep()
        UploadsDir(folder / "uploads", clock=later).sweep()
    assert names(folder / "returns") == names(folder / "uploads") == []


Kill = Callable[[Program, random.Random], Callable[[Program], None]]
KILLS: tuple[Kill, ...] = (kill_in_a_write, kill_in_a_table, kill_in_an_upload, kill_in_a_sweep)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
def test_a_killed_server_leaves_nothing_broken(kill: Kill, seed: int, tmp_path: Path) -> None:
    kill_once(kill, seed, tmp_path, named=seed % 2 == 1)
    sweep_an_hour_later(tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_server_killed_a_hundred_times_leaves_nothing_broken(tmp_path: Path) -> None:
    for seed in range(100):
        kill_once(KILLS[seed % len(KILLS)], seed, tmp_path, named=seed % 8 >= 4)
    sweep_an_hour_later(tmp_path)
