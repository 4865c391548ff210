"""Servers for the tests of a module, each stopped at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from nbfunc import application
from tests.looking import files_below
from tests.web.served import Served, start


class Serve(Protocol):
    """Serves functions on a free port."""

    def __call__(self, functions: Any, **options: Any) -> Served: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve functions, with directories of this test's own."""
    running: list[Served] = []

    def serve_functions(functions: Any, **options: Any) -> Served:
        directories = {"uploads_dir": tmp_path / "uploads", "returns_dir": tmp_path / "returns"}
        running.append(start(application(functions, **{**directories, **options})))
        return running[-1]

    yield serve_functions
    for served in running:
        served.server.stop()


@pytest.fixture
def files_of(tmp_path: Path) -> Callable[[str], list[str]]:
    """List all files below one of the directories."""

    def listed(folder: str) -> list[str]:
        return [str(path.relative_to(tmp_path / folder)) for path in files_below(tmp_path / folder)]

    return listed
