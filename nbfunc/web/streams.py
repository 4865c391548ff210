"""Events as they happen: server-sent events (WHATWG HTML, 9.2) of one run, or of a whole page."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from nbfunc.errors import AskerError, NotFound
from nbfunc.web.resource import Resource
from nbfunc.web.runlog import Entry, RunLog
from nbfunc.web.site import event_frame

COMMENT_SECONDS = 15.0
# Events are joined to pieces of about this many bytes, and the loop has its turn after each.
PIECE = 256 << 10
FIRST_EVENTS = 20


class EventResource(Resource):
    """A resource that can answer with a stream of events."""

    @functools.cached_property
    def woken(self) -> asyncio.Event:
        """Set when there is something to look at."""
        return asyncio.Event()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.woken.set()

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        """Answer with events; a client that leaves, or may not read on, ends it."""
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        # Else the system holds a short event back until the one before is acknowledged, some 40 ms.
        connection.stream.set_nodelay(True)
        try:
            yield
        except StreamClosedError:
            self.left = True
        except AskerError:
            # A stream that ends early is asked for anew, and that request is told why.
            if not self._headers_written:
                raise

    async def send(self, frames: list[bytes]) -> None:
        """Send, and give the loop its turn: a fast reader never makes `flush` wait."""
        await self.readmit()
        self.write(b"".join(frames))
        await self.flush()
        await asyncio.sleep(0)

    async def wait(self) -> None:
        """Wait until something comes, or the client leaves; a comment now and then keeps proxies patient."""
        try:
            await asyncio.wait_for(self.woken.wait(), COMMENT_SECONDS)
        except asyncio.TimeoutError:
            await self.send([b":\n\n"])

    async def stream_run(self, log: RunLog, after: int) -> None:
        """Answer with the events of a run that follow number `after`, to its last."""
        async with self.stream():
            with log.watched(self.woken):
                while not self.left:
                    self.woken.clear()
                    frames, after, more = taken(log, after, page=False)
                    if frames or not self._headers_written:
                        await self.send(frames)
                    elif log.ended is not None:
                        return
                    if not more and not frames:
                        await self.wait()

    async def stream_page(self, runs: Iterable[tuple[str, int]], *, changes: bool) -> None:
        """Answer with the events of several runs, and with what changes around them."""
        async with self.stream():
            with ExitStack() as listening:
                said = listening.enter_context(self.site.changes.heard(self.woken)) if changes else []
                watched: dict[str, tuple[RunLog, int]] = {}
                frames = []
                for run, after in runs:
                    try:
                        log = self.run_of(run)
                    except NotFound:
                        frames.append(event_frame("unknown", run=run))
                        continue
                    watched[run] = log, after
                    listening.enter_context(log.watched(self.woken))
                await self.send(frames or [b":\n\n"])
                while not self.left and (changes or watched):
                    self.woken.clear()
                    frames = list(said)
                    said.clear()
                    for run, (log, after) in list(watched.items()):
                        mine, reached, more = taken(log, after, page=True)
                        frames += mine
                        watched[run] = log, reached
                        if log.ended is not None and not more:
                            del watched[run]
                    if frames:
                        await self.send(frames)
                    elif changes or watched:
                        await self.wait()


def taken(log: RunLog, after: int, *, page: bool) -> tuple[list[bytes], int, bool]:
    """Return frames of the events after a number, the number reached, and whether there are more already."""
    frames: list[bytes] = []
    size = 0
    now = log.clock()
    for entry in log.after(after):
        frames.append(page_frame(log, entry, now) if page else frame(log, entry, now))
        after = entry.n
        size += len(frames[-1])
        if size > PIECE:
            break
    return frames, after, bool(log.after(after, 1))


def frame(log: RunLog, entry: Entry, now: float) -> bytes:
    """Return one event of a run's own stream."""
    run = b'"run":"%b",' % log.id.encode() if entry.kind in {"queued", "started"} else b""
    return b"id: %d\nevent: %b\ndata: {%b%b\n\n" % (entry.n, entry.kind.encode(), run, entry.data(now))


def page_frame(log: RunLog, entry: Entry, now: float) -> bytes:
    """Return one event of a page's stream: which run, and its number in it, are among its data."""
    return b"event: %b\ndata: %b\n\n" % (entry.kind.encode(), page_data(log, entry, now))


def page_data(log: RunLog, entry: Entry, now: float) -> bytes:
    """Return the JSON of an event with its run and its number."""
    return b'{"run":"%b","n":%d,%b' % (log.id.encode(), entry.n, entry.data(now))


def first_events(log: RunLog) -> bytes:
    """Return the JSON of a run that was just started: its id, and the events so far."""
    now = log.clock()
    events = b",".join(page_data(log, entry, now) for entry in log.after(0, FIRST_EVENTS))
    return b'{"run":"%b","events":[%b]}' % (log.id.encode(), events)
