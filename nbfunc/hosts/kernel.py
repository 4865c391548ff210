"""Functions of a kernel: only a transport to the `InProcessHost` in it.

What a kernel says is input, not truth: its messages are checked, its files taken in under the server's own
names, and whatever it does not answer ends in an error in bounded time.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from nbfunc import errors
from nbfunc._version import __version__
from nbfunc.core.events import (
    EVENT,
    Display,
    Event,
    Failed,
    File,
    Image,
    Last,
    Output,
    OutputEvent,
    StoredFile,
    Table,
    Text,
)
from nbfunc.errors import (
    AskerError,
    Expired,
    InvalidArguments,
    KernelDied,
    KernelError,
    KernelRestarted,
    KernelUnreachable,
    NotFound,
)
from nbfunc.files.returns import KEPT_SECONDS, ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import FunctionHost, FunctionInfo, RawArguments
from nbfunc.hosts.channels import Buffers, Channel
from nbfunc.hosts.protocol import EVENTS, PROTOCOL, REPLY, WINDOW, mismatch
from nbfunc.hosts.transfers import blocking, pulled, push

logger = logging.getLogger("nbfunc")

# A kernel whose notebook computes in C holds its interpreter for so long before it is given up.
ASK_SECONDS = 20.0
BLOCK_SECONDS = 60.0
MOST_FUNCTIONS = 10_000

State: TypeAlias = Literal["starting", "idle", "busy", "restarting", "dead"]
Told: TypeAlias = Callable[[Literal["changed", "removed"], str], None]

_FUNCTIONS: TypeAdapter[list[FunctionInfo]] = TypeAdapter(list[FunctionInfo])


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A kernel, as its host sees it: what it is told of the server, and what is known of it.

    Attributes
    ----------
    base : str
        The path of nbfunc's pages.
    kernel : str
        Its id.
    max_concurrency : int, optional
        How many of its functions run at once.
    notebook : callable
        Returns the path of the notebook that it runs, as things are now.
    died : callable
        Says whether its process has ended, and nobody ended it on purpose.
    """

    base: str
    kernel: str
    max_concurrency: int | None
    notebook: Callable[[], Coroutine[Any, Any, str | None]]
    died: Callable[[], Coroutine[Any, Any, bool]]


class Claims:
    """Which run of which kernel a returned file belongs to: no other can name it as its own."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._owners: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def claim(self, file: str, run: str) -> bool:
        """Say whether this file is the run's, which it is if it was nobody's."""
        now = self._clock()
        while self._owners and next(iter(self._owners.values()))[0] < now - 2 * KEPT_SECONDS:
            self._owners.popitem(last=False)
        return self._owners.setdefault(file, (now, run))[1] == run


@dataclass(eq=False)
class _Stream:
    """The events of a run on their way here."""

    run: str
    arrived: deque[list[Event]] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    batch: int = 0  # the last that arrived
    over: bool = False

    def put(self, events: list[Event]) -> None:
        self.over = self.over or any(isinstance(event, Last) for event in events)
        self.arrived.append(events)
        self.woken.set()


@dataclass(eq=False)
class _Question:
    """A request that waits for its answer."""

    future: asyncio.Future[tuple[dict[str, Any], Buffers]]


class KernelHost(FunctionHost):
    """A host of functions that live in a kernel.

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
    threads : Executor
        For what blocks.
    told : callable
        Called with ``"changed"`` or ``"removed"`` and a function's name.

    Attributes
    ----------
    state : str
        As Jupyter has it.
    trouble : str
        Why it cannot be talked to; empty where it can.
    """

    def __init__(
        self,
        channel: Channel,
        peer: Peer,
        *,
        returns: ReturnsDir,
        uploads: UploadsDir,
        claims: Claims,
        threads: Executor,
        told: Told,
    ) -> None:
        self._channel = channel
        self._peer = peer
        self._returns = returns
        self._uploads = uploads
        self._claims = claims
        self._threads = threads
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._functions: dict[str, FunctionInfo] = {}
        self._questions: dict[str, _Question] = {}
        self._streams: dict[str, _Stream] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._warned: set[str] = set()
        self._met = False
        self._shared = False
        self._greeting = False
        self._news = False
        self._lost: type[KernelError] | None = None
        self.state: State = "starting"
        self.trouble = ""
        channel.open(self)

    # FunctionHost

    def functions(self) -> list[FunctionInfo]:
        return list(self._functions.values())

    async def form(self, name: str) -> dict[str, Any]:
        self._check(name)
        answer, _ = await self._ask("form", name=name)
        form = answer.get("form")
        if not isinstance(form, dict):
            raise KernelUnreachable("The kernel's answer is no form.")
        return form

    async def start(
        self, name: str, raw: RawArguments, *, run: str, user: str | None = None
    ) -> AsyncIterator[Event]:
        self._check(name)
        stream = _Stream(run)
        try:
            passed = await self._pass_on(raw, run)
            self._streams[run] = stream
            arguments = {"values": raw.values, "texts": raw.texts, "uploads": raw.uploads}
            await self._ask("start", name=name, run=run, user=user, arguments=arguments, passed=passed)
        except BaseException as error:
            self._streams.pop(run, None)
            if not isinstance(error, AskerError) or isinstance(error, KernelError):
                # It may start all the same, later.
                self._tell("cancel", run=run)
            await self._in_thread(self._uploads.give_back, run)
            raise
        return self._events(stream)

    async def cancel(self, run: str) -> None:
        if run in self._streams:
            self._tell("cancel", run=run)

    # What the kernel manager knows

    def lost(self, why: type[KernelDied] | type[KernelRestarted]) -> None:
        """The kernel is gone, or a new one in its place: fail what is in flight, expose nothing."""
        self._lost, self._met, self._shared, self.trouble = why, False, False, ""
        message = _LOST[why]
        for question in self._questions.values():
            if not question.future.done():
                question.future.set_exception(why(message))
        for stream in list(self._streams.values()):
            self._end(stream, Failed(type=why.__name__, message=message))
        removed, self._functions = self._functions, {}
        for name in removed:
            self._told("removed", name)

    def close(self) -> None:
        """Close the channel; what is in flight fails."""
        self.lost(KernelDied)
        for task in self._tasks:
            task.cancel()
        self._channel.close()

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return bool(self._streams)

    # What comes (Listener)

    def changed(self) -> None:
        self._news = True
        if not self._greeting:
            self._greeting = True
            self._go(self._greet())

    def disconnected(self) -> None:
        # Long before the kernel manager looks; if it lives, ZMQ connects again by itself.
        self._go(self._bury())

    async def _bury(self) -> None:
        if self.state != "dead" and await self._peer.died():
            self.lost(KernelDied)

    def answered(self, kind: str, asked: str, content: dict[str, Any], buffers: Buffers) -> None:
        if kind == EVENTS:
            self._arrived(content, buffers)
        elif kind == REPLY and asked in self._questions:
            future = self._questions[asked].future
            if not future.done():
                future.set_result((content, buffers))
        elif kind != REPLY:
            self._warn("stray", f"sent a message of type {kind!r}")

    def _arrived(self, content: dict[str, Any], buffers: Buffers) -> None:
        stream = self._streams.get(str(content.get("run")))
        if stream is None or stream.over:
            return  # of a run that was given up
        batch = content.get("batch")
        if batch != stream.batch + 1 or len(stream.arrived) > WINDOW or len(buffers) != 1:
            self._warn("batch", "sent events out of order")
            self._end(stream, Failed(type="ProtocolError", message="The kernel sent events out of order."))
            self._tell("cancel", run=stream.run)
            return
        stream.batch = batch
        events = self._read(bytes(buffers[0]))
        if content.get("over") is True and not any(isinstance(event, Last) for event in events):
            events.append(Failed(type="ProtocolError", message="The kernel did not say how the run ended."))
        stream.put(events)

    def _read(self, batch: bytes) -> list[Event]:
        """Return the events of a batch; what is none, and what follows an end, is dropped."""
        try:
            events = _EVENTS.validate_json(batch)
        except ValidationError:
            events = list(self._salvaged(batch))
        for index, event in enumerate(events):
            if isinstance(event, Last):
                return events[: index + 1]
        return events

    def _salvaged(self, batch: bytes) -> Iterator[Event]:
        try:
            lines = _LIST.validate_json(batch)
        except ValidationError:
            lines = [None]
        for line in lines:
            try:
                yield EVENT.validate_python(line)
            except ValidationError as error:
                self._warn("event", f"sent what is no event: {error.errors()[0]['msg']}")

    def _end(self, stream: _Stream, last: Failed) -> None:
        if not stream.over:
            stream.put([last])

    # Asking

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
        if self.trouble:
            raise NotFound(self.trouble)

    def _check(self, name: str) -> None:
        self.check()
        if name not in self._functions:
            raise NotFound(f"The kernel does not expose a function {name!r} (any more).")

    async def _ask(
        self, op: str, *, seconds: float = ASK_SECONDS, buffers: Buffers = (), **content: Any
    ) -> tuple[dict[str, Any], Buffers]:
        future: asyncio.Future[tuple[dict[str, Any], Buffers]] = self._loop.create_future()
        asked = self._channel.send({"op": op, **content}, buffers)
        self._questions[asked] = _Question(future)
        try:
            answer, came = await asyncio.wait_for(future, seconds)
        except asyncio.TimeoutError:
            raise KernelUnreachable(
                f"The kernel did not answer within {seconds:.0f} s: it is computing something that lets "
                "nothing else run, or it hangs. Try again, or interrupt it."
            ) from None
        finally:
            del self._questions[asked]
        if "error" in answer:
            raise _error(answer["error"])
        return answer, came

    def _tell(self, op: str, **content: Any) -> None:
        self._channel.send({"op": op, **content})

    async def _greet(self) -> None:
        try:
            while self._news:
                self._news = False
                await self._meet()
        except KernelError as error:
            logger.warning("Kernel %s: %s", self._peer.kernel, error)
        finally:
            self._greeting = False

    async def _meet(self) -> None:
        peer = self._peer
        content: dict[str, Any] = {
            "protocol": PROTOCOL,
            "version": __version__,
            "base": peer.base,
            "kernel": peer.kernel,
            "notebook": await peer.notebook(),
        }
        if self._met:
            answer, _ = await self._ask("hello", **content)
        else:
            # Whether it has this disk is proved, not believed: it must say what this file holds.
            secret = secrets.token_hex(16)
            nonce = await self._in_thread(self._returns.put, secret.encode(), "nonce")
            try:
                path = self._returns.find(nonce.id, nonce.filename).path
                answer, _ = await self._ask(
                    "hello",
                    **content,
                    nonce=path.name,
                    returns_dir=str(path.parent),
                    max_concurrency=peer.max_concurrency,
                )
            except NotFound as error:
                self.trouble = str(error)
                logger.warning("Kernel %s: %s", peer.kernel, error)
                return
            finally:
                await self._in_thread(self._returns.remove, nonce.id, nonce.filename)
            self._shared = answer.get("nonce") == secret
            self._met = True
        self.trouble = mismatch(
            answer.get("protocol") or [], str(answer.get("version")), PROTOCOL, __version__
        )
        self._lost = None
        self._exposed(answer.get("functions"))

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

    # Files

    async def _pass_on(self, raw: RawArguments, run: str) -> dict[str, Any]:
        """Hold the uploads that a submit names, and return what the kernel must know to open them."""
        tokens = list(dict.fromkeys(named_uploads(raw)))
        if not tokens:
            return {"paths": {}, "filenames": {}, "problems": {}}
        held, problems = await self._in_thread(self._hold, tokens, run)
        if not self._shared:
            for token, path in held.items():

                def write(
                    offset: int, block: bytes, token: str = token, path: Path = path
                ) -> Coroutine[Any, Any, object]:
                    fields = {"token": token, "filename": path.name, "offset": offset}
                    return self._ask("write", seconds=BLOCK_SECONDS, buffers=[block], **fields)

                await push(path, write, self._in_thread)
        paths = {token: str(path) if self._shared else None for token, path in held.items()}
        return {
            "paths": paths,
            "filenames": {token: path.name for token, path in held.items()},
            "problems": problems,
        }

    def _hold(self, tokens: list[str], run: str) -> tuple[dict[str, Path], dict[str, str]]:
        held: dict[str, Path] = {}
        problems: dict[str, str] = {}
        for token in tokens:
            try:
                held[token] = self._uploads.find(token)
                self._uploads.take([token], run)
            except (NotFound, Expired) as error:
                held.pop(token, None)
                problems[token] = str(error)
        return held, problems

    async def _taken_in(self, stream: _Stream, event: OutputEvent) -> OutputEvent | None:
        """Return an output whose files are this server's; None if one is not the run's to name."""
        output = event.output
        try:
            match output:
                case Text(file=StoredFile() as file) | Image(file=file) | Table(file=file) | File(file=file):
                    changed: Output = output.model_copy(update={"file": await self._file(stream, file)})
                case Display():
                    files = {mime: await self._file(stream, file) for mime, file in output.files.items()}
                    changed = output.model_copy(update={"files": files})
                case _:
                    return event
        except (NotFound, Expired, EOFError, ValueError) as error:
            self._warn("file", f"named a file that is not its own: {error}")
            return None
        return OutputEvent(output=changed)

    async def _file(self, stream: _Stream, file: StoredFile) -> StoredFile:
        if self._shared:
            found = self._returns.find(file.id, file.filename)
            if not self._claims.claim(file.id, stream.run) or found.size != file.size:
                raise NotFound(f"{file.filename!r} is another's")
            return file.model_copy(update={"created": found.created})
        named = {"id": file.id, "filename": file.filename}

        async def read(offset: int) -> bytes:
            _, buffers = await self._ask("read", seconds=BLOCK_SECONDS, offset=offset, **named)
            return bytes(buffers[0]) if buffers else b""

        pieces = blocking(pulled(read, file.size), self._loop)
        stored = await self._in_thread(self._returns.put, pieces, file.filename)
        self._tell("forget", **named)
        self._claims.claim(stored.id, stream.run)
        return StoredFile(id=stored.id, filename=stored.filename, size=stored.size, created=stored.created)

    # Events

    async def _events(self, stream: _Stream) -> AsyncIterator[Event]:
        read = 0
        try:
            while True:
                while not stream.arrived:
                    stream.woken.clear()
                    await stream.woken.wait()
                for event in stream.arrived.popleft():
                    shown: Event | None = event
                    if isinstance(event, OutputEvent):
                        try:
                            shown = await self._taken_in(stream, event)
                        except AskerError as error:
                            shown = Failed(type=type(error).__name__, message=str(error))
                            self._tell("cancel", run=stream.run)
                    if isinstance(shown, Last):
                        # First, so that who reads of the end finds the uploads gone.
                        self._uploads.release(stream.run)
                    if shown is not None:
                        yield shown
                    if isinstance(shown, Last):
                        return
                read += 1
                # Not each: half a window is room enough, and each costs the kernel some time.
                if read % (WINDOW // 2) == 0:
                    self._tell("acknowledge", run=stream.run, batch=read)
        finally:
            self._streams.pop(stream.run, None)
            self._uploads.release(stream.run)

    def _warn(self, what: str, message: str) -> None:
        """Log what a kernel should not do, once a kind."""
        if what not in self._warned:
            self._warned.add(what)
            logger.warning(
                "Kernel %s %s; it is dropped, and so is all of its kind.", self._peer.kernel, message
            )

    def _go(self, act: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _in_thread(self, act: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return self._loop.run_in_executor(self._threads, act, *arguments)


_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])
_LIST: TypeAdapter[list[Any]] = TypeAdapter(list[Any])

_LOST: Mapping[type[KernelError], str] = {
    KernelDied: "The kernel is dead. Start it again, and run the notebook's cells.",
    KernelRestarted: "The kernel was restarted. Run the notebook's cells again.",
}
# What a kernel may answer with, by name.
_REFUSALS = {
    name: error
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, AskerError)
}


def _error(said: Any) -> AskerError:
    """Return the error that a kernel answered with."""
    if not isinstance(said, dict):
        return KernelUnreachable("The kernel's answer was not understood.")
    message = str(said.get("message"))
    kind = _REFUSALS.get(str(said.get("type")), AskerError)
    if kind is InvalidArguments:
        problems = said.get("problems")
        return InvalidArguments(problems if isinstance(problems, list) else [])
    if issubclass(kind, errors.TooManyTries):
        kind = AskerError
    return kind(message)


def named_uploads(raw: RawArguments) -> Iterator[str]:
    """Yield the tokens that a submit names: in its files, and in ``{"upload": token}`` at any depth."""
    for tokens in raw.uploads.values():
        yield from tokens
    found: list[Any] = list(raw.values.values())
    while found:
        value = found.pop()
        if isinstance(value, list):
            found.extend(value)
        elif isinstance(value, dict):
            token = value.get("upload")
            if isinstance(token, str) and len(value) == 1:
                yield token
            found.extend(value.values())
