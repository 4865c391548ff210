"""Uploads that the server passes along with a submit: by path on a shared disk, by content elsewhere."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from nbfunc.errors import NotFound
from nbfunc.names import clean_filename

# Longer than a run waits for its turn, which the server keeps: only with that does the kernel hear of it.
PUSHED_SECONDS = 24 * 3600.0


class Passed(TypedDict):
    """What the server says of the uploads that a submit names, each by its token.

    Attributes
    ----------
    paths : dict
        Where one is; None if its content was pushed before.
    filenames : dict
        Their names.
    problems : dict
        Why others cannot be had.
    """

    paths: dict[str, str | None]
    filenames: dict[str, str]
    problems: dict[str, str]


class PushedUploads:
    """Uploads whose content came over the channel, in a folder of the kernel's own.

    Parameters
    ----------
    folder : callable
        Returns it; called at the first need.

    Attributes
    ----------
    held : set of Path
        The directories of those that runs have.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self.held: set[Path] = set()

    def sweep(self, now: float) -> None:
        """Delete what no run took, its server being gone; `now` in seconds since the epoch. Blocks."""
        for directory in self._folder().glob("*"):
            with suppress(OSError):  # its run ends in this moment
                written = max(path.stat().st_mtime for path in (directory, *directory.iterdir()))
                if now - written >= PUSHED_SECONDS and directory not in self.held:
                    shutil.rmtree(directory)

    def path(self, token: str, filename: str) -> Path:
        """Return where one is, or will be."""
        # Both from the server, whose word is not doubted; and no path all the same.
        return self._folder() / clean_filename(token) / clean_filename(filename)

    def write(self, token: str, filename: str, offset: int, block: memoryview) -> None:
        """Write a block of one; the first makes the file. The same block may come twice."""
        path = self.path(token, filename)
        if offset == 0:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(0o600)
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(block)


class PassedUploads:
    """What one run may open; satisfies `nbfunc.hosts.base.Uploads`.

    The server holds and deletes its uploads itself, however the run ends. What it pushed is deleted here.

    Parameters
    ----------
    passed : Passed
        What the server said.
    pushed : PushedUploads
        Where the content is that it pushed.
    """

    def __init__(self, passed: Passed, pushed: PushedUploads) -> None:
        self._all = pushed
        self._problems = passed["problems"]
        self._pushed = {
            token: pushed.path(token, passed["filenames"][token])
            for token, path in passed["paths"].items()
            if path is None
        }
        self._paths: Mapping[str, Path] = {
            **self._pushed,
            **{token: Path(path) for token, path in passed["paths"].items() if path is not None},
        }

    def find(self, token: str) -> Path:
        if token in self._paths:
            return self._paths[token]
        raise NotFound(self._problems.get(token, "This upload is not there any more: choose the file again."))

    def take(self, tokens: list[str], run: str) -> None:  # noqa: ARG002 - there is only the one
        """Hold what was pushed; the server took them all for this run before it asked."""
        self._all.held |= {path.parent for path in self._pushed.values()}

    def release(self, run: str) -> None:  # noqa: ARG002 - there is only the one
        pushed, self._pushed = list(self._pushed.values()), {}
        self._all.held -= {path.parent for path in pushed}
        if pushed:
            threading.Thread(target=_remove, args=(pushed,), name="nbfunc-delete", daemon=True).start()


def _remove(files: list[Path]) -> None:
    for file in files:
        shutil.rmtree(file.parent, ignore_errors=True)
