"""A real Jupyter server, with JupyterLab or Voila in front, and a notebook opened in it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page

REPOSITORY = Path(__file__).parent.parent.parent


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook of code cells."""
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]  # nbformat has none
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],  # type: ignore[no-untyped-call]  # the same
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]  # the same


@contextmanager
def _started(folder: Path, command: Sequence[str], subshells: str = "perCommTarget") -> Iterator[str]:
    """Start a Jupyter program in `folder`, and yield the address that it tells."""
    settings = folder / ".settings"
    own = settings / "@jupyterlab" / "apputils-extension"
    own.mkdir(parents=True)
    news = {"fetchNews": "false", "checkForUpdates": False}
    (own / "notification.jupyterlab-settings").write_text(json.dumps(news))
    kernels = {"commsOverSubshells": subshells}
    (own / "kernels-settings.jupyterlab-settings").write_text(json.dumps(kernels))
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "JUPYTER_CONFIG_DIR": str(folder / ".config"),
        "JUPYTER_RUNTIME_DIR": str(folder / ".runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".workspaces"),
    }
    log = folder / ".log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield _address(log, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    with log.open() as lines:
        told = ""
        while process.poll() is None:
            told += lines.readline()
            found = re.search(r"(http://(?:127\.0\.0\.1|localhost):\d+/)\S*\n", told)
            if found:
                return found[1]
    raise AssertionError(log.read_text())


@contextmanager
def lab(folder: Path, *, subshells: str = "perCommTarget") -> Iterator[str]:
    """Serve `folder` in JupyterLab.

    Widgets' messages go over the kernel's subshells, as Lab's setting says by default, or are "disabled":
    then they wait for the cell, as they do with ipykernel 6.
    """
    options = (
        "--no-browser",
        "--allow-root",
        "--ServerApp.port=0",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
    )
    with _started(folder, ["jupyterlab", *options], subshells) as url:
        yield url


@contextmanager
def voila(folder: Path, notebook: str) -> Iterator[str]:
    """Serve a notebook of `folder` in Voila."""
    with socket.socket() as free:  # told port 0, Voila tells port 0
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _started(folder, ["voila", "--no-browser", f"--port={port}", notebook]) as url:
        yield url


def open_and_run(page: Page, url: str, notebook: str) -> None:
    """Open a notebook in JupyterLab and run all its cells to their end."""
    page.goto(f"{url}lab/tree/{notebook}?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
    page.evaluate(
        """async () => {
            const { commands, shell } = window.jupyterapp;
            await shell.currentWidget.revealed;
            await shell.currentWidget.sessionContext.ready;
            void commands.execute('notebook:run-all-cells');
        }"""
    )
