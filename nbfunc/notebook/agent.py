"""The kernel's side of `KernelHost`: an `InProcessHost` that a Jupyter server asks over the control channel.

It answers while a cell runs, since the control channel has a thread and an event loop of its own: everything
here but `Agent.expose` and its like happens there, and what takes longer goes to threads.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import secrets
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import zmq

from nbfunc._version import __version__
from nbfunc.errors import AskerError, InvalidArguments, NotFound, StorageError
from nbfunc.files.returns import ReturnsDir
from nbfunc.hosts.base import FunctionInfo, RawArguments
from nbfunc.hosts.in_process import Exposed, InProcessHost
from nbfunc.hosts.protocol import (
    AWAKE,
    BLOCK,
    CHANGED,
    EVENTS,
    PROTOCOL,
    REPLY,
    REQUEST,
    TOPIC,
    mismatch,
)
from nbfunc.notebook.folder import KernelFolder
from nbfunc.notebook.main_thread import MainThread, NotebookThread
from nbfunc.notebook.outflow import Outflow
from nbfunc.notebook.passed import PassedUploads, PushedUploads

logger = logging.getLogger("nbfunc")

CALL_SECONDS = 10.0
MOST_IN_PARTS = 4
# How often is looked for what servers that are gone have left.
TIDY_SECONDS = 60.0
UNANSWERED = {"known", "acknowledge", "part", "stir"}
# The server may not listen yet when a notebook's first cell speaks: it is told again, a few times.
AGAIN_SECONDS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """What a kernel knows of its Jupyter server.

    Attributes
    ----------
    base : str
        The path of nbfunc's pages: ``<base_url>nbfunc/``.
    kernel : str
        This kernel's id there.
    notebook : str, optional
        The path of the notebook that this kernel runs.
    shared : bool
        Whether files go straight into the server's own directory.
    uploads_dir : str, optional
        Where it keeps uploads, if that is on this disk.
    """

    base: str
    kernel: str
    notebook: str | None
    shared: bool
    uploads_dir: str | None = None


@dataclass(frozen=True)
class _Asked:
    """One request: who asked, what, and what came along."""

    idents: list[bytes]
    parent: dict[str, Any]
    content: dict[str, Any]
    buffers: list[Any]


class _Nowhere:
    """Where files go before a server has said where; no run starts before."""

    def put(self, *_: Any, **__: Any) -> Any:
        raise StorageError("No Jupyter server has asked this kernel yet, so there is no place for files.")

    put_table = promise_table = put
    promises = False


class Agent:
    """Answers the server for one kernel.

    Parameters
    ----------
    kernel : ipykernel.kernelbase.Kernel
        With a control channel that has a thread of its own.
    main : NotebookThread
        Its main thread.
    clock : callable
        Tells the time, in seconds.

    Attributes
    ----------
    main : NotebookThread
        Its main thread.
    server : Server, optional
        None until it has asked for the first time.
    trouble : str
        Why the server cannot be talked to, where it cannot.
    """

    def __init__(
        self, kernel: Any, main: NotebookThread, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kernel = kernel
        self._clock = clock
        self._folder = KernelFolder(Path(tempfile.gettempdir()))
        self._session = kernel.session
        self._stream = kernel.control_stream
        self._loop: asyncio.AbstractEventLoop = self._stream.io_loop.asyncio_loop
        self._pushed = PushedUploads(lambda: self._folder.path / "uploads")
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="nbfunc-agent")
        self._id = secrets.token_hex(8)
        self._flows: dict[str, Outflow] = {}
        self._parts: dict[str, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting: dict[str, bool] = {}  # by run: whether it was cancelled meanwhile
        self._version = 0
        self._known = 0
        self._heard = threading.Condition()
        self.server: Server | None = None
        self.trouble = ""
        self.main = main
        nothing = PassedUploads({"paths": {}, "filenames": {}, "problems": {}}, self._pushed)
        # The server says how many run at once: its line is before this one.
        self.host = InProcessHost((), store=_Nowhere(), uploads=nothing, max_concurrency=None, main=main)
        self._loop.call_soon_threadsafe(self._listen)
        # The server logs how runs fail; here it would land in whichever cell ran last.
        runs = logging.getLogger("nbfunc.runs")
        runs.propagate = False
        runs.addHandler(logging.NullHandler())

    # For the notebook's thread

    def expose(self, exposed: list[Exposed]) -> None:
        """Expose functions, or put new ones in the place of old ones of their names."""
        self._call(lambda: self._put(exposed))
        self._changed()

    def remove(self, names: list[str]) -> None:
        """Expose these no more; running runs go on."""
        self._call(lambda: [self.host.remove(name) for name in names])
        self._changed()

    def functions(self) -> list[FunctionInfo]:
        """Return what is exposed."""
        return self._call(self.host.functions)

    def call_server(self) -> None:
        """Let the server ask, so that it is known, though nothing is exposed."""
        self._changed()

    @property
    def store(self) -> ReturnsDir:
        """Where this kernel's files go, once a server has asked."""
        store = self.host.store
        assert isinstance(store, ReturnsDir)
        return store

    def wait_for_server(self, seconds: float) -> Server | None:
        """Wait until the server knows what is exposed now; None if it does not ask."""
        with self._heard:
            self._heard.wait_for(lambda: self.trouble or self._known == self._version, seconds)
            return self.server if self._known == self._version else None

    def clear(self) -> None:
        """Expose nothing. The agent itself stays: runs may go on, and the server asks what is left."""
        self.remove([info.name for info in self.functions()])

    def _call(self, act: Callable[[], T]) -> T:
        async def once() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(once(), self._loop).result(CALL_SECONDS)

    def _changed(self) -> None:
        with self._heard:
            self._version += 1
        self._announce(self._version)
        for seconds in AGAIN_SECONDS:
            self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._announce, self._version)

    def _announce(self, version: int) -> None:
        """Tell everybody that something changed, unless the server knows or more has changed since."""
        if self._known < version == self._version:
            self._session.send(self._kernel.iopub_socket, CHANGED, {}, parent={}, ident=TOPIC)

    # On the control channel's loop

    def _put(self, exposed: list[Exposed]) -> None:
        for each in exposed:
            self.host.put(each)

    def _listen(self) -> None:
        # Before the kernel's own dispatch: that would say "busy" and "idle" to every browser, in the middle
        # of a cell too, and count as activity of the kernel.
        self._stream.on_recv(self._received, copy=False)
        self._keep(self._tidy_always())

    def _keep(self, act: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _received(self, frames: list[zmq.Frame]) -> Awaitable[None] | None:
        idents, rest = self._session.feed_identities(frames, copy=False)
        if len(rest) < 2 or REQUEST.encode() not in rest[1].bytes:
            dispatched: Awaitable[None] = self._kernel.dispatch_control(frames)
            return dispatched
        try:
            message = self._session.deserialize(rest, content=True, copy=False)
        except ValueError:
            logger.exception("A message on the control channel is not signed with this kernel's key.")
            return None
        content = message["content"]
        if content.get("op") == "parts":
            content = json.loads(b"".join(self._parts.pop(content["of"], [b'{"op": "parts"}'])))
        asked = _Asked(idents, message["header"], content, message["buffers"])
        self._keep(self._answer(asked))
        return None

    async def _answer(self, asked: _Asked) -> None:
        buffers: list[Any] = []
        try:
            answer = await _OPS[asked.content["op"]](self, asked)
            reply: dict[str, Any] = answer if isinstance(answer, dict) else {}
            if isinstance(answer, bytes):
                buffers = [answer]
        except AskerError as error:
            reply = {"error": {"type": type(error).__name__, "message": str(error)}}
            if isinstance(error, InvalidArguments):
                reply["error"]["problems"] = error.problems
        except Exception as error:
            logger.exception("nbfunc could not answer the server.")
            reply = {"error": {"type": "AskerError", "message": f"{type(error).__name__}: {error}"}}
        if asked.content["op"] not in UNANSWERED:
            self._send(REPLY, asked, reply, buffers)

    def _send(self, kind: str, asked: _Asked, content: dict[str, Any], buffers: list[Any]) -> None:
        self._session.send(
            self._stream, kind, content, parent=asked.parent, ident=asked.idents, buffers=buffers
        )
        # Now, not in the loop's next turn.
        self._stream.flush(zmq.POLLOUT)

    async def _hello(self, asked: _Asked) -> dict[str, Any]:
        content = asked.content
        trouble = mismatch(content["protocol"], content["version"], PROTOCOL, __version__)
        with self._heard:
            self.trouble = trouble
            self._heard.notify_all()
        if trouble:
            raise NotFound(trouble)
        nonce = None
        if "nonce" in content:
            nonce, store = await self._in_thread(self._meet, content)
            self.host.store = store
        shared = nonce is not None if "nonce" in content else bool(self.server and self.server.shared)
        version = self._version
        functions = [dataclasses.asdict(info) for info in self.host.functions()]
        uploads_dir = content.get("uploads_dir", self.server.uploads_dir if self.server else None)
        self.server = Server(
            content["base"],
            content["kernel"],
            content["notebook"],
            shared,
            uploads_dir if shared else None,
        )
        return {
            "protocol": PROTOCOL,
            "version": __version__,
            "agent": self._id,
            "nonce": nonce,
            "functions": functions,
            "exposed": version,
        }

    def _meet(self, content: dict[str, Any]) -> tuple[str | None, ReturnsDir]:
        """Return what the server's nonce file holds, if this is its disk, and where files go."""
        directory = Path(content["returns_dir"])
        try:
            said = (directory / content["nonce"]).read_text()
            return said, ReturnsDir(directory, **content["bounds"])
        except (OSError, UnicodeDecodeError, StorageError):
            # The server fetches files from here when they are whole.
            return None, self._folder.returns

    async def _is_known(self, asked: _Asked) -> None:
        with self._heard:
            self._known = asked.content["version"]
            self._heard.notify_all()

    async def _form(self, asked: _Asked) -> dict[str, Any]:
        content = asked.content
        return {"form": await self.host.form(content["name"], ask=bool(content.get("ask", True)))}

    async def _start(self, asked: _Asked) -> None:
        content, run = asked.content, str(asked.content["run"])
        if run in self._flows or run in self._starting:
            return  # asked again after the connection broke
        self._starting[run] = False
        uploads = PassedUploads(content["passed"], self._pushed)
        try:
            raw = RawArguments(**content["arguments"])
            # Each run keeps to the one that it finds when it is asked for, which is now.
            self.host.uploads = uploads
            events = await self.host.start(content["name"], raw, run=run, user=content["user"])
        except BaseException:
            uploads.release(run)
            self._starting.pop(run)
            raise

        kept = content.get("kept") is True
        flow = self._flows[run] = Outflow(self._sender(asked, run), kept=kept, now=self._clock())
        if self._starting.pop(run):
            await self.host.cancel(run)
        task = self._loop.create_task(flow.pump(events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._flows.pop(run))

    def _sender(self, asked: _Asked, run: str) -> Callable[[int, bool, bytes], None]:
        def send(batch: int, over: bool, events: bytes) -> None:
            self._send(EVENTS, asked, {"run": run, "batch": batch, "over": over}, [events])

        return send

    async def _resume(self, asked: _Asked) -> dict[str, Any]:
        runs: dict[str, list[int]] = asked.content["runs"]
        sent: dict[str, int] = dict.fromkeys(set(runs) & set(self._starting), 0)
        for run, (arrived, read) in runs.items():
            flow = self._flows.get(run)
            if flow is not None and not flow.released:
                flow.heard = self._clock()
                flow.acknowledge(read)
                sent[run] = flow.resume(arrived, self._sender(asked, run))
        return {"sent": sent, "agent": self._id}

    async def _release(self, asked: _Asked) -> None:
        await self._give_up(asked.content["run"])

    async def _give_up(self, run: str) -> None:
        """Nobody waits for this run any more: it ends, if it has not."""
        flow = self._flows.get(run)
        if flow is not None:
            flow.release()
            await self.host.cancel(run)

    async def tidy(self) -> None:
        """Give up what no server waits for; on the control channel's loop."""
        now = self._clock()
        for run in [run for run, flow in self._flows.items() if flow.is_forsaken(now)]:
            logger.warning("Run %s is given up: no server has asked for it any more.", run)
            await self._give_up(run)
        if self._folder.made:
            await self._in_thread(self._folder.sweep)
            await self._in_thread(self._pushed.sweep, time.time())

    async def _tidy_always(self) -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            try:
                await self.tidy()
            except Exception:
                logger.exception("What servers left in this kernel could not be cleared away.")

    async def _part(self, asked: _Asked) -> None:
        parts = self._parts.setdefault(asked.content["of"], [])
        if asked.content["number"] == len(parts):
            parts.append(bytes(asked.buffers[0]))
        # The parts of one come without others between: the end of an older one will not come any more.
        while len(self._parts) > MOST_IN_PARTS:
            del self._parts[next(iter(self._parts))]

    async def _stir(self, asked: _Asked) -> None:
        for run in asked.content.get("runs", ()):
            if run in self._flows:
                self._flows[run].heard = self._clock()
        self._session.send(self._kernel.iopub_socket, AWAKE, {}, parent={}, ident=TOPIC)

    async def _check(self, asked: _Asked) -> None:
        self.host.uploads = PassedUploads(asked.content["passed"], self._pushed)
        await self.host.check(asked.content["name"], RawArguments(**asked.content["arguments"]))

    async def _acknowledge(self, asked: _Asked) -> None:
        flow = self._flows.get(asked.content["run"])
        if flow is not None:
            flow.heard = self._clock()
            flow.acknowledge(asked.content["batch"])

    async def _cancel(self, asked: _Asked) -> None:
        run = asked.content["run"]
        if run in self._starting:
            self._starting[run] = True
        else:
            await self.host.cancel(run)

    async def _read(self, asked: _Asked) -> bytes:
        content = asked.content
        place = content["id"], content["filename"], content["offset"]
        return await self._in_thread(self._block, *place, min(BLOCK, content["size"]))

    def _block(self, file: str, filename: str, offset: int, size: int) -> bytes:
        with self.store.find(file, filename).open() as stream:
            stream.seek(offset)
            return stream.read(size)

    async def _write(self, asked: _Asked) -> None:
        content = asked.content
        await self._in_thread(
            self._pushed.write, content["token"], content["filename"], content["offset"], asked.buffers[0]
        )

    async def _forget(self, asked: _Asked) -> None:
        await self._in_thread(self.store.remove, asked.content["id"], asked.content["filename"])

    def _in_thread(self, act: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        return self._loop.run_in_executor(self._threads, act, *arguments)


Op = Callable[[Agent, _Asked], Awaitable[dict[str, Any] | bytes | None]]

_OPS: dict[str, Op] = {
    "hello": Agent._hello,  # who asks, and where to put files; answered with what is exposed
    "known": Agent._is_known,  # the server has taken in what was exposed then; not answered
    "form": Agent._form,  # one function's form
    "check": Agent._check,  # whether a run could be started so
    "start": Agent._start,  # a run, whose events follow
    "acknowledge": Agent._acknowledge,  # so many batches were read; not answered
    "cancel": Agent._cancel,  # a run
    "resume": Agent._resume,  # runs whose events were lost with a connection; answered with what was sent
    "release": Agent._release,  # a run whose events have all arrived, or are not waited for any more
    "part": Agent._part,  # of a request that is too large for one message; not answered
    "stir": Agent._stir,  # say something, for who culls what is silent; its runs are waited for; not answered
    "read": Agent._read,  # a block of a returned file; empty after its end
    "write": Agent._write,  # a block of an upload
    "forget": Agent._forget,  # a returned file that the server has now
}


# One for each kernel, for as long as it lives: what unloading the extension leaves running still answers.
_AGENTS: WeakKeyDictionary[Any, Agent] = WeakKeyDictionary()


def agent_of(shell: Any) -> Agent | None:
    """Return the agent of a notebook's kernel.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
        The notebook's.

    Returns
    -------
    Agent or None
        None where the kernel cannot answer while a cell runs: it is no ipykernel, or one before version 6.
    """
    kernel: Any = getattr(shell, "kernel", None)
    if getattr(kernel, "control_thread", None) is None:
        return None
    if kernel not in _AGENTS:
        _AGENTS[kernel] = Agent(kernel, MainThread(shell, kernel.io_loop.asyncio_loop))
    return _AGENTS[kernel]
