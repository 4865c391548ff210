"""The card below a cell: a link to each form, as HTML, as text, and as data for JupyterLab's panel."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import quote

from nbfunc.hosts.base import FunctionInfo
from nbfunc.notebook.agent import Server

MIME = "application/vnd.nbfunc.card+json"


class Card:
    """What `%func_to_web` displays.

    Parameters
    ----------
    functions : list of FunctionInfo
        In order.
    server : Server
        Where their forms are.
    """

    def __init__(self, functions: list[FunctionInfo], server: Server) -> None:
        self._functions = functions
        self._server = server

    def links(self) -> list[str]:
        """Return a link to each form; it outlives the kernel where the notebook has a path.

        No token is in it: cards are saved with notebooks.
        """
        server = self._server
        if server.notebook is None:
            return [self.form(info) for info in self._functions]
        place = f"{server.base}-/open/{quote(server.notebook)}/"
        return [place + quote(info.name, safe="") for info in self._functions]

    def form(self, info: FunctionInfo) -> str:
        """Return the address of a form in this kernel."""
        return f"{self._server.base}{self._server.kernel}/{quote(info.name, safe='')}"

    def __repr__(self) -> str:
        pairs = zip(self._functions, self.links(), strict=True)
        return "\n".join(f"{info.title}: {link}" for info, link in pairs)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        links = self.links()
        rows = [
            {"name": f.name, "title": f.title, "description": f.description, "url": url, "form": self.form(f)}
            for f, url in zip(self._functions, links, strict=True)
        ]
        items = "".join(
            f'<li><a href="{html.escape(row["url"])}" target="_blank" rel="noopener">'
            f"{html.escape(row['title'])}</a></li>"
            for row in rows
        )
        return {
            MIME: {"version": 1, "notebook": self._server.notebook, "functions": rows},
            "text/html": f"<p>Forms of this notebook:</p><ul>{items}</ul>",
            "text/plain": repr(self),
        }
