"""What handlers are given: where functions, files, runs and addresses are. A composition root fills it in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from tornado.web import RequestHandler

from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import FunctionHost
from nbfunc.web.addresses import Addresses, json_bytes
from nbfunc.web.pages import Pages
from nbfunc.web.runlog import RunLog
from nbfunc.web.runs import Runs

logger = logging.getLogger(__name__)

BODY_LIMIT = 64 << 20
DISK_THREADS = 16
CLOSE_SECONDS = 2.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One host and what an index says of it; standalone there is one, without a kernel."""

    host: FunctionHost
    kernel: str | None = None
    notebook: str | None = None
    state: str | None = None


class Guard(Protocol):
    """Who may ask."""

    def admit(self, handler: RequestHandler, *, public: bool) -> str | Awaitable[str | None] | None:
        """Return who asks, None where there are no names; raise `Unauthorized` or `Forbidden` otherwise.

        Parameters
        ----------
        handler : RequestHandler
            Before its body is read.
        public : bool
            Whether this resource needs no login.
        """

    def readmit(self, handler: RequestHandler) -> Awaitable[None] | None:
        """Return if who was admitted may still ask; raise what a new request would hear otherwise.

        Parameters
        ----------
        handler : RequestHandler
            In the middle of an answer that lasts.
        """

    def login(self, handler: RequestHandler) -> str | None:
        """Return where a browser without a login is sent, if it can log in at all."""

    def sees_all_runs(self, handler: RequestHandler) -> bool:
        """Say whether who asks may know of others' runs."""


class Audit(Protocol):
    """Who is told what happens, for an administrator to know."""

    def started(self, log: RunLog) -> None:
        """A run was asked for."""

    def ended(self, log: RunLog) -> None:
        """It is over."""

    def downloaded(self, filename: str, size: int, user: str | None) -> None:
        """A returned file is being sent to somebody."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds.

    Attributes
    ----------
    body : int
        Bytes of a request's body, files apart.
    upload : int, optional
        Bytes of one uploaded file.
    """

    body: int = BODY_LIMIT
    upload: int | None = None


class Changes:
    """What happens around the runs (functions that come and go), told to the pages that listen."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Event, list[bytes]] = {}

    def tell(self, kind: str, **fields: Any) -> None:
        """Tell all pages: ``changed`` or ``removed`` with `url`, ``kernel`` with `id` and `state`."""
        frame = event_frame(kind, **fields)
        for woken, waiting in self._listeners.items():
            if frame not in waiting:
                waiting.append(frame)
            woken.set()

    @contextmanager
    def heard(self, woken: asyncio.Event) -> Iterator[list[bytes]]:
        """Collect what is told, as frames, in a list; `woken` is set at each."""
        waiting: list[bytes] = []
        self._listeners[woken] = waiting
        try:
            yield waiting
        finally:
            del self._listeners[woken]


def event_frame(kind: str, **fields: Any) -> bytes:
    """Return one server-sent event without a number."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json_bytes({"kind": kind, **fields}))


@dataclass(frozen=True, kw_only=True)
class Site:
    """What all handlers of one mounted site share.

    Attributes
    ----------
    sources : callable
        Returns all hosts that there are now.
    source_of : callable
        Returns the host of a kernel, or standalone of None; raises `NotFound` where there is none.
    headers : mapping
        Sent with every answer.
    served : callable
        Called at each request, on the loop that serves it: the place to start what needs that loop.
    notices : callable
        Returns what an index says beside its functions: notebooks that are still running, or stopped.
    check : callable
        Called where an index would be empty; raises what to say instead, if there is something.
    audit : Audit, optional
        Told what happens.
    refresh : callable
        Called before the functions are listed: brings up to date what is known of their notebooks.
    """

    sources: Callable[[], Sequence[Source]]
    source_of: Callable[[str | None], Source]
    addresses: Addresses
    returns: ReturnsDir
    uploads: UploadsDir
    runs: Runs
    guard: Guard
    pages: Pages
    limits: Limits = Limits()
    changes: Changes = field(default_factory=Changes)
    headers: Mapping[str, str] = field(default_factory=dict)
    served: Callable[[], None] = lambda: None
    refresh: Callable[[], Awaitable[None]] | None = None
    notices: Callable[[], Sequence[str]] = tuple
    check: Callable[[], None] = lambda: None
    audit: Audit | None = None
    # Disks block: whatever touches one goes here, never to the loop.
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="nbfunc-disk")
    )

    # Who is giving a long answer, so that a server which stops waits for its end.
    sending: set[asyncio.Task[Any]] = field(default_factory=set)
    # The handlers of files that come or go just now.
    moving: set[RequestHandler] = field(default_factory=set)
    _later: set[asyncio.Task[None]] = field(default_factory=set)

    def later(self, act: Coroutine[Any, Any, None]) -> None:
        """Do something that no answer waits for."""
        task = asyncio.ensure_future(act)
        self._later.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._later.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("Cleaning up failed.", exc_info=task.exception())

    async def close(self) -> None:
        """Cancel what runs, finish what is being cleaned up, and let go of the threads."""
        await self.runs.close()
        if self._later:
            _, slow = await asyncio.wait(self._later, timeout=CLOSE_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
        self.threads.shutdown(wait=False)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count this task among those that are `sending`."""
        task = asyncio.current_task()
        assert task is not None
        self.sending.add(task)
        try:
            yield
        finally:
            self.sending.discard(task)

    def in_thread(self, act: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """Call what blocks."""
        return asyncio.get_running_loop().run_in_executor(self.threads, act, *arguments)
