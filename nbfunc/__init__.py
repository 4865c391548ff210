"""nbfunc turns type-hinted Python functions into forms: in JupyterLab, in a notebook, on a page, as an API.

The names below are imported when they are first used, so that a kernel never loads what only a server needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nbfunc._version import __version__

if TYPE_CHECKING:
    from nbfunc.core.context import current_user, progress
    from nbfunc.core.options import expose
    from nbfunc.errors import Cancelled
    from nbfunc.notebook.panel import panel
    from nbfunc.types import FileResponse
    from nbfunc.web.application import application
    from nbfunc.web.authorizer import FormsOnly
    from nbfunc.web.server import run

__all__ = [
    "Cancelled",
    "FileResponse",
    "FormsOnly",
    "__version__",
    "application",
    "current_user",
    "expose",
    "panel",
    "progress",
    "run",
]

_HOMES = {
    "Cancelled": "nbfunc.errors",
    "FileResponse": "nbfunc.types",
    "FormsOnly": "nbfunc.web.authorizer",
    "application": "nbfunc.web.application",
    "current_user": "nbfunc.core.context",
    "expose": "nbfunc.core.options",
    "panel": "nbfunc.notebook.panel",
    "progress": "nbfunc.core.context",
    "run": "nbfunc.web.server",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nbfunc' has no attribute {name!r}; it has {', '.join(__all__)}.")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter where the server extension is."""
    from nbfunc.web.extension import NbfuncApp  # noqa: PLC0415 - only a Jupyter server needs it

    return [{"module": "nbfunc.web.extension", "app": NbfuncApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell ``jupyter labextension develop`` where the built extension is."""
    return [{"src": "labextension/dist", "dest": "nbfunc"}]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext nbfunc``."""
    from nbfunc.notebook.magic import load  # noqa: PLC0415 - only a kernel needs it

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext nbfunc``."""
    from nbfunc.notebook.magic import unload  # noqa: PLC0415 - only a kernel needs it

    unload(shell)
