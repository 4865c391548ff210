"""A KernelHost and the Agent that it asks, over real sockets: all of a kernel but its process."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeAlias, TypeVar

import zmq
from jupyter_client.session import Session
from tornado.httpclient import HTTPRequest
from tornado.web import RequestHandler
from zmq.eventloop.zmqstream import ZMQStream

from nbfunc.core.events import Event
from nbfunc.core.stores import Store
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir
from nbfunc.hosts.base import Events, FunctionHost, FunctionInfo, RawArguments
from nbfunc.hosts.belongings import Claims
from nbfunc.hosts.channels import Buffers, Channel, ZmqChannel
from nbfunc.hosts.in_process import Functions, exposed
from nbfunc.hosts.kernel import KernelHost, Peer
from nbfunc.hosts.line import Line
from nbfunc.hosts.websocket import WebsocketChannel
from nbfunc.notebook.agent import Agent
from tests.hosts.small_gateway import SmallGateway

T = TypeVar("T")

SCHEME = "hmac-sha256"
SECONDS = 30.0


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)

    async def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait here for what happens there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self.loop))

    def close(self) -> None:
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _end(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


class _Publisher:
    """A socket that may be sent to from every thread, as ipykernel's is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: zmq.Socket[bytes]) -> None:
        self._loop = loop
        self._socket = socket

    def send_multipart(self, frames: list[Any], **_: Any) -> None:
        self._loop.call_soon_threadsafe(self._socket.send_multipart, frames)


class _Kernel:
    """What an agent needs of an ipykernel."""

    control_thread = True

    def __init__(self, context: zmq.Context[Any], key: bytes) -> None:
        self.session = Session(key=key, signature_scheme=SCHEME)
        self._control = context.socket(zmq.ROUTER)
        self._control.router_handover = True
        self._iopub = context.socket(zmq.PUB)
        self.ports = {
            "control": self._control.bind_to_random_port("tcp://127.0.0.1"),
            "iopub": self._iopub.bind_to_random_port("tcp://127.0.0.1"),
        }

    async def listen(self) -> None:
        self.control_stream = ZMQStream(self._control)
        self.iopub_socket = _Publisher(asyncio.get_running_loop(), self._iopub)

    async def dispatch_control(self, _: list[zmq.Frame]) -> None:
        raise AssertionError("the tests ask for nothing else")


class _NoMain:
    """No main thread."""

    def call(self, act: Callable[[], None]) -> Callable[[], bool]:
        raise NotImplementedError

    def loop(self) -> asyncio.AbstractEventLoop:
        raise NotImplementedError

    def cells(self) -> int | None:
        raise NotImplementedError


# As if the kernel ran on another machine: it cannot read the server's directories.


class _FarZmqChannel(ZmqChannel):
    def send(self, content: dict[str, Any], buffers: Buffers = ()) -> str:
        return super().send(_far(content), buffers)


class _FarWebsocketChannel(WebsocketChannel):
    def send(self, content: dict[str, Any], buffers: Buffers = ()) -> str:
        return super().send(_far(content), buffers)

    def close(self) -> None:
        socket = self._socket
        stream = None if socket is None or socket.protocol is None else socket.protocol.stream
        super().close()
        if stream is not None:
            stream.close()  # its loop ends in the next moment: nobody would hear the other end's goodbye


def _far(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "returns_dir": "/on/another/machine"} if "returns_dir" in content else content


Place: TypeAlias = Literal["kernel", "remote", "gateway"]


class OverAKernel(FunctionHost):
    """A KernelHost whose functions come and go as in a notebook.

    Parameters
    ----------
    functions : Functions
        Exposed at first.
    returns, uploads : ReturnsDir, UploadsDir
        The server's.
    place : {'kernel', 'remote', 'gateway'}
        Where the kernel is: beside the server, where it has another disk, or there behind a gateway.
    max_concurrency : int, optional
        How many runs go at once.
    unreachable_seconds : float
        How long the gateway may be away before nobody waits any more.

    Attributes
    ----------
    gateway : SmallGateway, optional
        The one that it is behind.
    now : float
        What the kernel takes for the time, in seconds.
    """

    def __init__(
        self,
        functions: Functions,
        *,
        returns: ReturnsDir,
        uploads: UploadsDir,
        place: Place,
        max_concurrency: int | None = 40,
        unreachable_seconds: float = SECONDS,
    ) -> None:
        self._far = place != "kernel"
        first = list(exposed(functions).values())
        key = secrets.token_bytes()
        self._context: zmq.Context[Any] = zmq.Context()
        kernel = _Kernel(self._context, key)
        self._there = Loop()
        self._there.run(kernel.listen())
        self.now = 0.0
        self.agent = Agent(kernel, _NoMain(), clock=lambda: self.now)
        self._here = Loop()
        self._threads = ThreadPoolExecutor(8)
        self._told = threading.Condition()
        self.gateway: SmallGateway | None = None
        channel: Channel
        if place == "gateway":
            gateway = self.gateway = SmallGateway(
                lambda name, identity: self._connected(name, kernel.ports[name], identity),
                Session(key=key, signature_scheme=SCHEME),
            )
            self.start_gateway()
            channel = _FarWebsocketChannel(
                lambda session: HTTPRequest(f"ws://127.0.0.1:{gateway.port}/?session_id={session}"),
                state=lambda _: None,
                unreachable_seconds=unreachable_seconds,
            )
        else:
            channel = (_FarZmqChannel if place == "remote" else ZmqChannel)(
                lambda name: self._connected(name, kernel.ports[name]), key=key, signature_scheme=SCHEME
            )

        async def made() -> KernelHost:
            peer = Peer(base="/nbfunc/", kernel="k", notebook=_nothing, life=_alive)
            return KernelHost(
                channel,
                peer,
                returns=returns,
                uploads=uploads,
                claims=Claims(),
                line=Line(max_concurrency),
                threads=self._threads,
                told=self._tell,
            )

        self.host = self._here.run(made())
        self.agent.expose(first)
        self._known()

    @property
    def store(self) -> Store:
        return self.agent.host.store

    @store.setter
    def store(self, store: Store) -> None:
        # On another machine they are always in a folder of the kernel's own.
        if not self._far:
            self.agent.host.store = store

    def expose(self, functions: Functions) -> list[FunctionInfo]:
        added = exposed(functions)
        self.agent.expose(list(added.values()))
        self._known()
        return [info for info in self.functions() if info.name in added]

    def remove(self, name: str) -> bool:
        there = name in [info.name for info in self.functions()]
        self.agent.remove([name])
        self._known()
        return there

    def functions(self) -> list[FunctionInfo]:
        return self.host.functions()

    async def form(self, name: str, *, ask: bool = True) -> dict[str, Any]:
        return await self._here.wait(self.host.form(name, ask=ask))

    async def start(self, name: str, raw: RawArguments, *, run: str, user: str | None = None) -> Events:
        return Events(self._events(await self._here.wait(self.host.start(name, raw, run=run, user=user))))

    async def cancel(self, run: str) -> None:
        await self._here.wait(self.host.cancel(run))

    def tidy(self) -> None:
        """Let the kernel do now what it does each minute."""
        self._there.run(self.agent.tidy())

    def stir(self) -> None:
        """Let the server do now what it does each half minute."""
        self._here.run(_called(self.host.stir))

    def start_gateway(self, *, instead: type[RequestHandler] | None = None) -> None:
        """Let there be connections, or again; or let something else answer `instead`."""
        gateway = self.gateway
        assert gateway is not None
        self._there.run(_called(lambda: gateway.start(instead=instead)))

    def say(self, frame: bytes | str) -> None:
        """Let the gateway say something else than the kernel does."""
        gateway = self.gateway
        assert gateway is not None
        self._there.run(_called(lambda: gateway.say(frame)))

    def stop_gateway(self) -> None:
        """Break the connection, and let there be none."""
        assert self.gateway is not None
        self._there.run(_called(self.gateway.stop))

    def close(self) -> None:
        self.agent.clear()
        self.agent.host.close()

        self._here.run(_called(self.host.close))
        if self.gateway is not None:
            self.stop_gateway()
        self._here.close()
        self._there.close()
        self._threads.shutdown()
        self._context.destroy(linger=0)

    async def _events(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async def following() -> Event | None:
            return await anext(events, None)

        while (event := await self._here.wait(following())) is not None:
            yield event

    def _connected(self, name: str, port: int, identity: bytes = b"") -> ZMQStream:
        socket = self._context.socket(zmq.DEALER if name == "control" else zmq.SUB)
        if identity:
            socket.identity = identity
        if name == "iopub":
            socket.subscribe(b"")
        socket.connect(f"tcp://127.0.0.1:{port}")
        return ZMQStream(socket)

    def _tell(self, *_: str) -> None:
        with self._told:
            self._told.notify_all()

    def _known(self) -> None:
        """Wait until the server knows what the kernel exposes."""
        assert self.agent.wait_for_server(SECONDS)
        with self._told:
            there = self.agent.functions()
            assert self._told.wait_for(lambda: self.functions() == there, SECONDS)


async def _called(act: Callable[[], None]) -> None:
    act()


async def _nothing() -> None:
    return None


async def _alive() -> Literal["alive"]:
    return "alive"
