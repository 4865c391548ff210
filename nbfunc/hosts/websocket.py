"""The way to a kernel behind a gateway: a websocket to there, which is made anew for as long as it is wanted.

What is said while there is no connection is lost, and so may be what was on its way when one broke: the
listener hears when there is a new one, and says again what was not answered.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from nbfunc.hosts.channels import Buffers, Channel, Listener
from nbfunc.hosts.frames import V1, Message, read_old, read_v1, written_old, written_v1
from nbfunc.hosts.protocol import CHANGED, EVENTS, MOST_MESSAGE, PART, REPLY, REQUEST

logger = logging.getLogger("nbfunc")

# A connection that answers no ping for so long is none.
PING_SECONDS = 20.0
# Between two tries; twice as long after each that fails.
FIRST_SECONDS = 0.1
MOST_SECONDS = 5.0
# Without a connection for so long, nobody waits any more.
UNREACHABLE_SECONDS = 60.0

_STATUS = "status"
_WANTED = tuple(f'"{kind}"'.encode() for kind in (REPLY, EVENTS, CHANGED, _STATUS))


class WebsocketChannel(Channel):
    """A kernel of a Jupyter Kernel Gateway or an Enterprise Gateway; for one event loop.

    Parameters
    ----------
    request : callable
        Returns the request that opens a websocket to the kernel's channels, for a session of this name.
    state : callable
        Called with what the kernel or its gateway says of its state: ``"busy"``, ``"idle"``,
        ``"starting"`` when it begins, ``"restarting"`` and ``"dead"`` when it has died.
    unreachable_seconds : float
        How long there may be no connection before nobody waits any more.
    """

    # All goes through one connection, prints behind files: small blocks, and little memory at both ends. The
    # gateway's end takes no message over 10 MiB.
    block = 1 << 20
    blocks_asked = 8
    resumes = True

    def __init__(
        self,
        request: Callable[[str], HTTPRequest],
        *,
        state: Callable[[str], None],
        unreachable_seconds: float = UNREACHABLE_SECONDS,
    ) -> None:
        self._request = request
        self._state = state
        self._unreachable_seconds = unreachable_seconds
        # The same for all connections: by it the kernel knows whom to answer.
        self._session = uuid.uuid4().hex
        self._listener: Listener
        self._socket: WebSocketClientConnection | None = None
        self._staying: asyncio.Task[None] | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._was_there = False
        self._warned = False

    def open(self, listener: Listener) -> None:
        self._listener = listener
        self.reopen()

    def reopen(self) -> None:
        self.close()
        self._staying = asyncio.get_running_loop().create_task(self._stay())

    def send(self, content: dict[str, Any], buffers: Buffers = ()) -> str:
        message = uuid.uuid4().hex
        text = json.dumps(content).encode()
        if len(text) > PART:
            for number, start in enumerate(range(0, len(text), PART)):
                part = {"op": "part", "of": message, "number": number}
                self._write(uuid.uuid4().hex, part, [text[start : start + PART]])
            content = {"op": "parts", "of": message}
        self._write(message, content, buffers)
        return message

    def close(self) -> None:
        if self._staying is not None:
            self._staying.cancel()
            self._staying = None
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        self._hang_up()

    def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()

    async def _stay(self) -> None:
        """Be connected, again and again."""
        wait = FIRST_SECONDS
        self._count_down()
        while True:
            try:
                socket = await self._connected()
            except Exception as error:  # noqa: BLE001 - whatever a gateway, or what is there instead, says
                if isinstance(error, HTTPClientError) and error.code == 404:
                    # Who listens looks whether the kernel is gone, which ends this.
                    self._listener.disconnected()
                self._warn(f"cannot be reached: {error}")
            else:
                wait = FIRST_SECONDS
                await self._listen(socket)
                self._warn("closed the connection")
                self._count_down()
            await asyncio.sleep(wait)
            wait = min(2 * wait, MOST_SECONDS)

    async def _connected(self) -> WebSocketClientConnection:
        connecting = asyncio.ensure_future(
            websocket_connect(
                self._request(self._session),
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                max_message_size=MOST_MESSAGE,
                subprotocols=[V1],
            )
        )
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(_close)  # else it would stay open, for nobody
            raise

    async def _listen(self, socket: WebSocketClientConnection) -> None:
        """Tell what comes, until the connection breaks."""
        self._socket = socket
        read = read_v1 if socket.selected_subprotocol == V1 else read_old
        try:
            if self._giving_up is not None:
                self._giving_up.cancel()
                self._giving_up = None
            if self._was_there:
                logger.info("The connection to a kernel's gateway is there again.")
                self._listener.reconnected()
            self._was_there, self._warned = True, False
            while (frame := await socket.read_message()) is not None:
                try:
                    message = read(frame, _WANTED)  # type: ignore[arg-type]  # bytes, where it is V1's
                except (ValueError, TypeError, RecursionError) as error:
                    self._warn(f"sent what is no message: {error}")
                else:
                    if message is not None:
                        self._take(message)
        finally:
            if self._socket is socket:
                self._hang_up()
            else:
                socket.close()

    def _take(self, message: Message) -> None:
        try:
            self._heard(message)
        except Exception:
            # Whatever one says, the connection is there for the next.
            logger.exception("What a kernel behind a gateway said could not be taken in.")

    def _heard(self, message: Message) -> None:
        match message.channel, message.kind:
            case "control", kind if kind in {REPLY, EVENTS}:
                self._listener.answered(kind, message.asked, message.content, message.buffers)
            case "iopub", kind if kind == CHANGED:
                self._listener.changed()
            case "iopub", kind if kind == _STATUS:
                self._state(str(message.content.get("execution_state")))

    def _write(self, message: str, content: dict[str, Any], buffers: Buffers) -> None:
        socket = self._socket
        if socket is None:
            return
        header = {
            "msg_id": message,
            "msg_type": REQUEST,
            "username": "nbfunc",
            "session": self._session,
            "date": datetime.now(timezone.utc).isoformat(),
            "version": "5.3",
        }
        written = written_v1 if socket.selected_subprotocol == V1 else written_old
        frame = written(header, content, buffers)
        with suppress(WebSocketClosedError):
            # That it broke meanwhile is heard where it is read.
            socket.write_message(frame, binary=isinstance(frame, bytes)).add_done_callback(_let_be)

    def _count_down(self) -> None:
        if self._giving_up is None:
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(self._unreachable_seconds, self._give_up)

    def _give_up(self) -> None:
        self._listener.unreachable()

    def _warn(self, what: str) -> None:
        """Log what a gateway should not do, once a connection."""
        if not self._warned:
            self._warned = True
            logger.warning("The gateway of a kernel %s. It is tried again.", what)


def _close(connecting: asyncio.Future[WebSocketClientConnection]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


def _let_be(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()
