"""The command ``jupyter nbfunc``: what it says of itself, and what it makes of its arguments."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbfunc.errors import OptionError
from nbfunc.web.opened import show_opened

NO_EXEC = "--no-exec"
DESCRIPTION = """Run notebooks, and serve the functions that they expose as forms.

Each notebook runs in a kernel of its own, of a Jupyter server that is started here, and stays there. What it
exposes by %func_to_web is a form behind the server's login; the address that is shown carries its token.
Until then the address says which cell runs, and which one failed."""
EXAMPLES = """
jupyter nbfunc report.ipynb                  run report.ipynb, open its forms
jupyter nbfunc report.ipynb clean.ipynb      two notebooks, side by side
jupyter nbfunc report.ipynb --no-exec        the forms of a notebook that JupyterLab has open
jupyter nbfunc report.ipynb --no-browser --port=9000
jupyter nbfunc report.ipynb --NbfuncApp.max_upload_size=1000000000
jupyter nbfunc --help-all                    all settings, of NbfuncApp and of the server
"""

FLAGS: dict[str, Any] = {
    "no-browser": ({"ServerApp": {"open_browser": False}}, "Do not open the forms in a browser."),
    "no-exec": ({}, "Run nothing: show the forms of notebooks that a running Jupyter server has open."),
}
ALIASES = {"port": "ServerApp.port", "ip": "ServerApp.ip"}
HELP = {"-h", "--help", "--help-all"}


def launched_with(given: Sequence[str]) -> list[str] | None:
    """Return the arguments to launch a server with, None where there is nothing to launch.

    Raises
    ------
    OptionError
        A notebook is not there, or with ``--no-exec`` not open.
    """
    arguments = list(given)
    if HELP & set(arguments):
        return arguments
    notebooks = [Path(word) for word in arguments if word.endswith(".ipynb") and not word.startswith("-")]
    for notebook in notebooks:
        if not notebook.is_file():
            raise OptionError(f"{notebook}: there is no such file.")
    if NO_EXEC in arguments:
        show_opened(notebooks, browser="--no-browser" not in arguments)
        return None
    if len(notebooks) > 1 and not any(word.startswith("--ServerApp.root_dir") for word in arguments):
        # The server would see what is beside the first, and nothing else.
        above = os.path.commonpath([notebook.resolve().parent for notebook in notebooks])
        arguments.append(f"--ServerApp.root_dir={above}")
    return arguments
