"""A client that takes nothing but what HTTP/1.1 says: h11 reads every byte that the server sends."""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass
from types import TracebackType

import h11

from tests.transfers.server import HOST, PATIENCE_SECONDS, Program


@dataclass(frozen=True)
class Judged:
    """An answer that h11 found to be right."""

    status: int
    headers: dict[str, str]
    body: bytes


class Judge:
    """One connection. Requests may be sent before the answers of earlier ones are read."""

    def __init__(self, server: Program) -> None:
        plain = socket.create_connection((HOST, server.port), timeout=PATIENCE_SECONDS)
        trusted = server.certificate.trusted if server.certificate else None
        self._socket = trusted.wrap_socket(plain, server_hostname=HOST) if trusted else plain
        self._http = h11.Connection(h11.CLIENT)
        self._asked: deque[h11.Request] = deque()

    def ask(self, method: str, target: str, **headers: str) -> None:
        """Send a request without a body."""
        sent = [("Host", HOST), *((name.replace("_", "-"), value) for name, value in headers.items())]
        request = h11.Request(method=method, target=target, headers=sent)
        self._asked.append(request)
        writer = h11.Connection(h11.CLIENT)
        self._socket.sendall((writer.send(request) or b"") + (writer.send(h11.EndOfMessage()) or b""))

    def answer(self) -> Judged:
        """Read the answer of the next request."""
        # h11 knows one request at a time; its bytes went out in ask().
        self._http.send(self._asked.popleft())
        self._http.send(h11.EndOfMessage())
        head = self._next()
        assert isinstance(head, h11.Response)
        body = bytearray()
        while isinstance(event := self._next(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage)
        if self._http.their_state is h11.DONE and self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        headers = {name.decode().title(): value.decode() for name, value in head.headers}
        assert len(headers) == len(head.headers), "a header came twice"
        return Judged(head.status_code, headers, bytes(body))

    def end(self) -> None:
        """Read the close that has to come after an answer that said so."""
        assert isinstance(self._next(), h11.ConnectionClosed)

    def _next(self) -> object:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(self._socket.recv(1 << 20))

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()
        assert error is not None or not self._http.trailing_data[0], "more came than was asked for"
