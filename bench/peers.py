"""Servers of one large file, each installed and started: nbfunc, func-to-web, nginx, Jupyter, Gradio."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import client, sending
from bench.probe import Gap
from bench.products import PROJECT, VENVS, FuncToWeb0, FuncToWeb2, Nbfunc, Product, Request
from bench.servers import answering, ending, serving

MIB = 1 << 20
HOST = "127.0.0.1"
GRADIO = "gradio==6.31.0"
NGINX = """
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}; }}
}}
"""


@dataclass(frozen=True)
class Peer:
    """A running server that has a file.

    Attributes
    ----------
    path : str
        Where to get the file.
    small : Request
        Something else that it answers.
    send : callable, optional
        Sends it a file of a size, to a function that says that size.
    gap : Gap, optional
        How long its event loop was held.
    """

    port: int
    pid: int
    path: str
    small: Request
    send: Callable[[int, int], None] | None = None
    gap: Gap | None = None

    def forget_peak(self) -> int:
        """Measure the most memory from now on; return what it has now, in bytes."""
        for pid in self._pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        return self._memory("VmRSS")

    def peak(self) -> int:
        """Return the most memory that it had since, in bytes."""
        return self._memory("VmHWM")

    def _pids(self) -> list[int]:
        children = psutil.Process(self.pid).children(recursive=True)
        return [self.pid, *(child.pid for child in children)]

    def _memory(self, field: str) -> int:
        size = 0
        for pid in self._pids():
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            size += next((int(line.split()[1]) * 1024 for line in status if line.startswith(field)), 0)
        return size


@contextmanager
def nbfunc(megabytes: int) -> Iterator[Peer]:
    """nbfunc, with a file that a function handed over."""
    with _product(Nbfunc(), "return_moved", sending.by_tus, megabytes, from_path=True) as peer:
        yield peer


@contextmanager
def func_to_web_0(megabytes: int) -> Iterator[Peer]:
    """The first generation, which returns files from memory only."""
    with _product(FuncToWeb0(), "return_data", sending.by_form, megabytes, from_path=False) as peer:
        yield peer


@contextmanager
def func_to_web_2(megabytes: int) -> Iterator[Peer]:
    """The second generation."""
    with _product(FuncToWeb2(), "return_path", sending.by_reference, megabytes, from_path=True) as peer:
        yield peer


@contextmanager
def _product(
    product: Product, function: str, send: Callable[[int, int], None], megabytes: int, *, from_path: bool
) -> Iterator[Peer]:
    with serving(product) as server:
        source = server.folder / "source.bin"
        if from_path:
            _write(source, megabytes)
        # From memory it takes both generations several times the file.
        arguments = {"path": str(source)} if from_path else {"megabytes": megabytes}
        answer = client.result(server.port, product.run(function, arguments))
        address = product.download(answer)
        yield Peer(server.port, server.pid, address, Request("GET", "/"), send, server.gap)


@contextmanager
def nginx(megabytes: int) -> Iterator[Peer]:
    """nginx as distributions set it up: sendfile, a worker for each core."""
    folder = _folder("nginx")
    _write(folder / "big.bin", megabytes)
    (folder / "small.txt").write_text("small")
    folder.chmod(0o755)
    port = _free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port) + _user())
    with _started(["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"], folder, port) as pid:
        yield Peer(port, pid, "/big.bin", Request("GET", "/small.txt"))


@contextmanager
def jupyter(megabytes: int) -> Iterator[Peer]:
    """Jupyter's own downloads."""
    folder = _folder("jupyter-files")
    _write(folder / "big.bin", megabytes)
    gap, port = Gap(folder / "gap"), _free_port()
    command = [sys.executable, "-m", "bench.serve_jupyter", str(port), str(folder)]
    with _started(command, folder, port) as pid:
        # Without the token it would take a download for one that another site made a browser ask for.
        yield Peer(port, pid, "/files/big.bin?token=bench", Request("GET", "/api"), None, gap)


@contextmanager
def gradio(megabytes: int) -> Iterator[Peer]:
    """Gradio's downloads."""
    interpreter = _gradio_installed()
    folder = _folder("gradio-files")
    _write(folder / "big.bin", megabytes)
    gap, port = Gap(folder / "gap"), _free_port()
    command = [interpreter, "-m", "bench.serve_gradio", str(port), str(folder)]
    with _started(command, folder, port) as pid:
        path = f"/gradio_api/file={folder}/big.bin"
        yield Peer(port, pid, path, Request("GET", "/theme.css"), None, gap)


PEERS = {
    "nbfunc": nbfunc,
    "nginx": nginx,
    "f2w 0.9.9": func_to_web_0,
    "f2w 2.7.6": func_to_web_2,
    "Jupyter": jupyter,
    "Gradio": gradio,
}


def available() -> list[str]:
    """Return the names of those that are here, or could be installed."""
    absent = {} if shutil.which("nginx") else {"nginx": "there is no nginx"}
    if sys.version_info < FuncToWeb2.python:
        absent["f2w 2.7.6"] = "this Python is too old for it"
    try:
        _gradio_installed()
    except subprocess.CalledProcessError:
        absent["Gradio"] = f"{GRADIO} could not be installed"
    for name, reason in absent.items():
        print(f"note: no figures of {name}: {reason}", file=sys.stderr)
    return [name for name in PEERS if name not in absent]


def _gradio_installed() -> str:
    venv = VENVS / "gradio"
    interpreter = venv / "bin" / "python"
    if not (venv / "installed").exists():
        print(f"installing {GRADIO} into {venv}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run(
            [interpreter, "-m", "pip", "install", "--quiet", GRADIO], check=True, stdout=sys.stderr
        )
        (venv / "installed").touch()
    return str(interpreter)


def _user() -> str:
    """Let nginx's workers read what is root's."""
    return "user root;\n" if os.geteuid() == 0 else ""


def _folder(name: str) -> Path:
    folder = VENVS / "work" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def _started(command: list[str], folder: Path, port: int) -> Iterator[int]:
    env = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(folder / "tmp")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, env=env)
    with ending(process, folder):
        answering(process, port, folder)
        yield process.pid


def _write(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(sending.CONTENT)
