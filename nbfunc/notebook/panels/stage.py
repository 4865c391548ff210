"""What panels stand on: one host of functions in this process, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import functools
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from nbfunc.core.events import StoredFile
from nbfunc.core.fields import Options
from nbfunc.errors import AskerError
from nbfunc.files.returns import KEPT_SECONDS, ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.in_process import InProcessHost
from nbfunc.notebook.agent import Agent, Server, agent_of
from nbfunc.notebook.panels.echo import Echo

T = TypeVar("T")

# Looks at whether the server has been heard of: it asks within some 10 ms where its extension runs.
MEET_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Links(Protocol):
    """Where returned files can be had in the browser."""

    def url(self, file: StoredFile) -> str | None:
        """Return the address of a returned file; None where the browser cannot reach it."""


class NoLinks:
    """Where no server hands files out."""

    def url(self, file: StoredFile) -> str | None:  # noqa: ARG002 - a Links
        return None


class ServerLinks:
    """Where the Jupyter server hands out what its kernels return.

    Parameters
    ----------
    server : Server
        Which has this kernel's disk.
    """

    def __init__(self, server: Server) -> None:
        self._base = server.base

    def url(self, file: StoredFile) -> str | None:
        return f"{self._base}-/files/{file.id}/{quote(file.filename, safe='')}"


class Sender(Protocol):
    """What chooses files."""

    def send_to_server(self) -> None:
        """Let the browser send them to the server, which has uploads of any size."""

    def spent(self, tokens: Collection[str]) -> None:
        """Some uploads were taken by a run, perhaps its own."""


class Stage:
    """The host of all panels of this process.

    Attributes
    ----------
    host : InProcessHost
        Belongs to `loop`.
    loop : asyncio.AbstractEventLoop
        Runs in a daemon thread, so that the kernel is free for cells.
    store : ReturnsDir
        Where returned files go; a temporary directory at first.
    links : Links
        Where the browser finds them; nowhere at first.
    echo : Echo
        Tells when what was filled in is here; to be awaited on `loop`.
    """

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="nbfunc-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._offered: weakref.WeakKeyDictionary[Callable[[], Any], Options] = weakref.WeakKeyDictionary()
        self.links: Links = NoLinks()
        self._senders: weakref.WeakSet[Sender] = weakref.WeakSet()
        self.uploads = LentUploads(folder / "uploads", self._spent)
        self._store = ReturnsDir(folder / "returned_files")
        self._agent = _agent()
        main = None if self._agent is None else self._agent.main
        self.host = InProcessHost([], store=self._store, uploads=self.uploads, main=main)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="nbfunc-panels", daemon=True).start()
        self.echo = Echo(self.loop, (lambda: 0) if self._agent is None else self._agent.main.cells)
        self.submit(self._sweep())
        self.submit(self._meet())

    @property
    def store(self) -> ReturnsDir:
        return self._store

    @store.setter
    def store(self, store: ReturnsDir) -> None:
        self.host.store = self._store = store

    def settle(self) -> None:
        """Keep files where the Jupyter server hands them out, once it has said where that is."""
        server = None if self._agent is None else self._agent.server
        if self._agent is not None and server is not None and server.shared:
            self.store, self.links = self._agent.store, ServerLinks(server)

    def add(self, sender: Sender) -> None:
        """Let something that chooses files send them to the server, as soon as that is known to be there."""

        async def added() -> None:
            self._senders.add(sender)
            if self.uploads.server is not None:
                sender.send_to_server()

        self.submit(added())

    def _spent(self, tokens: Collection[str]) -> None:
        for sender in list(self._senders):
            sender.spent(tokens)

    async def _meet(self) -> None:
        """Find the server's directory of uploads, if it is on this disk."""
        for seconds in MEET_SECONDS if self._agent is not None else ():
            server = None if self._agent is None else self._agent.server
            if server is not None:
                if server.uploads_dir is not None:
                    self.uploads.server = await asyncio.to_thread(UploadsDir, server.uploads_dir)
                    for sender in list(self._senders):
                        sender.send_to_server()
                return
            await asyncio.sleep(seconds)

    async def ask(self, source: Callable[[], Any]) -> Options | str:
        """Return what a dropdown offers now, or why it has nothing to offer; on the loop."""
        answer = await self.host.ask(source)
        if not isinstance(answer, str):
            self._offered[source] = answer
        return answer

    def upload(self, token: str) -> Path:
        """Return an upload's file: a stage is the `Inputs` of what is filled in."""
        return self.uploads.find(token)

    def offered(self, source: Callable[[], Any]) -> Iterator[Options]:
        """Yield what a dropdown offered last."""
        yield self._offered.get(source, ())

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Do something on the loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    async def _sweep(self) -> None:
        while True:
            await asyncio.gather(
                asyncio.to_thread(self.store.sweep),
                asyncio.to_thread(self.uploads.sweep),
                return_exceptions=True,  # a full disk today is no reason not to sweep tomorrow
            )
            await asyncio.sleep(KEPT_SECONDS)


def _agent() -> Agent | None:
    """Return the agent of this kernel, which makes its server known; None where there is no kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    agent = None if shell is None else agent_of(shell)
    if agent is not None:
        agent.call_server()
    return agent


@functools.cache
def stage() -> Stage:
    """Return the stage of this process, made at the first need."""
    return Stage()


class LentUploads(UploadsDir):
    """Uploads, and files of this machine that code named: those are used where they lie, and stay.

    Parameters
    ----------
    path : Path
        For those that come through the kernel.
    spent : callable
        Told which uploads a run has taken.

    Attributes
    ----------
    server : UploadsDir, optional
        The server's, on this disk: what browsers send there is taken from there.
    """

    def __init__(self, path: Path, spent: Callable[[Collection[str]], None]) -> None:
        super().__init__(path)
        self.server: UploadsDir | None = None
        self._spent = spent
        self._lent: set[str] = set()

    def lend(self, path: str) -> None:
        """Let `path` be used as if it were an upload's token."""
        self._lent.add(path)

    def keep(self, name: str, content: bytes | memoryview) -> str:
        """Keep the content of a file and return its token."""
        token = self.create(name, len(content))
        if len(content):
            with self.writer(token, 0) as writer:
                writer.write(content)
        return token

    def find(self, token: str) -> Path:
        if token in self._lent:
            return Path(token)
        if self.server is not None and self._is_sent(token):
            return self.server.find(token)
        return super().find(token)

    def _is_sent(self, token: str) -> bool:
        try:
            self.status(token)
        except AskerError:
            return True
        return False

    def take(self, tokens: list[str], run: str) -> None:
        mine = [token for token in tokens if token not in self._lent]
        sent = [token for token in mine if self.server is not None and self._is_sent(token)]
        super().take([token for token in mine if token not in sent], run)
        if self.server is not None:
            try:
                self.server.take(sent, run)
            except BaseException:
                self.give_back(run)
                raise
        self._spent(sent)

    def release(self, run: str) -> None:
        super().release(run)
        if self.server is not None:
            self.server.release(run)

    def sweep(self) -> int:
        # The server's too: that is how it learns which of them are held here.
        return super().sweep() + (self.server.sweep() if self.server is not None else 0)
