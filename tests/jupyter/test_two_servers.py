"""Two servers of one account on one home directory: each has its files, and disturbs none of the other's."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.jupyter.server import Jupyter, Kernel, aged, jupyter

CODE = """
import threading
from nbfunc import FileResponse
from nbfunc.types import File

gate = threading.Event()

def make(text: str) -> FileResponse:
    return FileResponse(data=text.encode(), filename="made.txt")

def grow() -> FileResponse:
    def chunks():
        yield b"first "
        print("begun")
        while not gate.wait(0.01):
            pass
        yield b"last"
    return FileResponse(chunks=chunks(), filename="grown.txt")

def hold(file: File) -> str:
    print("begun")
    while not gate.wait(0.01):
        pass
    with open(file) as there:
        return there.read()

def let_go():
    gate.set()

%func_to_web make grow hold let_go
"""

MINUTE = 60.0


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Jupyter, Jupyter]]:
    """Two servers that share the directory of Jupyter's data, and the one of temporary files."""
    with ExitStack() as stack:
        first = stack.enter_context(jupyter(tmp_path / "first"))
        second = tmp_path / "second"
        second.mkdir()
        for shared in ("data", "temporary"):
            (first.folder / shared).mkdir(exist_ok=True)
            (second / shared).symlink_to(first.folder / shared)
        yield first, stack.enter_context(jupyter(second))


def exposed(server: Jupyter) -> Kernel:
    kernel = server.kernel()
    kernel.expose(CODE)
    return kernel


def made(kernel: Kernel, text: str) -> dict[str, Any]:
    output: dict[str, Any] = kernel.call("make", text=text).json["outputs"][0]
    return output


def begun(server: Jupyter, kernel: Kernel, function: str, **arguments: Any) -> str:
    run = kernel.begin(function, **arguments)
    server.until(lambda: "begun" in server.get(run).json["printed"])
    return run


def ended(server: Jupyter, run: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        said: dict[str, Any] = server.get(run).json
        return None if said["status"] in {"queued", "running"} else said

    return server.until(over)


def killed(server: Jupyter, kernel: Kernel) -> None:
    """Kill a server and its kernel, and start it again: it sweeps as it starts."""
    pid = kernel.pid
    server.stop(signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    server.start()


def test_each_server_has_its_own_files(servers: tuple[Jupyter, Jupyter]) -> None:
    first, second = servers
    mine, other = made(exposed(first), "mine"), made(exposed(second), "other")
    assert first.get(mine["url"]).content == b"mine"
    assert second.get(other["url"]).content == b"other"
    assert len({path.parent for path in first.returned()}) == 2
    assert (first.get(other["url"]).status, second.get(mine["url"]).status) == (410, 410)


def test_a_server_that_is_killed_and_started_again_takes_nothing_of_the_others(
    servers: tuple[Jupyter, Jupyter],
) -> None:
    first, second = servers
    mine, others = exposed(first), exposed(second)
    kept = made(mine, "mine")
    expired = made(mine, "expired")
    left = made(others, "other")
    waiting = {"upload": second.upload("waiting.txt", b"waits")}
    held = begun(second, others, "hold", file={"upload": second.upload("held.txt", b"held")})
    grows = begun(second, others, "grow")
    begun(first, mine, "grow")
    old = aged(file_of(first, expired), 61 * MINUTE)
    killed(first, mine)
    first.until(lambda: not old.exists())
    assert first.get(kept["url"]).content == b"mine"
    assert second.get(left["url"]).content == b"other"
    others.call("let_go")
    assert ended(second, held)["outputs"][0]["value"] == "held"
    output = ended(second, grows)["outputs"][0]
    assert second.get(output["url"]).content == b"first last"
    assert others.call("hold", file=waiting).json["outputs"][0]["value"] == "waits"
    again = exposed(first)
    assert first.get(made(again, "again")["url"]).content == b"again"


def test_of_a_server_whose_clock_is_ten_minutes_off_no_file_goes_before_its_hour(
    servers: tuple[Jupyter, Jupyter],
) -> None:
    first, second = servers
    mine, others = exposed(first), exposed(second)
    own = aged(file_of(first, made(mine, "mine")), 61 * MINUTE)
    # By this machine's clock; by its own each is made ten minutes earlier or later.
    files = {
        minutes: at(file_of(second, made(others, "other")), minutes)
        for minutes in (-10, 0, 50, 65, 69, 71, 130)
    }
    killed(first, mine)
    # Its own go first, those of others after that.
    first.until(lambda: not any(gone.exists() for gone in (own, files[71], files[130])))
    assert all(files[minutes].exists() for minutes in (-10, 0, 50, 65, 69))


def at(path: Path, minutes: float) -> Path:
    """Give a file of another machine the age that its clock gave it."""
    then = time.time() - minutes * MINUTE
    os.utime(path, (then, then))
    os.utime(path.parent, (then, then))
    return aged(path, minutes * MINUTE)


def file_of(server: Jupyter, output: dict[str, Any]) -> Path:
    """Return where a returned file is."""
    id_ = output["url"].split("/")[-2]
    return next(path for path in server.returned() if id_ in path.name)
