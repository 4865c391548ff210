"""A real server on a free port, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbfunc import application


@dataclass(frozen=True)
class Served:
    """What a test knows of a server: its address."""

    url: str
    shared: str = "/-/"

    def get(self, path: str) -> tuple[Any, bytes]:
        """Return headers and body of a GET; `path` is absolute."""
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.headers, answer.read()

    def run(self, function: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer of a run, finished or not."""
        request = urllib.request.Request(
            f"{self.url}/{function}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                body: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                body = json.loads(error.read())
        return body


@contextmanager
def serving(functions: Any, folder: Path, **options: Any) -> Iterator[Served]:
    """Serve functions from a loop in a thread of its own, their files in `folder`."""
    ready = threading.Event()
    known: dict[str, Any] = {}

    async def serve() -> None:
        stop = asyncio.Event()
        app = application(
            functions, returns_dir=folder / "returned_files", uploads_dir=folder / "uploads", **options
        )
        server = app.listen(0, "127.0.0.1")
        port = next(iter(server._sockets.values())).getsockname()[1]
        loop = asyncio.get_running_loop()
        known.update(port=port, stop=lambda: loop.call_soon_threadsafe(stop.set))
        ready.set()
        await stop.wait()
        server.stop()
        await app.close()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    try:
        yield Served(f"http://127.0.0.1:{known['port']}")
    finally:
        known["stop"]()
        thread.join()
