"""``jupyter nbfunc notebook.ipynb``: a notebook is run in a kernel of its own, and stays there to serve."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.session import Session

# Cells with this tag are not run, as nbclient has it.
SKIP_TAG = "skip-execution"
RAISES_TAG = "raises-exception"


class CellFailed(Exception):
    """A cell of a launched notebook raised."""


@dataclass(frozen=True, kw_only=True)
class Notebooks:
    """Executes notebooks of a Jupyter server.

    Parameters
    ----------
    contents, sessions, kernels : managers of jupyter_server
        Read a notebook, give it a kernel, and reach that.
    """

    contents: Any
    sessions: Any
    kernels: Any

    async def execute(self, path: str) -> str:
        """Run a notebook's code cells in a new kernel, and return that one's id.

        Parameters
        ----------
        path : str
            Below the server's root directory.

        Raises
        ------
        CellFailed
            The message names the cell and its error; the kernel goes on.
        """
        model = await _awaited(self.contents.get(path, type="notebook", content=True))
        notebook = model["content"]
        spec = notebook["metadata"].get("kernelspec", {}).get("name")
        session = await self.sessions.create_session(
            path=path, name=Path(path).name, type="notebook", kernel_name=spec
        )
        kernel = str(session["kernel"]["id"])
        cells = _Cells(self.kernels.get_kernel(kernel))
        try:
            for number, cell in enumerate(notebook["cells"], start=1):
                tags = cell["metadata"].get("tags", [])
                if cell["cell_type"] != "code" or SKIP_TAG in tags:
                    continue
                error = await cells.run(cell["source"])
                if error and RAISES_TAG not in tags:
                    raise CellFailed(f"{path}, cell {number}: {error}\n{_first_line(cell['source'])}")
        finally:
            cells.close()
        return kernel


class _Cells:
    """Runs cells in a kernel."""

    def __init__(self, manager: Any) -> None:
        # A session of its own: that of the manager has one ZMQ identity for all who use it.
        self._session = Session(key=manager.session.key, signature_scheme=manager.session.signature_scheme)
        self._stream = manager.connect_shell()
        self._stream.on_recv(self._replied)
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}

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
        message = self._session.msg("execute_request", content)
        reply = self._replies[message["header"]["msg_id"]] = asyncio.get_running_loop().create_future()
        self._session.send(self._stream, message)
        answer = await reply
        return "" if answer["status"] == "ok" else f"{answer.get('ename')}: {answer.get('evalue')}"

    def close(self) -> None:
        self._stream.close(linger=0)

    def _replied(self, frames: list[bytes]) -> None:
        _, rest = self._session.feed_identities(frames)
        message = self._session.deserialize(rest)
        reply = self._replies.pop(message["parent_header"].get("msg_id", ""), None)
        if reply is not None and not reply.done():
            reply.set_result(message["content"])


async def _awaited(value: Any) -> Any:
    """Return what a manager answers, whether it does so at once or later."""
    return await value if asyncio.iscoroutine(value) or asyncio.isfuture(value) else value


def _first_line(source: str) -> str:
    return next((f"    {line.strip()}" for line in source.splitlines() if line.strip()), "")
