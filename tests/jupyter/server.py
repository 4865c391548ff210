"""A real Jupyter server with real kernels, in directories of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from jupyter_client.blocking.client import BlockingKernelClient

TOKEN = "a-token-of-the-tests"
ROOT = Path(__file__).parents[2]

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass
class Cell:
    """What a cell said."""

    stdout: str = ""
    stderr: str = ""
    error: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list)


class Kernel:
    """A kernel of the server, with a client of its own, as a browser's tab is."""

    def __init__(self, server: Jupyter, id: str, notebook: str) -> None:  # noqa: A002 - the name it has there
        self.id = id
        self.notebook = notebook
        self._server = server
        self.client = BlockingKernelClient()
        self.client.load_connection_file(str(server.folder / "runtime" / f"kernel-{id}.json"))
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, timeout: float = 60) -> Cell:
        """Run a cell and return what it said, errors too."""
        return self.heard(self.client.execute(code), timeout)

    def heard(self, request: str, timeout: float = 60) -> Cell:
        """Return what a cell said, which was sent as this request."""
        cell = Cell()
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    setattr(cell, content["name"], getattr(cell, content["name"]) + content["text"])
                case "error":
                    cell.error += f"{content['ename']}: {content['evalue']}"
                case "execute_result" | "display_data":
                    cell.displays.append(content["data"])
                case "status" if content["execution_state"] == "idle":
                    return cell

    def expose(self, code: str) -> Cell:
        """Load the extension, and expose what the code defines."""
        cell = self.run(f"%load_ext nbfunc\n{code}" if not code.startswith("%%") else code)
        assert not cell.error, cell.error
        return cell

    def url(self, function: str) -> str:
        return f"nbfunc/{self.id}/{function}"


class Jupyter:
    """A server; `stop()` or the end of `jupyter()` ends it."""

    def __init__(
        self, folder: Path, *options: str, base: str = "/a%40b/", python: str = sys.executable
    ) -> None:
        self.folder = folder
        self.base = base
        self.token = TOKEN
        self.python = python
        self.options = options
        self.kernels: list[Kernel] = []
        (folder / "notebooks").mkdir(parents=True, exist_ok=True)
        self.log = (folder / "server.log").open("ab")
        self.start()

    def start(self) -> None:
        runtime = self.folder / "runtime"
        for old in runtime.glob("jpserver-*"):
            old.unlink()
        environment = {
            **os.environ,
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "PYTHONWARNINGS": "default",
            "PYTHONPATH": str(ROOT),
        }
        command = [
            self.python, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0",
            f"--ServerApp.base_url={self.base}", f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.folder / 'notebooks'}", *self.options,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, env=environment, cwd=self.folder, stdout=self.log, stderr=self.log
        )
        info = self.until(lambda: next(runtime.glob("jpserver-*.json"), None))
        said = self.until(lambda: json.loads(info.read_text() or "null"))
        self.port = int(urlsplit(said["url"]).port)

    def until(self, ready: Callable[[], T | None], seconds: float = 60) -> T:
        """Return what `ready` returns once that is something."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.said()
            found = ready()
            if found:
                return found
            assert time.monotonic() < deadline, f"waited in vain\n{self.said()}"
            time.sleep(0.02)

    def said(self) -> str:
        """Return the server's log."""
        return (self.folder / "server.log").read_text()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        **headers: str,
    ) -> Answer:
        """Send a request below the base URL; a body that is no bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"token {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        url = path if path.startswith("/") else self.base + path
        connection.request(method, url, body, sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return Answer(answer.status, answer.headers, content)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", path, {} if body is None else body, **headers)

    def kernel(self, notebook: str = "made here.ipynb", name: str = "python3") -> Kernel:
        """Start a kernel for a notebook."""
        model = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": name}}
        answer = self.post("api/sessions", model)
        assert answer.status == 201, answer.text
        kernel = Kernel(self, answer.json["kernel"]["id"], notebook)
        self.kernels.append(kernel)
        return kernel

    def act(self, kernel: Kernel, action: str) -> None:
        """Restart or interrupt a kernel."""
        assert self.post(f"api/kernels/{kernel.id}/{action}").status in {200, 204}

    def stop(self, number: int = signal.SIGTERM) -> None:
        for kernel in self.kernels:
            kernel.client.stop_channels()
        self.kernels.clear()
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(30)


@contextmanager
def jupyter(folder: Path, *options: str, **more: Any) -> Iterator[Jupyter]:
    """A server for as long as the block lasts."""
    server = Jupyter(folder, *options, **more)
    try:
        yield server
    finally:
        server.stop()
        server.log.close()
