"""A gateway of one kernel: jupyter_server's own reading and writing of frames, over the kernel's sockets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from jupyter_client.session import Session
from jupyter_server.services.kernels.connection import base
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler
from zmq.eventloop.zmqstream import ZMQStream

from nbfunc.hosts.frames import V1


class SmallGateway:
    """Its websocket; for one event loop.

    Parameters
    ----------
    connected : callable
        Returns a stream to the kernel's channel of that name, for a client of that identity.
    session : jupyter_client.session.Session
        Signs for the kernel.

    Attributes
    ----------
    port : int
        Where it listens.
    loses : bool
        Whether it loses what the kernel says.
    lost : threading.Event
        Set when it has.
    """

    def __init__(self, connected: Callable[[str, bytes], ZMQStream], session: Session) -> None:
        self.connected = connected
        self.session = session
        self.sockets: set[_Socket] = set()
        self.port = 0
        self.loses = False
        self.lost = threading.Event()
        self._server: HTTPServer | None = None

    def start(self, *, instead: type[RequestHandler] | None = None) -> None:
        """Listen, on the same port as before; `instead` of the gateway something else may answer there."""
        route = ("/", _Socket, {"gateway": self}) if instead is None else ("/", instead)
        self._server = Application([route]).listen(self.port, "127.0.0.1")
        self.port = next(iter(self._server._sockets.values())).getsockname()[1]

    def stop(self) -> None:
        """Break all connections, and let there be no more."""
        assert self._server is not None
        self._server.stop()
        for socket in list(self.sockets):
            socket.let_go()
            if socket.ws_connection is not None and socket.ws_connection.stream is not None:
                socket.ws_connection.stream.close()  # as when it is killed: without a word

    def say(self, frame: bytes | str) -> None:
        """Say something else than a kernel does."""
        for socket in self.sockets:
            socket.write_message(frame, binary=isinstance(frame, bytes))


class _Socket(WebSocketHandler):
    def initialize(self, gateway: SmallGateway) -> None:
        self.gateway = gateway
        self.streams: dict[str, ZMQStream] = {}

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return V1 if V1 in subprotocols else None

    def open(self, *_: str, **__: str) -> None:
        self.gateway.sockets.add(self)
        identity = self.get_argument("session_id").encode()
        for channel in ("control", "iopub"):
            self.streams[channel] = stream = self.gateway.connected(channel, identity)
            stream.on_recv(self._passing_back(channel))

    def _passing_back(self, channel: str) -> Callable[[list[bytes]], None]:
        def pass_back(frames: list[bytes]) -> None:
            if self.gateway.loses:
                self.gateway.lost.set()
                return
            _, parts = self.gateway.session.feed_identities(frames)
            frame: Any = base.serialize_msg_to_ws_v1(parts[1:], channel)  # type: ignore[no-untyped-call]  # jupyter_server's
            self.write_message(frame, binary=True)

        return pass_back

    def on_message(self, message: str | bytes) -> None:
        channel, parts = base.deserialize_msg_from_ws_v1(message)  # type: ignore[no-untyped-call]  # jupyter_server's
        if channel in self.streams:
            stream: Any = self.streams[channel]
            self.gateway.session.send_raw(stream, parts)

    def on_close(self) -> None:
        self.let_go()

    def let_go(self) -> None:
        self.gateway.sockets.discard(self)
        for stream in self.streams.values():
            stream.close(linger=0)
        self.streams.clear()
