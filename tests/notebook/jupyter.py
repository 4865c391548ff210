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
def _started(folder: Path, command: Sequence[str]) -> Iterator[str]:
    """Start a Jupyter program in `folder`, and yield the address that it tells."""
    settings = folder / ".settings"
    news = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
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
def lab(folder: Path) -> Iterator[str]:
    """Serve `folder` in JupyterLab."""
    options = (
        "--no-browser",
        "--allow-root",
        "--ServerApp.port=0",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
    )
    with _started(folder, ["jupyterlab", *options]) as url:
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
