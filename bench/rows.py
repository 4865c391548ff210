"""What is measured. Each function measures some rows of the table for one product."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench import client
from bench.page import page
from bench.products import PROJECT, Product, Request
from bench.servers import Server, new_folder, serving

MIB = 1 << 20
MEGABYTES = 1024
RETURNS = 3
ECHO = {"text": "hello"}
HOUR = 3600.0

Figures: TypeAlias = dict[str, float]


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    title: str
    unit: str
    more_is_better: bool = False


ROWS = (
    Row("import, best of 7", "ms"),
    Row("import, memory", "MiB"),
    Row("start to first answer", "ms"),
    Row("submit to result, p50 of 200", "ms"),
    Row("the same as its page sends it", "ms"),
    Row("form of two fields", "requests"),
    Row("form of two fields, as sent", "KB"),
    Row("form of two fields, gzipped", "KB"),
    Row("first field ready, p50 of 10", "ms"),
    Row("click to result seen, p50 of 20", "ms"),
    Row("runs at 16 clients", "/s", more_is_better=True),
    Row("40 x sleep(1) at once", "s"),
    Row("return 1 GiB, data: best of 3", "s"),
    Row("return 1 GiB, data: memory", "MiB"),
    Row("return 1 GiB, path: best of 3", "s"),
    Row("return 1 GiB, path: memory", "MiB"),
    Row("return 1 GiB, path and move: best of 3", "s"),
    Row("return 1 GiB, path and move: memory", "MiB"),
    Row("return 1 GiB, chunks: best of 3", "s"),
    Row("return 1 GiB, chunks: memory", "MiB"),
    Row("download 1 GiB", "MiB/s", more_is_better=True),
    Row("download 1 GiB: memory", "MiB"),
    Row("download 1 GiB: loop held", "ms"),
    Row("8 downloads of 1 GiB at once", "MiB/s", more_is_better=True),
    Row("8 downloads at once: memory", "MiB"),
    Row("8 downloads at once: loop held", "ms"),
    Row("20,000 expired files: first answer", "s"),
    Row("20,000 expired files: all swept", "s"),
    Row("one of 50,000 files, p50", "ms"),
    Row("none of 50,000 files, p50", "ms"),
)


def importing(product: Product) -> Figures:
    """How long and how large an import is, beyond Python's own start."""
    times = {"bare": 9e9, "full": 9e9}
    memory = {"bare": 0.0, "full": 0.0}
    # Its own word for it: what wait4() says holds what the parent had before the exec.
    told = "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    codes = {"bare": told, "full": f"from {product.package} import run; {told}"}
    interpreter = product.interpreter()
    for _ in range(7):
        for name, code in codes.items():
            begin = time.perf_counter()
            said = subprocess.run([interpreter, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, check=True)
            times[name] = min(times[name], time.perf_counter() - begin)
            memory[name] = int(said.stdout.split()[1]) / 1024
    return {
        "import, best of 7": (times["full"] - times["bare"]) * 1000,
        "import, memory": memory["full"] - memory["bare"],
    }


def small_runs(product: Product) -> Figures:
    """Short functions, one after the other and many at once."""
    with serving(product) as server:
        run = product.run("echo", ECHO)
        return {
            "start to first answer": server.started * 1000,
            "submit to result, p50 of 200": _p50(client.latencies(server.port, run, 200)),
            "the same as its page sends it": _p50(
                client.latencies(server.port, product.streamed("echo", ECHO), 100)
            ),
            "runs at 16 clients": 2000 / client.together(server.port, run, 16, 2000),
        }


def sleeping(product: Product) -> Figures:
    """Functions that only wait: they need not wait for each other."""
    with serving(product) as server:
        return {"40 x sleep(1) at once": client.together(server.port, product.run("wait", {}), 40, 40)}


def returned_files(product: Product) -> Figures:
    """One GiB from a function to disk in each way that the product has, and from there to clients."""
    ways = {
        "data": ("return_data", False),
        "path": ("return_path", True),
        "path and move": ("return_moved", True),
        "chunks": ("return_chunks", False),
    }
    offered = {
        "nbfunc": list(ways),
        "func-to-web-0.9.9": ["data"],
        "func-to-web-2.7.6": ["data", "path"],
    }[product.name]
    figures: Figures = {}
    for way in offered:
        function, needs_file = ways[way]
        times = []
        for turn in range(RETURNS):
            with serving(product) as server:
                source = server.folder / "source.bin"
                if needs_file:
                    _write(source)
                arguments = {"path": str(source)} if needs_file else {"megabytes": MEGABYTES}
                _settle()
                before = server.forget_peak()
                begin = time.perf_counter()
                answer = client.result(server.port, product.run(function, arguments))
                times.append(time.perf_counter() - begin)
                figures[f"return 1 GiB, {way}: memory"] = max(0, server.peak() - before) / MIB
                if way == offered[0] and turn == 0:
                    figures.update(_downloaded(server, product.download(answer)))
        # How long the system holds a writer up for its disk is chance, and fourfold: not the product's doing.
        figures[f"return 1 GiB, {way}: best of {RETURNS}"] = min(times)
    return figures


def _downloaded(server: Server, address: str) -> Figures:
    figures: Figures = {}
    _settle()
    for clients, title, beside in (
        (1, "download 1 GiB", "download 1 GiB"),
        (8, "8 downloads of 1 GiB at once", "8 downloads at once"),
    ):
        before = server.forget_peak()
        server.gap.seconds = 0.0
        begin = time.perf_counter()
        size = client.downloads(server.port, address, clients)
        taken = time.perf_counter() - begin
        if size != clients * MEGABYTES * MIB:
            raise client.AnswerError(f"{server.product.name}: {size} bytes came")
        figures[title] = size / MIB / taken
        figures[f"{beside}: memory"] = max(0, server.peak() - before) / MIB
        figures[f"{beside}: loop held"] = server.gap.seconds * 1000
    return figures


def sweeping(product: Product) -> Figures:
    """A server that starts on what earlier ones left behind."""
    folder = new_folder(product)
    returns = folder / "returns"
    for number in range(20_000):
        (returns / product.disk_name(number, 2 * HOUR)).write_bytes(b"old")
    os.sync()
    begin = time.perf_counter()
    with serving(product, folder) as server:
        while len(os.listdir(returns)) > 0:
            time.sleep(0.02)  # of a server that tells nobody when it has swept
            if time.perf_counter() - begin > 400:
                raise RuntimeError(f"{product.name} does not sweep")
        return {
            "20,000 expired files: first answer": server.started,
            "20,000 expired files: all swept": time.perf_counter() - begin,
        }


def looking_up(product: Product) -> Figures:
    """One file among many, and one that is not there."""
    folder = new_folder(product)
    names = [product.disk_name(number, 60.0) for number in range(50_000)]
    for name in names:
        (folder / "returns" / name).write_bytes(b"kept")
    with serving(product, folder) as server:
        present = Request("GET", product.address(names[25_000]))
        missing = Request("GET", product.address(product.disk_name(10**9, 60.0)))
        return {
            "one of 50,000 files, p50": _p50(client.latencies(server.port, present, 30)),
            "none of 50,000 files, p50": _p50(client.latencies(server.port, missing, 30, status=None)),
        }


def _p50(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def _settle() -> None:
    """Leave no work of before to the disk, nor to the host of a virtual machine.

    There the first touch of a page costs up to 2.5 s a GiB, and what is free for seconds is the host's again.
    """
    os.sync()
    touched = b"x" * (3 * MEGABYTES * MIB)
    del touched


def _write(path: Path) -> None:
    piece = b"x" * MIB
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(piece)


@dataclass(frozen=True)
class Measurement:
    """Some rows, and how often they are measured: the median counts."""

    measure: Callable[[Product], Figures]
    rounds: int = 1


MEASUREMENTS = (
    Measurement(importing),
    Measurement(small_runs, rounds=3),
    Measurement(page, rounds=3),
    Measurement(sleeping),
    Measurement(returned_files, rounds=3),
    Measurement(sweeping),
    Measurement(looking_up),
)
