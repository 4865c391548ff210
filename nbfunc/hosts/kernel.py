"""Functions of a kernel: only a transport to the `InProcessHost` in it.

What a kernel says is input, not truth: its messages are checked, its files taken in as the server's own, and
whatever it does not answer ends in an error in bounded time.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from nbfunc._version import __version__
from nbfunc.core.events import CancelledEvent, Event, Failed, Finished, Last, OutputEvent, Queued
from nbfunc.errors import (
    AskerError,
    Expired,
    KernelDied,
    KernelError,
    KernelRestarted,
    KernelUnreachable,
    NotFound,
)
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.arrivals import Arrivals
from nbfunc.hosts.base import Events, FunctionHost, FunctionInfo, RawArguments
from nbfunc.hosts.belongings import Belongings, Claims
from nbfunc.hosts.channels import Buffers, Channel
from nbfunc.hosts.line import Line, Turn
from nbfunc.hosts.protocol import EVENTS, PROTOCOL, REPLY, WINDOW, mismatch
from nbfunc.hosts.questions import Questions

logger = logging.getLogger("nbfunc")

MOST_FUNCTIONS = 10_000
DYING_CHECKS = 5
DYING_SECONDS = 0.1
# A batch that breaks the connection each time that it comes is not asked for for ever.
MOST_RESUMED = 3

UNREACHABLE = "The kernel's gateway could not be reached. Try again."
GIVEN_UP = "The kernel ended this run, since it heard nothing of the server for too long. Try again."

State: TypeAlias = Literal["starting", "idle", "busy", "restarting", "dead"]
Told: TypeAlias = Callable[[Literal["changed", "removed"], str], None]

_FUNCTIONS: TypeAdapter[list[FunctionInfo]] = TypeAdapter(list[FunctionInfo])

_LOST: Mapping[type[KernelError], str] = {
    KernelDied: (
        # Whether it does, its manager says later.
        "The kernel died. If it does not come back by itself, start it again; then run the notebook's cells."
    ),
    KernelRestarted: "The kernel was restarted. Run the notebook's cells again.",
}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A kernel, as its host sees it: what it is told of the server, and what is known of it.

    Attributes
    ----------
    base : str
        The path of nbfunc's pages.
    kernel : str
        Its id.
    notebook : callable
        Returns the path of the notebook that it runs, as things are now.
    life : callable
        Says whether its process lives, has died, or is being stopped by who knows more.
    """

    base: str
    kernel: str
    notebook: Callable[[], Coroutine[Any, Any, str | None]]
    life: Callable[[], Coroutine[Any, Any, Literal["alive", "dead", "stopping"]]]


@dataclass(eq=False)
class _Run:
    """One that goes on, or waits for its turn."""

    arrivals: Arrivals
    turn: Turn
    # How often it was resumed, and at which batch, without one more having arrived.
    resumed: int = 0
    resumed_at: int = -1


class KernelHost(FunctionHost):
    """A host of functions that live in a kernel; for one event loop.

    Parameters
    ----------
    channel : Channel
        The way to it; opened here.
    peer : Peer
        The kernel.
    returns, uploads : ReturnsDir, UploadsDir
        This server's.
    claims : Claims
        Shared by all hosts of the server.
    line : Line
        In which all runs of the server wait for their turn.
    threads : Executor
        For what blocks.
    told : callable
        Called with ``"changed"`` or ``"removed"`` and a function's name.

    Attributes
    ----------
    state : str
        As Jupyter has it.
    """

    def __init__(
        self,
        channel: Channel,
        peer: Peer,
        *,
        returns: ReturnsDir,
        uploads: UploadsDir,
        claims: Claims,
        line: Line,
        threads: Executor,
        told: Told,
    ) -> None:
        self.state: State = "starting"
        self._channel = channel
        self._peer = peer
        self._returns = returns
        self._line = line
        self._told = told
        self._questions = Questions(channel)
        self._files = Belongings(
            self._questions, returns=returns, uploads=uploads, claims=claims, threads=threads
        )
        self._functions: dict[str, FunctionInfo] = {}
        self._runs: dict[str, _Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._warned: set[str] = set()
        self._given_up: list[str] = []  # by now nobody waits for them, and the kernel does not know
        self._met = False  # it knows where this server keeps files
        self._agent = ""  # names the one that was met: after a restart there is another
        self._greeting = False
        self._resuming = False
        self._news = False
        self._lost: type[KernelError] | None = None
        self._trouble = ""
        channel.open(self)

    # FunctionHost

    def functions(self) -> list[FunctionInfo]:
        return list(self._functions.values())

    async def form(self, name: str, *, ask: bool = True) -> dict[str, Any]:
        self._check(name)
        # A kernel of an older version asks for the options all the same.
        answer, _ = await self._questions.ask("form", name=name, ask=ask)
        form = answer.get("form")
        if not isinstance(form, dict):
            raise AskerError("The kernel's answer is no form.")
        return form

    async def start(self, name: str, raw: RawArguments, *, run: str, user: str | None = None) -> Events:
        self._check(name)
        arrivals = Arrivals(run, self._warn)
        asked: dict[str, Any] = {"name": name, "run": run, "user": user, "kept": self._channel.resumes}
        joined = False

        def begin() -> None:
            if joined:
                self._go(self._start_later(arrivals, asked))

        turn = Turn([self._line], begin, lambda position: arrivals.say(Queued(run=run, position=position)))
        try:
            asked["arguments"] = {"values": raw.values, "texts": raw.texts, "uploads": raw.uploads}
            asked["passed"] = await self._files.lend(raw, run)
            if self._line.full:
                # What waits is known to be right; what is wrong is refused now.
                await self._questions.ask("check", **asked)
            self._runs[run] = _Run(arrivals, turn)
            turn.join()
            joined = True
            if turn.begun:
                await self._questions.ask("start", **asked)
        except BaseException as error:
            if run in self._runs:
                del self._runs[run]
                turn.leave()
            if not isinstance(error, AskerError) or isinstance(error, KernelError):
                # It may start all the same, later.
                self._questions.insist("cancel", run=run)
            await self._files.take_back(run)
            raise
        return Events(self._events(arrivals))

    async def _start_later(self, arrivals: Arrivals, asked: dict[str, Any]) -> None:
        """Start a run that had to wait: it was promised already, so what is wrong now is its end."""
        try:
            await self._questions.ask("start", **asked)
        except AskerError as error:
            self._questions.insist("cancel", run=arrivals.run)
            arrivals.say(Failed(type=type(error).__name__, message=str(error)))

    async def cancel(self, run: str) -> None:
        if run not in self._runs:
            return
        if self._runs[run].turn.begun:
            self._questions.insist("cancel", run=run)
        else:
            self._runs[run].arrivals.say(CancelledEvent())

    # What the kernel manager knows

    def check(self) -> None:
        """Raise what keeps this kernel from being asked at all.

        Raises
        ------
        KernelDied, KernelRestarted
            What it exposed is gone.
        NotFound
            It has another nbfunc, which this server does not understand.
        """
        if self._lost is not None and not self._functions:
            raise self._lost(_LOST[self._lost])
        if self._trouble:
            raise NotFound(self._trouble)

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return bool(self._runs)

    def lost(self, why: type[KernelDied] | type[KernelRestarted]) -> None:
        """The kernel is gone, or a new one in its place: fail what is in flight, expose nothing."""
        self._lost, self._met, self._agent, self._trouble = why, False, "", ""
        self._questions.fail(why(_LOST[why]))
        self._fail_runs(why.__name__, _LOST[why])
        removed, self._functions = self._functions, {}
        for name in removed:
            self._told("removed", name)

    def begun_anew(self) -> None:
        """The kernel says that it starts: if it was met before, somebody has restarted it."""
        if self._met:
            self.lost(KernelRestarted)

    def stir(self) -> None:
        """Let no gateway take the kernel for idle, and say which runs are waited for."""
        self._questions.tell("stir", runs=list(self._runs))
        if self._channel.resumes:
            self._resume_soon(broke=False)  # whatever was lost on the way, though nothing broke here

    def close(self) -> None:
        """Close the channel; what is in flight fails."""
        self.lost(KernelDied)
        self._questions.close()
        for task in self._tasks:
            task.cancel()
        self._channel.close()

    # What comes from the kernel (Listener)

    def changed(self) -> None:
        self._news = True
        if not self._greeting:
            self._greeting = True
            self._go(self._greet())

    def disconnected(self) -> None:
        # Long before the kernel manager looks.
        self._go(self._look())

    def reconnected(self) -> None:
        self._questions.again()
        given_up, self._given_up = self._given_up, []
        for run in given_up:
            self._questions.insist("release", run=run)
        self._resume_soon()
        if self._met:
            self.changed()  # its own word of it may have been lost

    def unreachable(self) -> None:
        self._given_up += self._runs
        self._questions.fail(KernelUnreachable(UNREACHABLE))
        self._fail_runs("KernelUnreachable", UNREACHABLE)

    def answered(self, kind: str, asked: str, content: dict[str, Any], buffers: Buffers) -> None:
        if kind == REPLY:
            self._questions.answered(asked, (content, buffers))
        elif kind == EVENTS and len(buffers) == 1:
            self._arrived(content, bytes(buffers[0]))
        else:
            self._warn("stray", f"sent a message of type {kind!r} that nobody asked for")

    def _arrived(self, content: dict[str, Any], events: bytes) -> None:
        known = self._runs.get(str(content.get("run")))
        if known is None or known.arrivals.over:
            return  # of a run that was given up
        arrivals = known.arrivals
        batch = content.get("batch")
        if self._channel.resumes and isinstance(batch, int) and batch > arrivals.batch + 1:
            self._resume_soon()  # what came before it was lost with a connection
        elif not arrivals.arrive(batch, over=content.get("over") is True, events=events):
            self._warn("order", "sent events out of order")
            self._questions.insist("cancel", run=arrivals.run)

    async def _events(self, arrivals: Arrivals) -> AsyncIterator[Event]:
        acknowledged = 0
        try:
            while True:
                for event in await arrivals.next():
                    shown = await self._shown(event, arrivals.run)
                    if isinstance(shown, Last):
                        # First, so that who reads of the end finds the uploads gone.
                        self._files.release(arrivals.run)
                    if shown is not None:
                        yield shown
                    if isinstance(shown, Last):
                        return
                await asyncio.sleep(0)  # others have their turn, however much has arrived
                # Not each: half a window is room enough, and each costs the kernel some time.
                if arrivals.read - acknowledged >= WINDOW // 2:
                    acknowledged = arrivals.read
                    self._questions.tell("acknowledge", run=arrivals.run, batch=acknowledged)
        finally:
            if self._channel.resumes:
                # The kernel keeps it till then.
                self._questions.insist("release", run=arrivals.run)
            self._runs.pop(arrivals.run).turn.leave()
            self._files.release(arrivals.run)

    async def _shown(self, event: Event, run: str) -> Event | None:
        """Return an event as the server says it; None for one that names what is not the run's."""
        if isinstance(event, Last):
            full = await self._files.settle(run)
            refused = full is not None and isinstance(event, Finished)
            return Failed(type=type(full).__name__, message=str(full)) if refused else event
        if not isinstance(event, OutputEvent):
            return event
        try:
            return OutputEvent(output=await self._files.own(event.output, run))
        except (NotFound, Expired, EOFError, ValueError) as error:
            self._warn("file", f"named a file that is not its own: {error}")
            return None
        except AskerError as error:
            self._questions.insist("cancel", run=run)
            return Failed(type=type(error).__name__, message=str(error))

    # What it exposes

    def _check(self, name: str) -> None:
        self.check()
        if name not in self._functions:
            raise NotFound(f"The kernel does not expose a function {name!r} (any more).")

    async def _greet(self) -> None:
        """Ask what it exposes, until nothing more has changed."""
        try:
            while self._news:
                self._news = False
                answer = await self._meet()
                if self._agent not in {"", str(answer.get("agent"))}:
                    self.lost(KernelRestarted)  # and nobody said so
                    answer = await self._meet()
                self._agent = str(answer.get("agent"))
                self._trouble = mismatch(
                    PROTOCOL, __version__, answer.get("protocol"), str(answer.get("version"))
                )
                self._lost = None
                self._exposed(answer.get("functions"))
                self._questions.tell("known", version=answer.get("exposed"))
        except NotFound as error:
            self._trouble = str(error)
            logger.warning("Kernel %s: %s", self._peer.kernel, error)
        except AskerError as error:
            logger.warning("Kernel %s: %s", self._peer.kernel, error)
        finally:
            self._greeting = False

    async def _meet(self) -> dict[str, Any]:
        peer = self._peer
        content: dict[str, Any] = {
            "protocol": PROTOCOL,
            "version": __version__,
            "base": peer.base,
            "kernel": peer.kernel,
            "notebook": await peer.notebook(),
        }
        if self._met:
            answer, _ = await self._questions.ask("hello", **content)
            return answer
        # Whether it has this disk is proved, not believed: it must say what this file holds.
        secret = secrets.token_hex(16)
        nonce = await self._files.in_thread(self._returns.put, secret.encode(), "nonce")
        try:
            path = self._returns.find(nonce.id, nonce.filename).path
            content |= {"nonce": path.name, "returns_dir": str(path.parent), "bounds": self._returns.bounds}
            content |= {"uploads_dir": str(self._files.uploads_dir)}
            answer, _ = await self._questions.ask("hello", **content)
        finally:
            await self._files.in_thread(self._returns.remove, nonce.id, nonce.filename)
        self._files.shared = answer.get("nonce") == secret
        self._met = True
        return answer

    def _exposed(self, said: Any) -> None:
        """Take in what the kernel says it exposes, and tell what changed."""
        try:
            functions = _FUNCTIONS.validate_python(said)[:MOST_FUNCTIONS]
        except ValidationError as error:
            self._warn("functions", f"says that it exposes what is no function: {error.errors()[0]['msg']}")
            return
        before, self._functions = self._functions, {info.name: info for info in functions}
        for name in before:
            if name not in self._functions:
                self._told("removed", name)
        for name in self._functions:
            # The same description may stand for another function: its page asks again.
            self._told("changed", name)

    async def _look(self) -> None:
        """See why the connection broke."""
        life = await self._peer.life()
        for _ in range(DYING_CHECKS):
            if life != "alive":
                break
            # A process that is killed loses its connections a moment before it is gone.
            await asyncio.sleep(DYING_SECONDS)
            life = await self._peer.life()
        match life:
            case "dead":
                self.lost(KernelDied)
                if self._channel.resumes:
                    self._channel.close()  # its gateway knows it no more, and gives no id twice
            case "alive" if self._channel.resumes:
                pass  # who says so may know better soon; this does not go on for ever
            case "alive":
                # It sent more than it may, and ZMQ hung up on it for good. What was on its way is lost.
                self._warn("size", "sent more than it may in one message")
                self._channel.reopen()
                self._questions.fail(KernelUnreachable("The connection to the kernel broke. Try again."))
                for run in self._runs:
                    self._questions.insist("cancel", run=run)
                self._fail_runs("ProtocolError", "The connection to the kernel broke.")

    def _resume_soon(self, *, broke: bool = True) -> None:
        # One that is not answered is asked again like all else.
        if not self._resuming and self._runs:
            self._resuming = True
            self._go(self._resume(broke=broke))

    async def _resume(self, *, broke: bool) -> None:
        """Ask for what did not arrive of the runs' events."""
        runs = {
            run: [known.arrivals.batch, known.arrivals.read]
            for run, known in self._runs.items()
            if known.turn.begun
        }
        try:
            answer, _ = await self._questions.ask("resume", runs=runs)
        except AskerError as error:
            logger.warning("Kernel %s: %s", self._peer.kernel, error)
            return
        finally:
            self._resuming = False
        sent = answer.get("sent")
        same = answer.get("agent") == self._agent
        for run in runs:
            known = self._runs.get(run)
            if known is None or known.arrivals.over:
                continue
            batch = sent.get(run) if isinstance(sent, dict) else None
            if not isinstance(batch, int):
                kind = KernelUnreachable if same else KernelRestarted
                known.arrivals.say(
                    Failed(type=kind.__name__, message=GIVEN_UP if same else _LOST[KernelRestarted])
                )
            elif broke and self._is_stuck(known, runs[run][0], batch):
                self._warn("size", "sends what breaks the connection each time")
                self._questions.insist("cancel", run=run)
                said = "The connection to the kernel broke, again and again at the same place."
                known.arrivals.say(Failed(type="ProtocolError", message=said))

    def _is_stuck(self, known: _Run, arrived: int, sent: int) -> bool:
        """Note that a run was resumed, and say whether that is in vain."""
        same = known.resumed_at == arrived and sent > arrived
        known.resumed = known.resumed + 1 if same else 0
        known.resumed_at = arrived
        return known.resumed >= MOST_RESUMED

    def _fail_runs(self, kind: str, message: str) -> None:
        for known in self._runs.values():
            known.arrivals.say(Failed(type=kind, message=message))

    def _warn(self, what: str, message: str) -> None:
        """Log what a kernel should not do, once a kind."""
        if what not in self._warned:
            self._warned.add(what)
            said = "%s; it is dropped, and so is all of its kind, without a word."
            logger.warning("Kernel %s " + said, self._peer.kernel, message)

    def _go(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
