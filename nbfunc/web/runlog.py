"""The numbered events of each run, kept for pages that come back: for a day, and in bounded memory."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbfunc.core.events import (
    CancelledEvent,
    Event,
    Failed,
    File,
    Finished,
    Last,
    OutputEvent,
    Printed,
    Progress,
    Queued,
    Started,
    StoredFile,
)
from nbfunc.errors import NotFound
from nbfunc.hosts.base import FunctionHost, RawArguments
from nbfunc.web.addresses import KEPT_SECONDS, Addresses, json_bytes, rfc3339

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS = 24 * 3600.0
RUN_LOG_SIZE = 256 << 20
# A thread that sleeps does not hear that it is cancelled; a server that stops does not wait for it.
CANCEL_SECONDS = 2.0
EVENTS_A_TURN = 100
# What Python itself needs for a run and for an event, about: a million empty events are not free.
RUN_OVERHEAD = 2048
ENTRY_OVERHEAD = 256
CUT = "[nbfunc: what was printed before this was dropped, {limit:,} bytes of all runs are kept]\n"

STATUS = {Finished: "finished", Failed: "failed", CancelledEvent: "cancelled"}


@dataclass(slots=True)
class Entry:
    """One event, ready to be sent: `fields` are the JSON of what it holds beside its kind, no braces.

    Attributes
    ----------
    text : str
        What was printed; its JSON is made when it is sent.
    file : StoredFile, optional
        The file that it offers, whose time left is known when it is sent.
    """

    n: int
    kind: str
    fields: bytes = b""
    text: str = ""
    file: StoredFile | None = None

    @property
    def size(self) -> int:
        return ENTRY_OVERHEAD + len(self.fields) + len(self.text)

    def output(self, now: float) -> bytes:
        """Return an output's JSON."""
        if self.file is None:
            return self.fields
        left = max(0, int(self.file.created + KEPT_SECONDS - now))
        return self.fields[:-1] + b',"expires_in":%d}' % left

    def data(self, now: float) -> bytes:
        """Return the JSON of the event without its opening brace, for who has fields to put before."""
        fields = self.fields
        if self.kind == "output":
            fields = b'"output":' + self.output(now)
        elif self.kind == "printed":
            fields = self.fields + b',"text":' + json_bytes(self.text)
        return b'"kind":"' + self.kind.encode() + b'"' + (b"," + fields if fields else b"") + b"}"


@dataclass(eq=False, kw_only=True)
class RunLog:
    """What is known of one run.

    Attributes
    ----------
    ended : float, optional
        When its last event came, in seconds since the epoch; None while it goes on.
    over : asyncio.Event
        Set when it has ended.
    """

    id: str
    host: FunctionHost
    function: str
    addresses: Addresses
    clock: Callable[[], float] = time.time
    kernel: str | None = None
    user: str | None = None
    status: str = "queued"
    position: int | None = None
    progress: Progress | None = None
    started: float | None = None
    ended: float | None = None
    failure: Failed | None = None
    entries: list[Entry] = field(default_factory=list)
    size: int = RUN_OVERHEAD
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _next: int = 1
    _watchers: set[asyncio.Event] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Keep an event, and wake who waits for it."""
        entry = self._entry(event)
        self._next += 1
        last = self.entries[-1] if self.entries else None
        if last is not None and last.kind == entry.kind and entry.kind in {"progress", "queued"}:
            # Only the newest tells anything; a reader has seen the older one, or need not.
            self.size -= self.entries.pop().size
        self.entries.append(entry)
        self.size += entry.size
        match event:
            case Queued():
                self.position = event.position
            case Progress():
                self.progress = event
            case Failed():
                self.failure = event
        if event.kind == "started":
            self.started = self.clock()
            self.status = "running" if self.status == "queued" else self.status
        if isinstance(event, Last):
            self.ended, self.status = self.clock(), STATUS[type(event)]
            self.over.set()
        for watcher in self._watchers:
            watcher.set()

    def _entry(self, event: Event) -> Entry:
        match event:
            case Printed():
                return Entry(self._next, event.kind, b'"stream":"%b"' % event.stream.encode(), event.text)
            case OutputEvent(output=output):
                file = output.file if isinstance(output, File) else None
                return Entry(self._next, event.kind, json_bytes(self.addresses.output(output)), file=file)
            case Queued():
                return Entry(self._next, event.kind, b'"position":%d' % event.position)
            case Started() | Finished() | CancelledEvent():
                return Entry(self._next, event.kind)
            case _:
                fields = event.model_dump(exclude={"kind", "run"}, exclude_none=isinstance(event, Failed))
                return Entry(self._next, event.kind, json_bytes(fields)[1:-1])

    def after(self, n: int, most: int = 1000) -> list[Entry]:
        """Return the events that follow number `n`, at most so many of them."""
        start = bisect_right(self.entries, n, key=lambda entry: entry.n)
        return self.entries[start : start + most]

    @contextmanager
    def watched(self, watcher: asyncio.Event) -> Iterator[None]:
        """Set `watcher` whenever an event comes."""
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    def drop(self, excess: int, limit: int) -> None:
        """Lose the oldest prints, at last the oldest outputs, until `excess` bytes are free; and say so."""
        for kinds in ({"printed", "progress"}, {"output"}):
            kept: list[Entry] = []
            dropped = None
            for entry in self.entries:
                if excess > 0 and entry.kind in kinds:
                    dropped = entry
                    excess -= entry.size
                    self.size -= entry.size
                else:
                    kept.append(entry)
            if dropped is not None:
                note = Entry(dropped.n, "printed", b'"stream":"stderr"', CUT.format(limit=limit))
                kept.append(note)
                kept.sort(key=lambda entry: entry.n)
                self.size += note.size
                self.entries = kept
            if excess <= 0:
                return

    @property
    def files(self) -> list[StoredFile]:
        """The files that it returned."""
        return [entry.file for entry in self.entries if entry.file is not None]

    def summary(self) -> dict[str, Any]:
        """Return what a list of runs says of it."""
        said: dict[str, Any] = {
            "run": self.id,
            "function": self.function,
            "url": self.addresses.function(self.function, self.kernel),
            "status": self.status,
            "started": None if self.started is None else rfc3339(self.started),
            "ended": None if self.ended is None else rfc3339(self.ended),
        }
        if self.status == "queued" and self.position is not None:
            said["position"] = self.position
        if self.progress is not None:
            said["progress"] = self.progress.model_dump(exclude={"kind"})
        return said

    def body(self) -> bytes:
        """Return what POST answers, as far as it is known; for a long log to be called in a thread."""
        now, entries = self.clock(), self.entries.copy()
        said: dict[str, Any] = {"run": self.id, "status": self.status}
        said["printed"] = "".join(entry.text for entry in entries if entry.kind == "printed")
        if self.failure is not None:
            said["error"] = self.failure.model_dump(exclude={"kind"}, exclude_none=True)
            said["message"] = f"{self.failure.type}: {self.failure.message}"
            said["reason"] = "failed"
        elif self.status == "cancelled":
            said["message"] = "The run was cancelled."
            said["reason"] = "cancelled"
        outputs = b",".join(entry.output(now) for entry in entries if entry.kind == "output")
        return json_bytes(said)[:-1] + b',"outputs":[' + outputs + b"]}"


class Runs:
    """All runs of a site, by id.

    Parameters
    ----------
    addresses : Addresses
        Of the site.
    limit : int
        Bytes of events kept in all: the oldest runs that ended go first, then a running one's prints.
    tracebacks : bool
        Whether those of failures go to the page; they are in the log anyhow.
    started, ended : callable
        Called with each run when it was asked for, and when it is over.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        limit: int = RUN_LOG_SIZE,
        tracebacks: bool = False,
        started: Callable[[RunLog], None] = lambda _: None,
        ended: Callable[[RunLog], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tracebacks = tracebacks
        self._tell_started = started
        self._tell_ended = ended
        self.clock = clock
        self._addresses = addresses
        self._limit = limit
        self._size = 0
        self._logs: dict[str, RunLog] = {}
        self._ended: dict[str, RunLog] = {}  # in the order in which they ended
        self._following: set[asyncio.Task[None]] = set()

    async def start(
        self, host: FunctionHost, function: str, raw: RawArguments, *, kernel: str | None, user: str | None
    ) -> RunLog:
        """Start a run, and follow it whoever else does. Raises what the host does."""
        self.forget_old()
        run = secrets.token_urlsafe(16)
        events = await host.start(function, raw, run=run, user=user)
        log = RunLog(
            id=run,
            host=host,
            function=function,
            addresses=self._addresses,
            clock=self.clock,
            kernel=kernel,
            user=user,
        )
        self._logs[run] = log
        self._size += log.size
        self._tell_started(log)
        task = asyncio.create_task(self._follow(log, events))
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        return log

    async def _follow(self, log: RunLog, events: AsyncIterator[Event]) -> None:
        try:
            # To the very end: an asynchronous generator that is left early costs a task to close it.
            async for event in events:
                if log.ended is None:
                    self._add(log, event)
                if len(log.entries) % EVENTS_A_TURN == 0:
                    await asyncio.sleep(0)  # others have their turn, however fast a function yields
        except asyncio.CancelledError:
            self._add(log, CancelledEvent())
            raise
        except Exception as error:
            logger.exception("The events of run %s of %s broke off.", log.id, log.function)
            self._add(log, Failed(type=type(error).__name__, message="The run's events broke off."))
        if log.ended is None:
            self._add(log, Failed(type="RuntimeError", message="The run ended without a word."))

    def _add(self, log: RunLog, event: Event) -> None:
        if isinstance(event, Failed):
            if log.kernel is not None:
                # A kernel has no log of its own: there it would land in a cell.
                said = event.traceback or f"{event.type}: {event.message}"
                logger.error("Run %s of %s failed.\n%s", log.id, log.function, said)
            if not self._tracebacks:
                event = event.model_copy(update={"traceback": None})
        before = log.size
        log.add(event)
        self._size += log.size - before
        if log.ended is not None:
            self._ended[log.id] = log
            self._tell_ended(log)
        if self._size > self._limit:
            self._make_room()

    def _make_room(self) -> None:
        while self._size > self._limit and self._ended:
            self._forget(next(iter(self._ended.values())))
        if self._size > self._limit and self._logs:
            # Down to seven eighths, so that this is not done again at each event.
            largest = max(self._logs.values(), key=lambda log: log.size)
            before = largest.size
            largest.drop(self._size - self._limit * 7 // 8, self._limit)
            self._size += largest.size - before

    def forget_old(self) -> None:
        """Forget the runs that ended more than a day ago."""
        oldest = self.clock() - REMEMBERED_SECONDS
        while self._ended:
            log = next(iter(self._ended.values()))
            if log.ended is not None and log.ended > oldest:
                return
            self._forget(log)

    def _forget(self, log: RunLog) -> None:
        del self._logs[log.id], self._ended[log.id]
        self._size -= log.size

    def get(self, run: str) -> RunLog:
        """Return a run.

        Raises
        ------
        NotFound
            It is unknown, or forgotten.
        """
        self.forget_old()
        if run not in self._logs:
            raise NotFound("This run is not known here: it never was, or a day has passed since it ended.")
        return self._logs[run]

    def all(self) -> list[RunLog]:
        """Return all runs, the newest first."""
        self.forget_old()
        return list(reversed(self._logs.values()))

    async def cancel(self, log: RunLog) -> None:
        """Ask a run to stop."""
        if log.ended is None:
            log.status = "cancelling"
            await log.host.cancel(log.id)

    async def close(self) -> None:
        """Cancel what runs, wait for it a little, and follow no more."""
        for log in self.all():
            await self.cancel(log)
        if self._following:
            _, slow = await asyncio.wait(self._following, timeout=CANCEL_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
