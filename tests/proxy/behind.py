"""What a client sees of a server behind a proxy."""

from __future__ import annotations

import hashlib
import http.client
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.jupyter.server import Answer, Stream

MIB = 1 << 20


@dataclass(frozen=True)
class Behind:
    """A site by the proxy's address.

    Attributes
    ----------
    origin : str
        Of the proxy.
    forms : str
        The path of its functions.
    shared : str
        The path of what they share.
    query : str
        What lets a browser in.
    headers : dict
        What lets a program in.
    """

    origin: str
    forms: str
    shared: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def page(self, function: str) -> str:
        return f"{self.origin}{self.forms}{function}{self.query}"

    @contextmanager
    def asked(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request, and yield the answer, to be read."""
        parts = urlsplit(self.origin)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=100)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, self.headers | more)
        answer = connection.getresponse()
        try:
            yield answer
        finally:
            answer.close()
            connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        with self.asked(method, path, body, **headers) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    def post(self, function: str, arguments: dict[str, Any], **headers: str) -> Answer:
        body = json.dumps(arguments).encode()
        return self.ask("POST", self.forms + function, body, Content_Type="application/json", **headers)

    @contextmanager
    def run(self, function: str, **arguments: Any) -> Iterator[Stream]:
        """Run a function, and yield its events as they come."""
        body = json.dumps(arguments).encode()
        types = {"Content_Type": "application/json", "Accept": "text/event-stream"}
        with self.asked("POST", self.forms + function, body, **types) as answer:
            assert answer.status == 200, answer.read()
            yield Stream(answer)

    def upload(self, path: Path) -> str:
        """Send a file by tus, in pieces that shrink to what the proxy takes; return its token."""
        tus = {"Tus_Resumable": "1.0.0"}
        name = f"filename {b64encode(path.name.encode()).decode()}"
        length = str(path.stat().st_size)
        more = {"Upload_Length": length, "Upload_Metadata": name, **tus}
        made = self.ask("POST", f"{self.shared}uploads", None, **more)
        assert made.status == 201, made.text
        place, offset, most = str(made.headers["Location"]), 0, 8 * MIB
        types = {"Content_Type": "application/offset+octet-stream", **tus}
        with path.open("rb") as file:
            while offset < int(length):
                file.seek(offset)
                types["Upload_Offset"] = str(offset)
                answer = self.ask("PATCH", place, file.read(most), **types)
                if answer.status == 413:
                    most //= 2
                    continue
                assert answer.status == 204, answer.text
                offset = int(answer.headers["Upload-Offset"])
        return place.rpartition("/")[2]


def made(path: Path, size: int) -> str:
    """Write a file of no two like pieces, and return what `digest` says of it."""
    found = hashlib.sha256()
    with path.open("wb") as file:
        for n in range(-(-size // MIB)):
            piece = hashlib.sha512(str(n).encode()).digest() * (MIB // 64)
            piece = piece[: size - n * MIB]
            file.write(piece)
            found.update(piece)
    return f"{path.name} {size} {found.hexdigest()}"
