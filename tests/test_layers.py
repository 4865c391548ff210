"""Imports go one way: core <- files, hosts <- web, notebook. And each process loads only what it needs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "nbfunc"
ALLOWED = {
    "errors": set(),
    "names": set(),
    "types": {"names"},
    "core": {"core", "errors", "types"},
    "files": {"files", "errors", "names"},
    "hosts": {"hosts", "core", "files", "errors", "types", "_version"},
    "web": {"web", "hosts", "core", "files", "errors", "types", "names", "_version"},
    "notebook": {"notebook", "hosts", "core", "files", "errors", "types", "names", "_version"},
}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "node_modules" not in path.parts)


def imported_layers(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("nbfunc."))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if layer in ALLOWED:
        assert set(imported_layers(path)) <= ALLOWED[layer]


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(' '.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return set(out.split())


@pytest.mark.parametrize(
    ("statement", "never"),
    [
        (
            "from nbfunc import run",
            {"jupyter_server", "IPython", "ipywidgets", "pandas", "numpy", "narwhals"},
        ),
        ("import nbfunc.hosts.in_process", {"jupyter_server", "tornado", "IPython", "ipywidgets"}),
        ("import nbfunc.types", {"jupyter_server", "tornado", "IPython", "jinja2"}),
    ],
)
def test_a_process_never_loads_what_another_needs(statement: str, never: set[str]) -> None:
    assert not loaded_by(statement) & never
