"""The one client that asks every server; it costs little, so that it measures them and not itself."""

from __future__ import annotations

import http.client
import json
import re
import selectors
import socket
import threading
import time
from typing import Any

from bench.products import Request

PIECE = 1 << 20
HOST = "127.0.0.1"
PATIENCE_SECONDS = 300.0

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class AnswerError(Exception):
    """A server did not answer as it should."""


def connected(port: int) -> http.client.HTTPConnection:
    """Return a connection, which is kept alive between requests."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    connection.connect()
    return connection


def ask(connection: http.client.HTTPConnection, request: Request, *, status: int | None = 200) -> bytes:
    """Return the body of an answer, which has this status if one is given."""
    connection.request(request.method, request.path, request.body or None, dict(request.headers or {}))
    answer = connection.getresponse()
    body = answer.read()
    if status is not None and answer.status != status:
        raise AnswerError(f"{request.method} {request.path}: {answer.status} {body[:300]!r}")
    return body


def result(port: int, request: Request) -> Any:
    """Run a function and return the answer."""
    connection = connected(port)
    try:
        return json.loads(ask(connection, request))
    finally:
        connection.close()


def latencies(port: int, request: Request, count: int, *, status: int | None = 200) -> list[float]:
    """Return how long each of some requests took, one after the other, in seconds."""
    connection = connected(port)
    try:
        for _ in range(20):
            ask(connection, request, status=status)
        taken = []
        for _ in range(count):
            begin = time.perf_counter()
            ask(connection, request, status=status)
            taken.append(time.perf_counter() - begin)
        return taken
    finally:
        connection.close()


def together(port: int, request: Request, clients: int, count: int) -> float:
    """Send some requests from so many clients at once; return the seconds until the last answer."""
    message = _message(request)
    open_sockets = [socket.create_connection((HOST, port)) for _ in range(clients)]
    received = {connection: bytearray() for connection in open_sockets}
    with selectors.DefaultSelector() as selector:
        for connection in open_sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ)
        waiting = set(open_sockets)
        begin = time.perf_counter()
        sent = answered = 0
        for connection in open_sockets:
            connection.sendall(message)
            sent += 1
        while answered < count:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise AnswerError(f"{request.path}: {count - answered} of {count} answers are missing")
            for key, _ in ready:
                connection = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                data = connection.recv(65536)
                if not data and connection in waiting:
                    raise AnswerError(f"{request.path}: the server closed the connection")
                if not data:
                    selector.unregister(connection)  # it was idle for long
                elif _is_whole(received[connection], data):
                    received[connection].clear()
                    waiting.discard(connection)
                    answered += 1
                    if sent < count:
                        connection.sendall(message)
                        waiting.add(connection)
                        sent += 1
        taken = time.perf_counter() - begin
    for connection in open_sockets:
        connection.close()
    return taken


def download(port: int, path: str) -> int:
    """Read a file to its end and return its size in bytes."""
    connection = connected(port)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise AnswerError(f"GET {path}: {answer.status}")
        buffer = bytearray(PIECE)
        size = 0
        while got := answer.readinto(buffer):
            size += got
        return size
    finally:
        connection.close()


def downloads(port: int, path: str, clients: int) -> int:
    """Read a file from so many clients at once; return how many bytes came in all."""
    sizes: list[int] = []
    threads = [threading.Thread(target=lambda: sizes.append(download(port, path))) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(sizes) != clients:
        raise AnswerError(f"GET {path}: {clients - len(sizes)} of {clients} downloads failed")
    return sum(sizes)


def _message(request: Request) -> bytes:
    headers = {"Host": HOST, "Content-Length": str(len(request.body)), **(request.headers or {})}
    lines = [
        f"{request.method} {request.path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def _is_whole(received: bytearray, data: bytes) -> bool:
    """Add to an answer, and say whether it is complete."""
    received += data
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise AnswerError(bytes(received[:300]).decode(errors="replace"))
    length = _LENGTH.search(head)
    if length is None:
        raise AnswerError("an answer without Content-Length")
    return len(body) >= int(length[1])
