"""A server that listens: in this thread until Ctrl-C, in a thread of its own, or inside a notebook's cell."""

from __future__ import annotations

import asyncio
import errno
import html
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack

from tornado.httpserver import HTTPServer

from nbfunc.errors import OptionError
from nbfunc.hosts.in_process import Exposed
from nbfunc.web import forks
from nbfunc.web.application import FunctionsApplication

GRACE_SECONDS = 5.0
BACKLOG = 128
# Where a server of every network is asked from this machine.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Server:
    """A server: `url` says where, `stop()` ends it.

    Attributes
    ----------
    url : str
        Its address, with the token in it where there is one.
    port : int
        Where it listens.
    """

    def __init__(
        self,
        app: FunctionsApplication,
        sockets: list[socket.socket],
        context: ssl.SSLContext | None,
        url: str,
    ) -> None:
        self.url = url
        self.port: int = sockets[0].getsockname()[1]
        self._app = app
        self._sockets = sockets
        self._context = context
        self._loop: asyncio.AbstractEventLoop | None = None
        self._until: asyncio.Event | None = None
        self._begun = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    async def serve(self) -> None:
        """Serve until `stop` is called."""
        self._loop, self._until = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        if self._stopped:
            self._until.set()
        server = HTTPServer(self._app, ssl_options=self._context)
        server.add_sockets(self._sockets)
        self._app.start_sweeping()
        try:
            await self._until.wait()
        finally:
            server.stop()
            await self._app.site.runs.close()
            # Whoever is being answered is answered, within reason.
            await _quiet(server, self._app)
            await server.close_all_connections()
            await self._app.close()

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.serve()), daemon=True, name="nbfunc-server"
        )
        self._thread.start()
        self._begun.wait(GRACE_SECONDS)

    def stop(self) -> None:
        """Stop listening, cancel what runs, and wait until that is done."""
        self._stopped = True
        if _SERVING.get(self.port) is self:
            del _SERVING[self.port]
        if self._loop is not None and self._until is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._until.set)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2 * GRACE_SECONDS)

    def expose(self, exposed: list[Exposed]) -> None:
        """Serve these too, in the place of those of their names."""
        self._on_loop(lambda: self._app.expose(exposed))

    def remove(self, names: list[str]) -> None:
        """Serve these no more; running runs go on."""
        self._on_loop(lambda: self._app.remove(names))

    def _on_loop(self, act: Callable[[], None]) -> None:
        async def once() -> None:
            act()

        if self._loop is not None and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(once(), self._loop).result(2 * GRACE_SECONDS)

    def __repr__(self) -> str:
        return f"<nbfunc server at {self.url}>"

    def _repr_html_(self) -> str:
        url = html.escape(self.url)
        return f'<a href="{url}" target="_blank" rel="noopener">{html.escape(self.url.partition("?")[0])}</a>'


# This process's servers in the background, by port: a cell that is run again replaces its own.
_SERVING: dict[int, Server] = {}


async def _quiet(server: HTTPServer, app: FunctionsApplication) -> None:
    """Wait a little for the connections that are being answered."""
    deadline = asyncio.get_running_loop().time() + GRACE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
        # Tornado has no other way to know.
        writing = any(connection.stream.writing() for connection in server._connections)
        if not writing and not app.site.sending:
            return


def listen(
    app: FunctionsApplication, host: str, port: int, context: ssl.SSLContext | None, *, base: str, query: str
) -> Server:
    """Return a server that is bound to its port, and does not answer yet.

    Raises
    ------
    OptionError
        A port that is none.
    OSError
        It is taken, or not ours to take.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise OptionError(f"port={port!r}: must be a number from 0, which is any free one, to 65535.")
    earlier = _SERVING.get(port)
    if earlier is not None:
        earlier.stop()
    try:
        sockets = bound(host, port)
    except OSError as error:
        raise _port_error(error, host, port) from error
    name = LOOPBACK.get(sockets[0].getsockname()[0], host)
    name = f"[{name}]" if ":" in name else name
    scheme = "http" if context is None else "https"
    return Server(app, sockets, context, f"{scheme}://{name}:{sockets[0].getsockname()[1]}{base}{query}")


def bound(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on a port, at each address that a host has; all are closed if one fails."""
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            if family not in {socket.AF_INET, socket.AF_INET6}:
                continue
            # Of a name with two addresses both get the port that the first one got.
            place = (address[0], sockets[0].getsockname()[1] if sockets else port)
            try:
                listening = socket.create_server(place, family=family, backlog=BACKLOG)
            except OSError as error:
                if sockets and error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    continue  # a name may have an IPv6 address on a machine without IPv6
                raise
            sockets.append(opened.enter_context(listening))
            listening.setblocking(False)
        opened.pop_all()
        return sockets


def _port_error(error: OSError, host: str, port: int) -> OSError:
    if error.errno == errno.EADDRINUSE:
        said = f"Port {port} of {host} is taken: stop what listens there, or pass port=0 for any free one."
    elif error.errno == errno.EACCES:
        said = f"Port {port} is not for every account: pass a port from 1024 on, or port=0 for any free one."
    else:
        said = f"Cannot listen on host={host!r}, port={port}: {error.strerror or error}."
    return OSError(error.errno, said)


def check_free_thread() -> None:
    """Raise `OptionError` where an event loop runs in this thread already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise OptionError(
        "run() blocks, and an event loop runs in this thread already: pass block=False, "
        "or use nbfunc.application(...).listen(port)."
    )


def serve_here(server: Server, said: str) -> None:
    """Say `said`, and serve in this thread until Ctrl-C, or a termination signal."""

    async def until_signal() -> None:
        loop = asyncio.get_running_loop()
        received: list[int] = []

        def stop(number: int) -> None:
            received.append(number)
            # A second Ctrl-C does not wait for anything.
            loop.remove_signal_handler(number)
            server.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, stop, number)
            except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
                break  # there Ctrl-C raises KeyboardInterrupt below
            forks.hears(number)
        # Not earlier: whoever reads it may end the server the next moment.
        print(said, flush=True)
        await server.serve()

    try:
        asyncio.run(until_signal())
    except KeyboardInterrupt:
        server.stop()


def serve_in_background(server: Server) -> Server:
    """Serve in a thread of its own, and return at once."""
    _SERVING[server.port] = server
    server.start()
    return server


def serve_nested(server: Server, said: str) -> None:
    """Say `said`, and serve inside the loop that runs a notebook's cell until the cell is interrupted."""
    # Here and nowhere else is the loop patched so that it can be entered again.
    import nest_asyncio  # noqa: PLC0415 - only for this

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        serve_here(server, said)
        return
    nest_asyncio.apply(loop)
    print(said, flush=True)
    task = loop.create_task(server.serve())
    try:
        loop.run_until_complete(task)
    except KeyboardInterrupt:
        server.stop()
        loop.run_until_complete(task)


def in_notebook() -> bool:
    """Whether this process is an IPython kernel; IPython is looked at only if it is there already."""
    ipython = sys.modules.get("IPython")
    if ipython is None or "ipykernel" not in sys.modules:
        return False
    return getattr(ipython.get_ipython(), "kernel", None) is not None
