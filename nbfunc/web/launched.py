"""``jupyter nbfunc a.ipynb b.ipynb``: each is run in a kernel of its own, and stays there to serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from jupyter_client.session import Session

from nbfunc.errors import KernelError, LaunchFailed, NotReady
from nbfunc.web.gateway import is_behind_gateway
from nbfunc.web.kernels import ACTIONS

# Cells with this tag are not run, as nbclient has it.
SKIP_TAG = "skip-execution"
RAISES_TAG = "raises-exception"
LOOK_SECONDS = 2.0
ALIVE_SECONDS = 0.1
NOTHING = "It exposes no function: end it with a cell that has %load_ext nbfunc and then %func_to_web f."
DIED = "its kernel died"
ENDS = {"restart": "its kernel was restarted", "shutdown": "its kernel was shut down"}


class CellFailed(Exception):
    """A cell of a launched notebook raised, or could not be run."""


@dataclass(eq=False)
class Launch:
    """One notebook on its way.

    Attributes
    ----------
    path : str
        Below the server's root directory.
    cells, at : int
        How many cells it has, and which one runs, from 1; 0 before it is read.
    over : bool
        Whether nothing more is run of it.
    failure : str
        Why it stopped before its end.
    kernel : str
        The id of the one that runs it, once there is one.
    """

    path: str
    cells: int = 0
    at: int = 0
    over: bool = False
    failure: str = ""
    kernel: str = ""

    def __str__(self) -> str:
        if self.failure:
            return f"{self.path} stopped. {self.failure}"
        if self.over:
            return f"{self.path} has run."
        if not self.at:
            return f"{self.path} is being opened."
        return f"{self.path} is running: cell {self.at} of {self.cells}."


class Launches:
    """The notebooks that the command line named; they run side by side, since one may never end.

    Parameters
    ----------
    paths : sequence of str
        Below the server's root directory.
    contents, sessions, kernels : managers of jupyter_server
        Read a notebook, give it a kernel, and reach that.
    events : jupyter_events.EventLogger
        Tells when a kernel is restarted.
    exposing : callable
        Says whether a kernel exposes a function.
    log : logging.Logger
        Is told how each ends.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        contents: Any,
        sessions: Any,
        kernels: Any,
        events: Any,
        exposing: Callable[[str], bool],
        log: logging.Logger,
    ) -> None:
        self._launches = [Launch(path) for path in dict.fromkeys(paths)]
        self._contents = contents
        self._sessions = sessions
        self._kernels = kernels
        self._exposing = exposing
        self._log = log
        self._running: dict[str, _Cells] = {}
        events.add_listener(schema_id=ACTIONS, listener=self._acted)

    def notices(self) -> list[str]:
        """Say which notebooks are not over, stopped before their end, or expose nothing."""
        concerned = (
            launch for launch in self._launches if launch.failure or not launch.over or self._idle(launch)
        )
        return [self._said(launch) for launch in concerned]

    def _idle(self, launch: Launch) -> bool:
        return launch.over and not launch.failure and not self._exposing(launch.kernel)

    def _said(self, launch: Launch) -> str:
        return f"{launch} {NOTHING}" if self._idle(launch) else str(launch)

    def check(self, path: str | None = None) -> None:
        """Raise why there is nothing to show, of one notebook or of all.

        Raises
        ------
        NotReady
            A notebook is running.
        LaunchFailed
            None is, and one stopped before its end.
        """
        concerned = [launch for launch in self._launches if path in {None, launch.path}]
        said = " ".join(str(launch) for launch in concerned if launch.failure or not launch.over)
        if any(not launch.over for launch in concerned):
            raise NotReady(f"{said} What it exposes is shown here as soon as it is there.")
        if said:
            raise LaunchFailed(said)

    async def run(self) -> None:
        """Run all notebooks, each to its end or its first error."""
        await asyncio.gather(*map(self._run, self._launches))

    async def _run(self, launch: Launch) -> None:
        try:
            await self._execute(launch)
        except CellFailed as error:
            launch.failure = str(error)
        except Exception as error:  # noqa: BLE001 - no such file, no such kernel: said where forms would be
            launch.failure = f"It could not be run: {error}"
        launch.over = True
        level = logging.ERROR if launch.failure else logging.WARNING if self._idle(launch) else logging.INFO
        self._log.log(level, "%s", self._said(launch))

    async def _execute(self, launch: Launch) -> None:
        model = await _awaited(self._contents.get(launch.path, type="notebook", content=True))
        notebook = model["content"]
        launch.cells = len(notebook["cells"])
        spec = notebook["metadata"].get("kernelspec", {}).get("name")
        session = await self._sessions.create_session(
            path=launch.path, name=PurePosixPath(launch.path).name, type="notebook", kernel_name=spec
        )
        kernel = launch.kernel = str(session["kernel"]["id"])
        manager = self._kernels.get_kernel(kernel)
        if is_behind_gateway(manager):
            raise CellFailed("Its kernel is behind a gateway: open the notebook, and run it there.")

        def died() -> None:
            self._running[kernel].lost(DIED)

        self._kernels.add_restart_callback(kernel, died, "restart")
        try:
            cells = await self._ready(kernel, manager)
            for launch.at, cell in enumerate(notebook["cells"], start=1):
                tags = cell["metadata"].get("tags", [])
                if cell["cell_type"] != "code" or SKIP_TAG in tags:
                    continue
                error = await cells.run(cell["source"])
                if error and RAISES_TAG not in tags:
                    raise CellFailed(f"Cell {launch.at} of {launch.cells}: {error} ({_first_line(cell)})")
        finally:
            if kernel in self._kernels:
                self._kernels.remove_restart_callback(kernel, died, "restart")
            self._running.pop(kernel).close()

    async def _ready(self, kernel: str, manager: Any) -> _Cells:
        """Return the way to a kernel that answers; one that dies at its start is started again by the server.

        That happens where another program takes one of its ports first.
        """
        given_up = asyncio.Event()
        self._kernels.add_restart_callback(kernel, given_up.set, "dead")
        while True:
            cells = self._running[kernel] = _Cells(manager)
            if await cells.answers():
                self._kernels.remove_restart_callback(kernel, given_up.set, "dead")
                return cells
            cells.close()
            while not await _awaited(manager.is_alive()):
                if given_up.is_set() or not manager.autorestart or kernel not in self._kernels:
                    raise CellFailed("Its kernel does not start; the server's log says why.")
                await asyncio.sleep(ALIVE_SECONDS)

    async def _acted(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 - its way
        cells = self._running.get(data.get("kernel_id", ""))
        if cells is not None and data["action"] in ENDS:
            cells.lost(ENDS[data["action"]])


class _Cells:
    """Runs cells in a kernel, one at a time."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        # A session of its own: that of the manager has one ZMQ identity for all who use it.
        self._session = Session(key=manager.session.key, signature_scheme=manager.session.signature_scheme)
        self._stream = manager.connect_shell()
        self._stream.on_recv(self._replied)
        self._request = ""
        self._reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._end = ""

    async def run(self, code: str) -> str:
        """Run one; return its error, or nothing."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        try:
            answer = await self._asked("execute_request", content)
        except KernelError as error:
            return str(error)
        return "" if answer["status"] == "ok" else f"{answer.get('ename')}: {answer.get('evalue')}"

    async def answers(self) -> bool:
        """Return once the kernel does, or is gone."""
        try:
            await self._asked("kernel_info_request", {})
        except KernelError:
            return False
        return True

    async def _asked(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a request; raise what keeps it from coming."""
        if self._end:
            raise KernelError(self._end)
        message = self._session.msg(kind, content)
        self._request = message["header"]["msg_id"]
        self._reply = asyncio.get_running_loop().create_future()
        self._session.send(self._stream, message)
        while not (await asyncio.wait([self._reply], timeout=LOOK_SECONDS))[0]:
            # One that is not started again by itself dies without a word.
            if not await _awaited(self._manager.is_alive()):
                self.lost(DIED)
        return self._reply.result()

    def lost(self, why: str) -> None:
        """No answer will come any more."""
        self._end = why
        if not self._reply.done():
            self._reply.set_exception(KernelError(why))

    def close(self) -> None:
        self._stream.close(linger=0)

    def _replied(self, frames: list[bytes]) -> None:
        _, rest = self._session.feed_identities(frames)
        message = self._session.deserialize(rest)
        if message["parent_header"].get("msg_id") == self._request and not self._reply.done():
            self._reply.set_result(message["content"])


async def _awaited(value: Any) -> Any:
    """Return what a manager answers, whether it does so at once or later."""
    return await value if asyncio.iscoroutine(value) or asyncio.isfuture(value) else value


def _first_line(cell: dict[str, Any]) -> str:
    return next((line.strip() for line in cell["source"].splitlines() if line.strip()), "")
