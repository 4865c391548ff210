"""A real Jupyter Kernel Gateway and a Jupyter server of its kernels, which share no disk."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.gateway.wire import Wire, wire_to
from tests.jupyter.server import Jupyter, end, environment

GATEWAY_TOKEN = "a-token-of-the-gateway"


def _can_unshare() -> bool:
    if not shutil.which("unshare"):
        return False
    made = subprocess.run(["unshare", *_UNSHARED, "true"], check=False, capture_output=True)
    return made.returncode == 0


_UNSHARED = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
needs_namespaces = pytest.mark.skipif(
    not _can_unshare(), reason="needs Linux's mount namespaces (unshare), which this machine denies"
)


class Gateway:
    """A gateway whose kernels cannot see a server's folder.

    Parameters
    ----------
    folder : Path
        Its own.
    hidden : Path
        The server's folder: for the kernels there is an empty one in its place.
    options : str
        Of the command line.
    """

    def __init__(self, folder: Path, hidden: Path, *options: str) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.runtime = folder / "runtime"
        self.options = options
        self.port = _free_port()
        hidden.mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir(parents=True, exist_ok=True)
        self._hidden = hidden
        self.log = (folder / "gateway.log").open("ab")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        more = {
            "KG_AUTH_TOKEN": GATEWAY_TOKEN,
            "KG_ENV_PROCESS_WHITELIST": "TMPDIR,PYTHONPATH,IPYTHONDIR,JUPYTER_RUNTIME_DIR,PYTHONWARNINGS",
        }
        command = [
            sys.executable, "-m", "kernel_gateway", f"--KernelGatewayApp.port={self.port}",
            "--KernelGatewayApp.port_retries=0", "--JupyterWebsocketPersonality.list_kernels=True",
            *self.options,
        ]  # fmt: skip
        hide = (
            f"mount -t tmpfs -o size=1m none {shlex.quote(str(self._hidden))} && exec {shlex.join(command)}"
        )
        self.process = subprocess.Popen(
            ["unshare", *_UNSHARED, "sh", "-c", hide],
            env=environment(self.folder) | more,
            cwd=self.folder,
            stdout=self.log,
            stderr=self.log,
        )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        request = urllib.request.Request(
            f"{self.url}/api", headers={"Authorization": f"token {GATEWAY_TOKEN}"}
        )
        while True:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"the gateway does not listen\n{self.said()}"
            with suppress(OSError), urllib.request.urlopen(request, timeout=5):
                return
            time.sleep(0.05)

    def said(self) -> str:
        """Return its log."""
        return (self.folder / "gateway.log").read_text()

    def kernels(self) -> list[psutil.Process]:
        """Return the processes of its kernels, and of those of gateways before it."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(str(self.runtime) in part for part in process.cmdline()):
                    found.append(process)
        return found

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        end(self.process, number, self.said)

    def kill(self) -> None:
        """Kill it, as a machine's end would, with its kernels."""
        self.process.kill()
        self.process.wait()
        for kernel in self.kernels():
            with suppress(psutil.Error):
                kernel.kill()
                kernel.wait(30)


class Server(Jupyter):
    """A Jupyter server all of whose kernels are a gateway's."""

    def __init__(self, folder: Path, gateway: Gateway, *options: str, url: str = "", **more: Any) -> None:
        self.gateway = gateway
        super().__init__(
            folder,
            f"--gateway-url={url or gateway.url}",
            f"--GatewayClient.auth_token={GATEWAY_TOKEN}",
            *options,
            **more,
        )

    def connection_file(self, kernel: str) -> Path:
        return self.gateway.runtime / f"kernel-{kernel}.json"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def gateway_for(hidden: Path, folder: Path, *options: str) -> Iterator[Gateway]:
    """A gateway for as long as the block lasts."""
    gateway = Gateway(folder, hidden, *options)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()
        gateway.log.close()


@contextmanager
def server_of(gateway: Gateway, folder: Path, *options: str, url: str = "", **more: Any) -> Iterator[Server]:
    """A server for as long as the block lasts, which reaches its gateway at `url` where that is another."""
    server = Server(folder, gateway, *options, url=url, **more)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.log.close()


@contextmanager
def behind_gateway(folder: Path, *gateway_options: str, both: Sequence[str] = ()) -> Iterator[Server]:
    """A gateway and a server for as long as the block lasts; `both` are options of the one and the other."""
    hidden = folder / "server"
    with (
        gateway_for(hidden, folder / "gateway", *gateway_options, *both) as gateway,
        server_of(gateway, hidden, *both) as server,
    ):
        yield server


@contextmanager
def behind_wire(folder: Path, *gateway_options: str) -> Iterator[tuple[Server, Wire]]:
    """The same, with a wire between them that can be cut."""
    hidden = folder / "server"
    with (
        gateway_for(hidden, folder / "gateway", *gateway_options) as gateway,
        wire_to(gateway.port) as wire,
        server_of(gateway, hidden, url=f"http://127.0.0.1:{wire.port}") as server,
    ):
        yield server, wire
