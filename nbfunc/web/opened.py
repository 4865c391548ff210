"""``jupyter nbfunc --no-exec notebook.ipynb``: the forms of one that a Jupyter server has open."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import list_running_servers

from nbfunc.errors import OptionError

ASK_SECONDS = 10.0


def show_opened(notebooks: Sequence[Path], *, browser: bool) -> None:
    """Say where the forms of open notebooks are, and open them in a browser.

    Parameters
    ----------
    notebooks : sequence of Path
        Their files.
    browser : bool
        Whether to open one.

    Raises
    ------
    OptionError
        No running server has one of them open, or it exposes nothing.
    """
    if not notebooks:
        raise OptionError("--no-exec needs a notebook: jupyter nbfunc --no-exec notebook.ipynb")
    servers = list(list_running_servers())
    for notebook in notebooks:
        address = address_of(notebook, servers)
        print(f"The forms of {notebook}: {address}", flush=True)
        if browser:
            webbrowser.open(address)


def address_of(notebook: Path, servers: Sequence[dict[str, Any]]) -> str:
    """Return the address of an open notebook's forms.

    Parameters
    ----------
    notebook : Path
        Its file.
    servers : sequence of dict
        What jupyter_server says of each running server.
    """
    troubles = []
    for server in servers:
        path = _below(notebook, server)
        if path is None:
            continue
        try:
            for kernel in _kernels(server, path):
                found = [one for one in _asked(server, "nbfunc/-/functions") if one["kernel"] == kernel]
                token = f"?token={server['token']}" if server.get("token") else ""
                if found:
                    return f"{server['url']}nbfunc/{kernel}/{token}"
                troubles.append(
                    f"{server['url']} has it open, and it exposes no function: run %func_to_web f there."
                )
        except (OSError, ValueError) as error:
            troubles.append(f"{server['url']} does not say: {error}.")
    said = " ".join(troubles) or "No running Jupyter server has it open: do so, or leave out --no-exec."
    raise OptionError(f"{notebook}: {said}")


def _below(notebook: Path, server: dict[str, Any]) -> str | None:
    """Return a notebook's path as a server has it."""
    try:
        return notebook.resolve().relative_to(Path(server["root_dir"]).resolve()).as_posix()
    except (KeyError, ValueError):
        return None


def _kernels(server: dict[str, Any], path: str) -> Iterator[str]:
    for session in _asked(server, "api/sessions"):
        if session["type"] == "notebook" and session["path"] == path and session["kernel"]:
            yield session["kernel"]["id"]


def _asked(server: dict[str, Any], path: str) -> Any:
    headers = {"Accept": "application/json", "Authorization": f"token {server.get('token', '')}"}
    request = urllib.request.Request(server["url"] + path, headers=headers)
    with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
        return json.loads(answer.read())
