"""A product's server as a process of its own, with what can be seen of it from outside."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.probe import Gap
from bench.products import PROJECT, VENVS, Product

START_SECONDS = 300.0


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes
    ----------
    started : float
        Seconds from the start of its process to its first answer.
    """

    product: Product
    port: int
    folder: Path
    pid: int
    gap: Gap
    started: float

    def forget_peak(self) -> int:
        """Measure the most memory from now on; return what it has now, in bytes."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self._memory("VmRSS")

    def peak(self) -> int:
        """Return the most memory that it had since, in bytes."""
        return self._memory("VmHWM")

    def _memory(self, field: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
        raise LookupError(f"/proc/{self.pid}/status has no {field}: this needs Linux.")


def new_folder(product: Product) -> Path:
    """Return an empty folder for a server's files, on the disk of the project."""
    folder = VENVS / "work" / product.name
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("returns", "uploads"):
        (folder / name).mkdir(parents=True)
    return folder


@contextmanager
def serving(product: Product, folder: Path | None = None) -> Iterator[Server]:
    """Serve the functions of the bench, from the first answer on."""
    folder = folder or new_folder(product)
    gap = Gap(folder / "gap")
    interpreter = product.interpreter()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    begin = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [interpreter, "-m", product.module, str(port), str(folder)], cwd=PROJECT, stdout=log, stderr=log
        )
    with ending(process, folder):
        answering(process, port, folder)
        yield Server(product, port, folder, process.pid, gap, time.perf_counter() - begin)


@contextmanager
def ending(process: subprocess.Popen[bytes], folder: Path) -> Iterator[None]:
    """Stop a server after this, and remove its files."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def answering(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Wait for a server's first answer; its log in `folder` says why there is none."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if connection.recv(16).startswith(b"HTTP/1.1"):
                    return
        except OSError:
            time.sleep(0.002)  # a process of another product tells nobody when it listens
    log = (folder / "log").read_text(errors="replace")
    raise RuntimeError(f"{process.args!r} does not answer:\n{log[-2000:]}")
