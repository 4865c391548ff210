"""Runs through a Jupyter server and a kernel, beside what Jupyter itself takes for a cell."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import client
from bench.products import VENVS, Request, encoded
from tests.jupyter.server import TOKEN, Jupyter, Kernel, jupyter

GIB = 1 << 30
MIB = 1 << 20
HEADERS = {"Content-Type": "application/json", "Authorization": f"token {TOKEN}"}

CELL = """
%load_ext nbfunc
from pathlib import Path
from nbfunc.types import FileResponse

def echo(text: str) -> str:
    return text

def move(path: str) -> FileResponse:
    return FileResponse(path=path, filename="big.bin", move=True)

%func_to_web echo move
"""

LOAD = """
import time
begin = time.perf_counter()
%load_ext nbfunc
print(time.perf_counter() - begin)
"""


def lines() -> list[str]:
    """Measure, and return the lines of a table."""
    folder = VENVS / "work" / "jupyter"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        return [*_runs(folder), *_files(folder), *_costs(folder)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runs(folder: Path) -> Iterator[str]:
    with jupyter(folder / "runs") as server:
        kernel = server.kernel()
        kernel.run(CELL)
        cell, run = [], []
        request = _request(server, kernel, "echo", text="hello")
        # In turn, so that what disturbs the machine for a while disturbs both.
        for _ in range(5):
            cell += _cells(kernel, 60)
            run += client.latencies(server.port, request, 60)
        ratio = statistics.median(run) / statistics.median(cell)
        yield _line("a run over HTTP, p50", _ms(run), f"{ratio:.2f} x a bare execute_request ({_ms(cell)})")
        begin = time.perf_counter()
        count = len(_cells(kernel, 500))
        alone = count / (time.perf_counter() - begin)
        many = 2000 / client.together(server.port, request, 16, 2000)
        yield _line("runs at 16 clients", f"{many:.0f} /s", f"{many / alone:.2f} x the cells of one client")


def _files(folder: Path) -> Iterator[str]:
    for name, shared in (("one disk", True), ("no common disk", False)):
        with jupyter(folder / "files") as server:
            if not shared:
                _hide_directory(server)
            kernel = server.kernel(name="python3" if shared else "elsewhere")
            kernel.run(CELL)
            pids = server.process.pid, int(kernel.run("import os; print(os.getpid())").stdout)
            client.result(server.port, _request(server, kernel, "echo", text="hello"))
            big = folder / "files" / "big.bin"
            taken, grown = [], [0.0, 0.0]
            for _ in range(3):
                _write(big, 2 * GIB)
                os.sync()
                before = [_forget_peak(pid) for pid in pids]
                begin = time.perf_counter()
                answer = client.result(server.port, _request(server, kernel, "move", path=str(big)))
                taken.append(time.perf_counter() - begin)
                assert answer["outputs"][0]["size"] == 2 * GIB
                peaks = [(_peak(pid) - start) / MIB for pid, start in zip(pids, before, strict=True)]
                grown = [max(pair) for pair in zip(grown, peaks, strict=True)]
            said = f"memory of the server +{grown[0]:.0f} MiB, of the kernel +{grown[1]:.0f} MiB"
            said += f"; slowest of three {max(taken) * 1000:.0f} ms"
            yield _line(f"2 GiB returned with move, {name}", _ms(taken), said)


def _costs(folder: Path) -> Iterator[str]:
    added = []
    starts: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(5):
        for extension in (True, False):
            begin = time.perf_counter()
            with jupyter(folder / "costs", with_nbfunc=extension) as server:
                starts[extension].append(time.perf_counter() - begin)
                if extension:
                    said = server.kernel().run(LOAD)
                    added.append(float(said.stdout))
    more = statistics.median(starts[True]) - statistics.median(starts[False])
    share = statistics.median(starts[True]) / statistics.median(starts[False])
    yield _line("%load_ext nbfunc adds to a kernel", _ms(added), "at most 150 ms wanted")
    yield _line(
        "the extension adds to the server's start", f"{more * 1000:.0f} ms", f"{share:.2f} x without it"
    )


def _line(title: str, figure: str, beside: str) -> str:
    return f"{title:44} {figure:>10}   {beside}"


def _ms(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.2f} ms"


def _request(server: Jupyter, kernel: Kernel, function: str, **arguments: str) -> Request:
    return Request("POST", server.base + kernel.url(function), encoded(arguments), HEADERS)


def _cells(kernel: Kernel, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        kernel.client.execute("1", store_history=False)
        kernel.client.get_shell_msg(timeout=60)
        taken.append(time.perf_counter() - begin)
    return taken


def _hide_directory(server: Jupyter) -> None:
    """Make a kernel specification whose kernels see another directory in the place of the server's."""
    hidden = server.folder / "data" / "nbfunc"
    hidden.mkdir(parents=True, exist_ok=True)
    spec = server.folder / "data" / "kernels" / "elsewhere"
    spec.mkdir(parents=True, exist_ok=True)
    start = f"mount -t tmpfs none {hidden} && exec {sys.executable} -m ipykernel_launcher -f $0"
    unshare = ["unshare", "--mount"] + (["--map-root-user"] if os.getuid() else [])
    argv = [*unshare, "sh", "-c", start, "{connection_file}"]
    model = {"argv": argv, "display_name": "elsewhere", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(model))


def _write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(b"x" * MIB)


def _forget_peak(pid: int) -> int:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _memory(pid, "VmRSS")


def _peak(pid: int) -> int:
    return _memory(pid, "VmHWM")


def _memory(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))
