"""Kernels and their server are killed at any moment: what is offered is whole, and nothing hangs or stays."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_core.utils import ensure_event_loop

from tests.jupyter.server import Jupyter, Kernel, aged, jupyter
from tests.looking import below

# A file's name is the digest of what it has to hold, so that each can be judged by itself.
CODE = """
import hashlib, time
from pathlib import Path
from typing import Literal
from nbfunc import FileResponse
from nbfunc.types import File

def slowly(data: bytes):
    step = len(data) // 64 + 1
    for start in range(0, len(data), step):
        time.sleep(0.005)
        yield data[start : start + step]

def copied(file: File, how: Literal["path", "data", "chunks"] = "chunks") -> FileResponse:
    data = Path(file).read_bytes()
    name = hashlib.sha256(data).hexdigest() + ".bin"
    source = {"path": {"path": file}, "data": {"data": data}, "chunks": {"chunks": slowly(data)}}[how]
    return FileResponse(filename=name, **source)

%func_to_web copied
"""
ENDS = ("restart", "kill", "unload", "shut down")
LONG_AGO = 5 * 3600


class NotWhole(Exception):
    """A file was offered that is not what it has to be."""


class Soak:
    """A server that is killed and started again, and all that it ever promised."""

    def __init__(self, server: Jupyter) -> None:
        self.server = server
        self.promised: list[str] = []
        self._up = threading.Event()
        self._up.set()

    def kill(self) -> None:
        """Kill the server, and start it again."""
        self._up.clear()
        self.server.process.kill()
        self.server.process.wait()
        self.server.start()
        self._up.set()

    def live(self, name: str, end: str, chance: random.Random) -> None:
        """Live a kernel's life; what the server's death cuts short is begun again."""
        while True:
            self._up.wait()
            process = self.server.process
            try:
                if self._up.is_set():
                    self._live_once(name, end, chance)
                    return
            except TimeoutError:  # nothing may hang, whoever died
                raise
            except (OSError, HTTPException, AssertionError):
                if self._up.is_set() and process is self.server.process:
                    raise
            finally:
                ensure_event_loop().close()  # the client's, one a thread

    def _live_once(self, name: str, end: str, chance: random.Random) -> None:
        with self._kernel(name) as kernel:
            self._use(kernel, chance)
            match end:
                case "restart":
                    with self._cut_short(kernel, "KernelRestarted", chance):
                        self.server.act(kernel, "restart")
                    self._use(kernel, chance)
                case "kill":
                    pid = kernel.pid
                    with self._cut_short(kernel, "KernelDied", chance):
                        os.kill(pid, signal.SIGKILL)
                    self._use(kernel, chance)  # Jupyter starts it again by itself
                case "unload":
                    kernel.run("%unload_ext nbfunc")
                    assert kernel.call("copied").status == 404
                case "shut down":
                    with self._cut_short(kernel, "KernelDied", chance):
                        assert self.server.ask("DELETE", f"api/kernels/{kernel.id}").status == 204

    @contextmanager
    def _kernel(self, name: str) -> Iterator[Kernel]:
        kernel = self.server.kernel(f"{name}.ipynb")
        try:
            yield kernel
        finally:
            with suppress(ConnectionError, HTTPException):  # the server's death, which ends the kernel too
                kernel.shut_down()

    def _use(self, kernel: Kernel, chance: random.Random) -> None:
        kernel.wait_until_ready()
        kernel.expose(CODE)
        for _ in range(chance.randint(1, 6)):
            how = chance.choice(["path", "data", "chunks"])
            answer = kernel.call("copied", file=self._uploaded(chance), how=how)
            assert answer.status == 200, answer.text
            self._take(answer.json)

    @contextmanager
    def _cut_short(self, kernel: Kernel, reason: str, chance: random.Random) -> Iterator[None]:
        """A run that the block ends at some moment, if it is not over by then."""
        run = kernel.begin("copied", file=self._uploaded(chance))
        time.sleep(chance.random() / 2)
        yield
        with self.server.stream(run) as events:
            for _ in events:
                pass
        body = self.server.get(run).json
        if body.get("status") == "finished":
            self._take(body)
        else:
            assert body.get("error", {}).get("type") == reason, body

    def _uploaded(self, chance: random.Random) -> dict[str, str]:
        content = chance.randbytes(chance.randrange(1 << chance.randint(1, 23)))
        return {"upload": self.server.upload("sent.bin", content)}

    def _take(self, body: Any) -> None:
        """Download what a run returned."""
        (output,) = body["outputs"]
        self.download(output["url"])
        self.promised.append(output["url"])

    def download(self, url: str) -> None:
        """Fetch a file that was promised."""
        answer = self.server.get(url)
        assert answer.status == 200, answer.text
        check(url, answer.content)


def check(named: str, content: bytes) -> None:
    if not named.endswith(hashlib.sha256(content).hexdigest() + ".bin"):
        raise NotWhole(f"{named} has {len(content)} bytes that are not what its name says")


def processes(server: Jupyter) -> list[psutil.Process]:
    """Return the processes that this server and those before it have started."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(str(server.folder / "runtime") in part for part in process.cmdline()):
                found.append(process)
    return found


def kept(server: Jupyter) -> list[Path]:
    """Return all that is in the server's directories of files."""
    places = server.folder.glob("data/nbfunc/*")
    return [path for place in places for path in below(place) if path.name != "uploads"]


def age(paths: Iterable[Path]) -> None:
    """Let these have been made long ago: by their times, and by what names of returned files tell."""
    then = time.time() - LONG_AGO
    for path in paths:
        os.utime(path, (then, then))
    for path in paths:
        if path.is_file() and path.parent.parent.name == "nbfunc":
            aged(path, LONG_AGO)


# A few whenever the tests run; `make soak` for the rest.
@pytest.mark.parametrize(
    "lives", [pytest.param(6, marks=pytest.mark.timeout(300)), pytest.param(200, marks=pytest.mark.soak)]
)
def test_kernels_and_server_are_killed_at_any_moment(lives: int, tmp_path: Path) -> None:
    seed = os.environ.get("NBFUNC_SEED") or f"{time.time_ns()}"
    print(f"To choose the same again, as far as the machine allows: NBFUNC_SEED={seed}")
    chance = random.Random(seed)
    with jupyter(tmp_path) as server, ThreadPoolExecutor(4) as users:
        soak = Soak(server)
        running = [
            users.submit(soak.live, f"{number}", chance.choice(ENDS), random.Random(f"{seed} {number}"))
            for number in range(lives)
        ]
        try:
            until_death = chance.randint(1, 4)
            for life in as_completed(running):
                life.result()
                until_death -= 1
                if not until_death:
                    until_death = chance.randint(2, 8)
                    time.sleep(chance.random() * 3)
                    soak.kill()
        finally:
            for life in running:
                life.cancel()
        for end in ENDS:
            users.submit(soak.live, f"after all: {end}", end, chance).result()

        for url in soak.promised:
            soak.download(url)
        offered = [path for path in server.returned() if path.suffix == ".bin"]
        assert len(offered) >= len(soak.promised)
        for path in offered:
            check(path.name, path.read_bytes())

        assert server.get("nbfunc/-/functions").json == []
        server.until(lambda: processes(server) == [])
        assert not list((tmp_path / "temporary").glob("nbfunc*"))
        # What killed servers were doing is left until its time is over, and then the next one sweeps it.
        server.stop()
        age(kept(server))
        server.start()
        server.until(lambda: not kept(server))
