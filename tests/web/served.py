"""A server on a real socket, and a client that hides nothing of HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, TypeVar

from nbfunc.web.application import FunctionsApplication
from nbfunc.web.serving import Server, listen

T = TypeVar("T")


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Part:
    """One part of a multipart body."""

    name: str
    content: bytes
    filename: str | None = None

    def encoded(self, boundary: str) -> bytes:
        filename = "" if self.filename is None else f'; filename="{self.filename}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{self.name}"{filename}\r\n\r\n'
        return head.encode() + self.content + b"\r\n"


@dataclass
class Served:
    """A running application and requests to it."""

    app: FunctionsApplication
    server: Server
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return self.server.port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        connection: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """Send one request; a body that is no bytes is sent as JSON."""
        sent = {**self.headers, **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        used = connection or self.connect()
        try:
            used.request(method, path, body=body, headers=sent)
            response = used.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            if connection is None:
                used.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=_headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.request("POST", path, body, _headers(headers))

    def form(self, path: str, *parts: Part, **headers: str) -> Answer:
        body, kind = multipart(*parts)
        return self.request("POST", path, body, {"Content-Type": kind, **_headers(headers)})

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def events(
        self, path: str, *, method: str = "GET", body: Any = None, **headers: str
    ) -> list[dict[str, Any]]:
        """Return all events of a stream, to its end; each with its id."""
        sent = {"Accept": "text/event-stream", **_headers(headers)}
        return parsed_events(self.request(method, path, body, sent).text)

    def on_loop(self, act: Coroutine[Any, Any, T]) -> T:
        """Run something on the server's loop, and wait for it."""
        assert self.server._loop is not None
        return asyncio.run_coroutine_threadsafe(act, self.server._loop).result(30)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, "it never came to hold"
            threading.Event().wait(0.005)


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in given.items()}


def multipart(*parts: Part, boundary: str = "XbXbX") -> tuple[bytes, str]:
    """Return a multipart body and its content type."""
    body = b"".join(part.encoded(boundary) for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def parsed_events(text: str) -> list[dict[str, Any]]:
    """Return the events in a stream's text."""
    return list(_parsed(text))


def _parsed(text: str) -> Iterator[dict[str, Any]]:
    for block in text.split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            said = json.loads(lines["data"])
            assert said["kind"] == lines["event"]
            yield {**said, **({"id": int(lines["id"])} if "id" in lines else {})}


def start(app: FunctionsApplication, base: str = "/") -> Served:
    """Serve an application on a free port, in a thread."""
    server = listen(app, "127.0.0.1", 0, None, base=base, query="")
    app.guard.port = server.port
    server.start()
    served = Served(app, server)
    served.until(lambda: server._loop is not None)
    return served
