"""The way to a kernel: signed messages over its control channel, and its word that something changed."""

from __future__ import annotations

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import zmq
from jupyter_client.session import Session
from zmq.eventloop.zmqstream import ZMQStream

from nbfunc.hosts.protocol import BLOCK, BLOCKS_ASKED, CHANGED, MOST_MESSAGE, REQUEST, TOPIC

logger = logging.getLogger("nbfunc")

Buffers: TypeAlias = Sequence[Any]


class Listener(Protocol):
    """Who hears what comes from a kernel; on the event loop."""

    def answered(self, kind: str, asked: str, content: dict[str, Any], buffers: Buffers) -> None:
        """Take a message of type `kind`; `asked` is the id of the request that it belongs to."""

    def changed(self) -> None:
        """The kernel exposes something else than before."""

    def disconnected(self) -> None:
        """The other end is gone, for now or for good."""

    def reconnected(self) -> None:
        """After a connection that broke there is a new one; what was on its way may be lost."""

    def unreachable(self) -> None:
        """There has been no connection for long, and whether there will be one nobody knows."""


class Channel(ABC):
    """A way to one kernel, for one listener.

    Attributes
    ----------
    block : int
        Bytes of a file in one message.
    blocks_asked : int
        Blocks of one file that are on their way at once.
    resumes : bool
        Whether it connects anew by itself, the kernel being the same as before.
    """

    block: int = BLOCK
    blocks_asked: int = BLOCKS_ASKED
    resumes: bool = False

    @abstractmethod
    def open(self, listener: Listener) -> None:
        """Connect, and tell `listener` what comes."""

    @abstractmethod
    def send(self, content: dict[str, Any], buffers: Buffers = ()) -> str:
        """Send a request, and return its id. A send to a kernel that is gone raises nothing."""

    @abstractmethod
    def reopen(self) -> None:
        """Connect anew: the other end lives, and the connection is gone."""

    @abstractmethod
    def close(self) -> None:
        """Close all sockets; nothing is told any more."""


class ZmqChannel(Channel):
    """A kernel whose sockets can be reached from here.

    Parameters
    ----------
    connect : callable
        Returns a `ZMQStream` to the channel of that name, ``"control"`` or ``"iopub"``.
    key : bytes
        Signs messages.
    signature_scheme : str
        How, such as ``"hmac-sha256"``.
    """

    def __init__(self, connect: Callable[[str], ZMQStream], *, key: bytes, signature_scheme: str) -> None:
        self._connect = connect
        # A session of its own, never the kernel manager's: two clients of one session are one to ZMQ, and
        # the first never hears of a reply again.
        self._session = Session(key=key, signature_scheme=signature_scheme, username="nbfunc")
        self._listener: Listener
        self._control: ZMQStream | None = None
        self._gone: ZMQStream | None = None
        self._said_by: ZMQStream | None = None
        self._warned = False

    def open(self, listener: Listener) -> None:
        self._listener = listener
        self._open_control()
        said = self._said_by = self._connect("iopub")
        # Not the prints of cells: only what is said to us.
        said.socket.subscribe(TOPIC)
        said.socket.unsubscribe(b"")
        said.on_recv(self._said)

    def reopen(self) -> None:
        self._close_control()
        self._open_control()

    def send(self, content: dict[str, Any], buffers: Buffers = ()) -> str:
        assert self._control is not None  # open() came first
        message = self._session.msg(REQUEST, content)
        self._session.send(self._control, message, buffers=list(buffers))
        self._control.flush(zmq.POLLOUT)
        return str(message["header"]["msg_id"])

    def close(self) -> None:
        self._close_control()
        if self._said_by is not None and not self._said_by.closed():
            self._said_by.close(linger=0)

    def _open_control(self) -> None:
        control = self._control = self._connect("control")
        # Options hold for connections that are made later.
        endpoint = control.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        control.socket.disconnect(endpoint)
        control.socket.maxmsgsize = MOST_MESSAGE
        control.socket.connect(endpoint)
        control.on_recv(self._answered, copy=False)
        # Not get_monitor_socket(): that one is of the context's kind, asyncio's, which a stream cannot take.
        told = f"inproc://nbfunc-{secrets.token_hex(8)}"
        control.socket.monitor(told, zmq.EVENT_DISCONNECTED)
        monitor = control.socket.context.socket(zmq.PAIR, socket_class=zmq.Socket)
        monitor.connect(told)
        self._gone = ZMQStream(monitor)
        self._gone.on_recv(lambda _: self._listener.disconnected())

    def _close_control(self) -> None:
        if self._control is not None and not self._control.closed():
            self._control.socket.disable_monitor()
            self._control.close(linger=0)
        if self._gone is not None and not self._gone.closed():
            self._gone.close(linger=0)

    def _answered(self, frames: list[zmq.Frame]) -> None:
        message = self._read(frames, copy=False)
        if message is not None:
            asked = message["parent_header"].get("msg_id", "")
            self._listener.answered(
                message["header"]["msg_type"], asked, message["content"], message["buffers"]
            )

    def _said(self, frames: list[bytes]) -> None:
        message = self._read(frames, copy=True)
        if message is not None and message["header"]["msg_type"] == CHANGED:
            self._listener.changed()

    def _read(self, frames: list[Any], *, copy: bool) -> dict[str, Any] | None:
        """Return a message; None, and one line in the log, for one that is not signed or not one at all."""
        try:
            _, rest = self._session.feed_identities(frames, copy=copy)
            message: dict[str, Any] = self._session.deserialize(rest, copy=copy)
        except Exception as error:  # noqa: BLE001 - whatever comes, from whoever: it is input
            if not self._warned:
                self._warned = True
                logger.warning("A kernel sent what is no message of its own: %s", error)
            return None
        return message
