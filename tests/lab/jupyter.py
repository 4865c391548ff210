"""A real JupyterLab or Notebook on a free port, with notebooks of the test's own."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

EXTENSION = Path(__file__).parents[2] / "nbfunc" / "labextension" / "dist"
TOKEN = "for-tests"
# No news, no updates: their pop-ups lie over what a test clicks.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@dataclass(frozen=True)
class Jupyter:
    """A running server: its address with the base URL, and the folder that it serves."""

    url: str
    folder: Path

    def page(self, path: str) -> str:
        """Return an address that lets its visitor in."""
        return f"{self.url}{path}?token={TOKEN}"

    def api(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Ask the server's REST API."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def notebook(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells; return its path."""
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{at}",
                    "source": one,
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                }
                for at, one in enumerate(cells)
            ],
            "metadata": {"kernelspec": kernel},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(book), encoding="utf-8")
        return name


@contextmanager
def jupyter(
    folder: Path,
    app: Literal["lab", "notebook"] = "lab",
    *,
    extension: bool = True,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Jupyter]:
    """Start Jupyter with the panel as it is built now; `extension=False` leaves the server's part out."""
    notebooks, extensions = folder / "notebooks", folder / "first" / "labextensions"
    notebooks.mkdir()
    extensions.mkdir(parents=True)
    (extensions / "nbfunc").symlink_to(EXTENSION)
    for name, values in {**SETTINGS, **settings}.items():
        file = folder / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    environment = {
        **os.environ,
        # Looked through before everything that is installed.
        "JUPYTER_PATH": str(folder / "first"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    config = {
        "ServerApp": {
            "port": 0,
            "open_browser": False,
            "base_url": "/base/",
            "root_dir": str(notebooks),
            "jpserver_extensions": {"nbfunc": extension, "jupyterlab": True, "notebook": True},
        },
        "IdentityProvider": {"token": TOKEN},
    }
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "jupyter", app, "--allow-root", "--no-browser"]
    log = (folder / "log").open("w+", encoding="utf-8")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Jupyter(_address(server, folder / "log"), notebooks)
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server answers; return its base address."""
    while server.poll() is None:
        text = log.read_text(encoding="utf-8")
        # It says its address a moment before it listens there.
        found = re.search(r"http://127\.0\.0\.1:(\d+)/base/", text)
        if found and _listens(int(found[1])):
            return found[0]
        time.sleep(0.05)
    raise RuntimeError(f"Jupyter did not start:\n{log.read_text(encoding='utf-8')}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
