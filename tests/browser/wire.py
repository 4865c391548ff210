"""A wire between browser and server that can be cut, as a network is."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class Wire:
    """A TCP relay; `url` leads through it."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._whole = True
        self._ended = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def relay(self) -> None:
        """Take connections until `close`."""
        while True:
            near, _ = self._listener.accept()
            if self._ended:
                near.close()
                return
            if not self._whole:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._to))
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()

    def cut(self) -> None:
        """End all connections, and refuse new ones until `mend`."""
        self._whole = False
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def mend(self) -> None:
        """Take connections again."""
        self._whole = True

    def lead(self, url: str) -> None:
        """Lead to another server from now on."""
        self._to = urlsplit(url).port or 80

    def close(self) -> None:
        """Cut, for good."""
        self.cut()
        self._ended = True
        socket.create_connection(self._listener.getsockname()).close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay(url: str) -> Iterator[Wire]:
    """Lead to a server by a wire."""
    wire = Wire(urlsplit(url).port or 80)
    thread = threading.Thread(target=wire.relay)
    thread.start()
    try:
        yield wire
    finally:
        wire.close()
        thread.join()
        wire._listener.close()
