"""A server that has served many kernels holds what it held before."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from jupyter_core.utils import ensure_event_loop

from tests.jupyter.server import Jupyter, Kernel, jupyter
from tests.looking import below

CODE = """
from nbfunc import FileResponse
from nbfunc.types import File

def copied(file: File) -> FileResponse:
    return FileResponse(path=file, filename="b.txt")

%func_to_web copied
"""


def held(server: Jupyter) -> dict[str, Any]:
    """Return what the server holds."""
    process = psutil.Process(server.process.pid)
    return {
        "descriptors": process.num_fds(),
        "kernels": process.children(),
        "directories": [path for path in below(server.folder) if path.is_dir()],
    }


def lives(server: Jupyter, ends: str) -> None:
    """One kernel's life: started, exposed, used, ended in some way."""
    kernel = server.kernel()
    kernel.expose(CODE)
    use(server, kernel)
    match ends:
        case "restart":
            server.act(kernel, "restart")
            kernel.client.wait_for_ready(timeout=60)
            kernel.expose(CODE)
            use(server, kernel)
        case "unload":
            kernel.run("%unload_ext nbfunc")
        case "kill":
            os.kill(kernel.pid, signal.SIGKILL)
    kernel.shut_down()
    ensure_event_loop().close()  # the client's, one a thread


def use(server: Jupyter, kernel: Kernel) -> None:
    answer = kernel.call("copied", file={"upload": server.upload("a.txt", b"x")})
    assert answer.status == 200, answer.text
    assert server.get(answer.json["outputs"][0]["url"]).content == b"x"


def test_twenty_kernels_leave_nothing_behind(tmp_path: Path) -> None:
    with jupyter(tmp_path) as server, ThreadPoolExecutor(4) as users:
        process = psutil.Process(server.process.pid)

        def live(times: int) -> dict[str, Any]:
            ends = ["restart", "kill", "unload", "shut down"] * times
            list(users.map(lives, [server] * len(ends), ends))
            server.until(lambda: not process.children())
            return held(server)

        before = live(1)  # pools of threads fill up and modules are imported, once
        threads = process.num_threads()
        live(5)
        # ZMQ closes the last kernel's sockets a moment later, in a thread of its own.
        server.until(lambda: process.num_fds() <= before["descriptors"], 10)
        assert held(server) | {"descriptors": 0} == before | {"descriptors": 0}
        # The pools for the disk and for transfers grow to their sizes, and no further.
        assert process.num_threads() - threads < 20
        assert server.get("nbfunc/-/functions").json == []
        assert not server.uploaded()


def test_a_server_that_stops_ends_its_kernels_and_runs(tmp_path: Path) -> None:
    with jupyter(tmp_path) as server:
        kernel = server.kernel()
        kernel.expose("import threading\ndef hold(): threading.Event().wait()\n%func_to_web hold")
        kernel.begin("hold")
        children = psutil.Process(server.process.pid).children(recursive=True)
        server.stop()
        assert server.process.returncode == 0
        psutil.wait_procs(children, timeout=10)
        assert not [child for child in children if child.is_running()]
        assert "Traceback" not in server.said(), server.said()
