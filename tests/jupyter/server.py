"""A real Jupyter server with real kernels, in directories of its own."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from jupyter_client.blocking.client import BlockingKernelClient

from tests.looking import files_below

TOKEN = "a-token-of-the-tests"
# Another Python for the kernels, such as one with an older ipykernel; nbfunc's packages must be there.
KERNEL_PYTHON = os.environ.get("NBFUNC_KERNEL_PYTHON", "")
# They cost a second at each start.
OTHERS = (
    "jupyterlab",
    "jupyter_lsp",
    "jupyter_server_terminals",
    "notebook",
    "notebook_shim",
    "voila.server_extension",
)
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


class Stream:
    """Server-sent events, as they come."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self._lines = answer
        self._id: str | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        """Return the next event's data; its number, where it has one, as ``id``."""
        deadline = time.monotonic() + 60
        while line := self._lines.readline():
            if time.monotonic() > deadline:
                raise TimeoutError("nothing but comments for a minute")
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                self._id = value
            elif name == "data":
                said: dict[str, Any] = json.loads(value)
                return said | ({} if self._id is None else {"id": int(self._id)})
        raise StopIteration

    def until(self, **fields: Any) -> dict[str, Any]:
        """Return the next event that has these fields."""
        for event in self:
            if all(event.get(name) == value for name, value in fields.items()):
                return event
        raise AssertionError(f"the stream ended without {fields}")


class Kernel:
    """A kernel of the server, with a client of its own, as a browser's tab is.

    Attributes
    ----------
    heard_all : list of dict
        Every message of its iopub channel so far, whichever request it belongs to.
    """

    def __init__(self, server: Jupyter, id: str, notebook: str) -> None:  # noqa: A002 - the name it has there
        self.id = id
        self.notebook = notebook
        self._server = server
        self._began_under = server.process
        self.heard_all: list[dict[str, Any]] = []
        self.client = BlockingKernelClient()
        self.client.load_connection_file(str(server.connection_file(id)))
        self.client.start_channels(hb=False)
        try:
            self.wait_until_ready()
        except BaseException:
            self.client.stop_channels()
            raise

    def wait_until_ready(self) -> None:
        """Wait until it answers, at first or after a restart."""
        for _ in range(60):
            with suppress(RuntimeError):
                self.client.wait_for_ready(timeout=1)
                return
            self._look_after_server()
        raise TimeoutError(f"the kernel does not answer\n{self._server.said()}")

    def run(self, code: str, timeout: float = 60) -> Cell:
        """Run a cell and return what it said, errors too."""
        return self.heard(self.client.execute(code), timeout)

    def heard(self, request: str, timeout: float = 60) -> Cell:
        """Return what a cell said, which was sent as this request."""
        cell = Cell()
        while True:
            message = self._next(timeout)
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

    def _next(self, timeout: float) -> dict[str, Any]:
        """Return the next message of its iopub channel."""
        deadline = time.monotonic() + timeout
        while True:
            with suppress(queue.Empty):
                message: dict[str, Any] = self.client.get_iopub_msg(timeout=1)
                self.heard_all.append(message)
                return message
            self._look_after_server()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the kernel said nothing for {timeout:.0f} seconds")

    def _look_after_server(self) -> None:
        """Raise if the server that started this kernel has ended, and so has the kernel."""
        if self._began_under.poll() is not None:
            raise ConnectionError("the kernel's server has ended")

    def begin_cell(self, code: str, *, magic: str = "") -> str:
        """Start a cell, below its magic if it has one; return its request once its code runs.

        From then on it can be interrupted.
        """
        # Not a print, which goes out when ipykernel's timer says so, in pieces.
        said = "__import__('IPython').display.display('the cell runs')"
        request: str = self.client.execute("\n".join(filter(None, (magic, said, code))))
        while True:
            message = self._next(60)
            if message["msg_type"] == "display_data" and message["parent_header"].get("msg_id") == request:
                return request

    def reply(self, request: str) -> dict[str, Any]:
        """Return what the kernel answers to a request of its shell channel."""
        while True:
            message = self.client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = message["content"]
                return content

    def expose(self, code: str) -> Cell:
        """Load the extension, and expose what the code defines."""
        cell = self.run(f"%load_ext nbfunc\n{code}" if not code.startswith("%%") else code)
        assert not cell.error, cell.error
        return cell

    def url(self, function: str) -> str:
        return f"nbfunc/{self.id}/{function}"

    def call(self, function: str, **arguments: Any) -> Answer:
        """Run an exposed function to its end."""
        return self._server.post(self.url(function), arguments)

    def begin(self, function: str, **arguments: Any) -> str:
        """Start an exposed function, and return the run's address."""
        answer = self._server.post(self.url(function), arguments, Prefer="respond-async")
        assert answer.status == 202, answer.text
        return f"nbfunc/-/runs/{answer.json['run']}"

    @property
    def pid(self) -> int:
        """Its process."""
        (pid,) = (int(line) for line in self.run("import os; print(os.getpid())").stdout.split())
        return pid

    def shut_down(self) -> None:
        """End it, as the notebook's menu does."""
        self.client.stop_channels()
        self._server.kernels.remove(self)
        self._server.ask("DELETE", f"api/kernels/{self.id}")


class Jupyter:
    """A server; `stop()` or the end of `jupyter()` ends it."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        base: str = "/a%40b/",
        python: str = sys.executable,
        with_nbfunc: bool = True,
        config: str = "",
    ) -> None:
        self.folder = folder
        self.base = base
        self.token = TOKEN
        self.python = python
        self.port = 0  # any; the same one when it is started again
        self.options = options
        self.kernels: list[Kernel] = []
        self._made = 0
        for name in ("notebooks", "config", "temporary"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        if KERNEL_PYTHON:
            self.add_kernelspec(
                "python3", KERNEL_PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}"
            )
        extensions = dict.fromkeys(OTHERS, False) | {"nbfunc": with_nbfunc}
        settings = f"c.ServerApp.jpserver_extensions = {extensions}\n{config}"
        (folder / "config" / "jupyter_server_config.py").write_text(settings)
        self.log = (folder / "server.log").open("ab")

    def add_kernelspec(self, name: str, *argv: str, **environment: str) -> None:
        """Let there be another kind of kernel."""
        place = self.folder / "data" / "kernels" / name
        place.mkdir(parents=True, exist_ok=True)
        spec = {"argv": argv, "display_name": name, "language": "python", "env": environment}
        (place / "kernel.json").write_text(json.dumps(spec))

    def start(self) -> None:
        runtime = self.folder / "runtime"
        for old in runtime.glob("jpserver-*"):
            old.unlink()
        self.process = subprocess.Popen(
            self.command(), env=environment(self.folder), cwd=self.folder, stdout=self.log, stderr=self.log
        )
        info = self.until(lambda: next(runtime.glob("jpserver-*.json"), None))
        said = self.until(lambda: json.loads(info.read_text() or "null"))
        self.port = int(urlsplit(said["url"]).port)
        self.until(self._listens)

    def command(self) -> list[str]:
        """Return what starts it."""
        return [
            self.python, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={self.port}",
            f"--ServerApp.base_url={self.base}", f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.folder / 'notebooks'}", *self.options,
        ]  # fmt: skip

    def _listens(self) -> bool:
        # What names the port is written before anybody listens there.
        try:
            return self.get("api").status == 200
        except ConnectionRefusedError:
            return False

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
        with closing(connection):  # the server may be killed at any moment
            connection.request(method, url, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def get(self, path: str, **headers: Any) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: Any) -> Answer:
        return self.ask("POST", path, {} if body is None else body, **headers)

    @contextmanager
    def stream(self, path: str, **headers: str) -> Iterator[Stream]:
        """Read events for as long as the block lasts; one that does not come within a minute is an error."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Accept": "text/event-stream", "Authorization": f"token {self.token}"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(connection):
            connection.request("GET", self.base + path, headers=sent | more)
            with closing(connection.getresponse()) as answer:
                yield Stream(answer)

    def send_form(
        self,
        path: str,
        fields: Mapping[str, str],
        files: Mapping[str, tuple[str, bytes]],
        **headers: Any,
    ) -> Answer:
        """Send a multipart form, as a browser's."""
        pieces = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        for name, (filename, content) in files.items():
            head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
            pieces += [head.encode(), content, b"\r\n"]
        headers["Content_Type"] = "multipart/form-data; boundary=b"
        return self.ask("POST", path, b"".join(pieces) + b"--b--\r\n", **headers)

    def cookies(self) -> dict[str, str]:
        """Log in as a browser does, and return the headers that it sends from then on."""
        answer = self.get("api/me")
        pairs = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie", [])]
        tree = self.ask("GET", f"tree?token={self.token}", token=None)
        pairs += [value.partition(";")[0] for value in tree.headers.get_all("Set-Cookie", [])]
        (xsrf,) = {pair.partition("=")[2] for pair in pairs if pair.startswith("_xsrf=")}
        return {"Cookie": "; ".join(pairs), "X_XSRFToken": xsrf}

    def upload(self, filename: str, content: bytes) -> str:
        """Upload a file by tus, and return its token."""
        tus = {"Tus_Resumable": "1.0.0"}
        named = f"filename {b64encode(filename.encode()).decode()}"
        made = self.ask(
            "POST", "nbfunc/-/uploads", Upload_Length=str(len(content)), Upload_Metadata=named, **tus
        )
        assert made.status == 201, made.text
        patched = self.ask(
            "PATCH",
            made.headers["Location"],
            content,
            Content_Type="application/offset+octet-stream",
            Upload_Offset="0",
            **tus,
        )
        assert patched.status == 204, patched.text
        return str(made.headers["Location"]).rpartition("/")[2]

    def returned(self) -> list[Path]:
        """Return the returned files on disk."""
        return sorted(path for path in self.folder.glob("data/nbfunc/*/*") if path.is_file())

    def uploaded(self) -> list[Path]:
        """Return the uploaded files on disk."""
        found = (path for place in self.folder.glob("data/nbfunc/*/uploads") for path in files_below(place))
        return sorted(path for path in found if path.suffix != ".held")

    def kernel(self, notebook: str | None = None, name: str = "python3") -> Kernel:
        """Start a kernel for a notebook, by default one of its own."""
        self._made += 1
        notebook = notebook or f"made here {self._made}.ipynb"
        model = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": name}}
        answer = self.post("api/sessions", model)
        assert answer.status == 201, answer.text
        kernel = Kernel(self, answer.json["kernel"]["id"], notebook)
        self.kernels.append(kernel)
        return kernel

    def connection_file(self, kernel: str) -> Path:
        """Return the file that says how to reach a kernel."""
        return self.folder / "runtime" / f"kernel-{kernel}.json"

    def act(self, kernel: Kernel, action: str) -> None:
        """Restart or interrupt a kernel."""
        assert self.post(f"api/kernels/{kernel.id}/{action}").status in {200, 204}

    def stop(self, number: int = signal.SIGTERM) -> None:
        for kernel in self.kernels:
            kernel.client.stop_channels()
        self.kernels.clear()
        end(self.process, number, self.said)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process that keeps all its files in this folder."""
    return {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "IPYTHONDIR": str(folder / "ipython"),
        "TMPDIR": str(folder / "temporary"),
        "PYTHONWARNINGS": "default",
        "PYTHONPATH": str(ROOT),
    }


def end(process: subprocess.Popen[bytes], number: int, said: Callable[[], str]) -> None:
    """Let a process end by itself; one that does not within half a minute is an error."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"it does not stop\n{said()}") from None


@contextmanager
def jupyter(folder: Path, *options: str, **more: Any) -> Iterator[Jupyter]:
    """A server for as long as the block lasts."""
    server = Jupyter(folder, *options, **more)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.log.close()


def aged(path: Path, seconds: float) -> Path:
    """Give a returned file the name that it would have, were it made so long ago, before the last boot."""
    when, id_, name = path.name.split("-", 2)
    made = f"{int((time.time() - seconds) * 1000):0{len(when)}x}"
    return path.rename(path.with_name(f"{made}-0000{id_[4:]}-{name}"))
