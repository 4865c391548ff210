"""A real JupyterLab or Notebook on a free port, with notebooks of the test's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

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
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(book, self.folder / name)
        return name


@contextmanager
def jupyter(folder: Path, app: str = "lab", *, extension: bool = True, **settings: Any) -> Iterator[Jupyter]:
    """Start Jupyter with the extension as it is built now; `extension=False` leaves the server's out."""
    notebooks, extensions = folder / "notebooks", folder / "labextensions"
    notebooks.mkdir()
    extensions.mkdir()
    (extensions / "nbfunc").symlink_to(EXTENSION)
    for name, values in {**SETTINGS, **settings}.items():
        file = folder / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    environment = {
        **os.environ,
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
    owner = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}[app]
    command = [sys.executable, "-m", "jupyter", app, "--allow-root", "--no-browser"]
    command += [f"--{owner}.extra_labextensions_path={extensions}"]
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
        if found := re.search(r"(http://127\.0\.0\.1:\d+/base/)", text):
            return found[1]
    raise RuntimeError(f"Jupyter did not start:\n{log.read_text(encoding='utf-8')}")
