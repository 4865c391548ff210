"""The numbered events of one run, kept for pages that come back."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
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
from nbfunc.files import hours
from nbfunc.hosts.base import FunctionHost
from nbfunc.web.addresses import KEPT_SECONDS, Addresses, json_bytes, rfc3339

# What Python itself needs for a run and for an event, about: a million empty events are not free.
RUN_OVERHEAD = 2048
ENTRY_OVERHEAD = 256
CUT = "[nbfunc: what was printed before this was dropped, {limit:,} bytes of all runs are kept]\n"

STATUS = {Finished: "finished", Failed: "failed", CancelledEvent: "cancelled"}
# Of these kinds only the newest of several in a row is kept.
REPLACED = {"progress", "queued"}


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
        # What has passed since, where it can be told: the clock may have been set.
        counted = hours.now(time.time, hours.THIS_BOOT).counted(self.file.id)
        age = now - self.file.created if counted is None else counted
        left = max(0, int(KEPT_SECONDS - age))
        return self.fields[:-1] + b',"expires_in":%d}' % left

    def data(self, now: float) -> bytes:
        """Return the JSON of the event without its opening brace, for who has fields to put before."""
        fields = self.fields
        if self.kind == "output":
            fields = b'"output":' + self.output(now)
        elif self.kind == "printed":
            fields = self.fields + b',"text":' + json_bytes(self.text)
        return b'"kind":"' + self.kind.encode() + b'"' + (b"," + fields if fields else b"") + b"}"


@dataclass(eq=False, kw_only=True, slots=True)
class RunLog:
    """What is known of one run. Thousands are kept, so one that has ended is few objects.

    Attributes
    ----------
    ended : float, optional
        When its last event came, in seconds since the epoch; None while it goes on.
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
    _next: int = 1
    _watchers: set[asyncio.Event] | None = field(default_factory=set)
    _over: asyncio.Event | None = None

    def add(self, event: Event) -> None:
        """Keep an event, and wake who waits for it."""
        kind = event.kind
        entry = _ENTRIES[type(event)](self, event)
        self._next += 1
        if kind in REPLACED and self.entries and self.entries[-1].kind == kind:
            # Only the newest tells anything; a reader has seen the older one, or need not.
            self.size -= self.entries.pop().size
        self.entries.append(entry)
        self.size += entry.size
        if self._watchers:
            for watcher in self._watchers:
                watcher.set()
        if isinstance(event, Last):
            self.ended, self.status = self.clock(), STATUS[type(event)]
            if self._over is not None:
                self._over.set()
            self._watchers = self._over = None

    def _queued(self, event: Queued) -> Entry:
        self.position = event.position
        return Entry(self._next, "queued", b'"position":%d' % event.position)

    def _started(self, _: Started) -> Entry:
        self.started = self.clock()
        self.status = "running" if self.status == "queued" else self.status
        return Entry(self._next, "started")

    def _printed(self, event: Printed) -> Entry:
        return Entry(self._next, "printed", b'"stream":"%b"' % event.stream.encode(), event.text)

    def _progressed(self, event: Progress) -> Entry:
        self.progress = event
        return Entry(self._next, "progress", _fields(event))

    def _returned(self, event: OutputEvent) -> Entry:
        output = event.output
        file = output.file if isinstance(output, File) else None
        return Entry(self._next, "output", json_bytes(self.addresses.output(output)), file=file)

    def _failed(self, event: Failed) -> Entry:
        self.failure = event
        return Entry(self._next, "failed", _fields(event))

    def _ended(self, event: Finished | CancelledEvent) -> Entry:
        return Entry(self._next, event.kind)

    def after(self, n: int, most: int = 1000) -> list[Entry]:
        """Return the events that follow number `n`, at most so many of them."""
        start = bisect_right(self.entries, n, key=lambda entry: entry.n)
        return self.entries[start : start + most]

    @contextmanager
    def watched(self, watcher: asyncio.Event) -> Iterator[None]:
        """Set `watcher` whenever an event comes."""
        watchers = self._watchers
        if watchers is None:
            yield  # it has ended: none comes
            return
        watchers.add(watcher)
        try:
            yield
        finally:
            watchers.discard(watcher)

    async def end(self) -> None:
        """Return when it has ended."""
        if self.ended is None:
            self._over = self._over or asyncio.Event()
            await self._over.wait()

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
            said["message"] = str(self.failure)
            said["reason"] = "failed"
        elif self.status == "cancelled":
            said["message"] = "The run was cancelled."
            said["reason"] = "cancelled"
        outputs = b",".join(entry.output(now) for entry in entries if entry.kind == "output")
        return json_bytes(said)[:-1] + b',"outputs":[' + outputs + b"]}"


_ENTRIES: Mapping[type, Callable[[RunLog, Any], Entry]] = {
    Queued: RunLog._queued,
    Started: RunLog._started,
    Printed: RunLog._printed,
    Progress: RunLog._progressed,
    OutputEvent: RunLog._returned,
    Finished: RunLog._ended,
    Failed: RunLog._failed,
    CancelledEvent: RunLog._ended,
}


def _fields(event: Progress | Failed) -> bytes:
    """Return the JSON of what an event holds beside its kind, no braces."""
    return json_bytes(event.model_dump(exclude={"kind"}, exclude_none=isinstance(event, Failed)))[1:-1]
