"""All runs of a site: each is followed to its end, and remembered for a day in bounded memory."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable

from nbfunc.core.events import CancelledEvent, Event, Failed
from nbfunc.errors import NotFound
from nbfunc.hosts.base import FunctionHost, RawArguments
from nbfunc.web.addresses import Addresses
from nbfunc.web.runlog import RunLog

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS = 24 * 3600.0
RUN_LOG_SIZE = 256 << 20
# A thread that sleeps does not hear that it is cancelled; a server that stops does not wait for it.
CANCEL_SECONDS = 2.0
EVENTS_A_TURN = 100


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
        for event in events.ready():
            self._add(log, event)
        if log.ended is not None:
            return log
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
                said = event.traceback or str(event)
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
