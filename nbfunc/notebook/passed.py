"""Uploads that the server passes along with a submit: by path on a shared disk, by content elsewhere."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbfunc.errors import NotFound
from nbfunc.names import clean_filename


@dataclass(frozen=True)
class _Passed:
    run: str
    path: Path
    pushed: bool


class PassedUploads:
    """What the runs of this kernel may open; satisfies `nbfunc.hosts.base.Uploads`.

    The server holds and deletes its uploads itself, however a run ends. What it pushed here is deleted here.

    Parameters
    ----------
    folder : Path
        Where to write what is pushed; made at the first need.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._passed: dict[str, _Passed] = {}
        self._problems: dict[str, str] = {}

    def write(self, token: str, filename: str, offset: int, block: memoryview) -> None:
        """Write a block of a file that is being pushed."""
        path = self._place(token, filename)
        if offset == 0:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(block)

    def pass_on(self, run: str, paths: Mapping[str, str | None], filenames: Mapping[str, str]) -> None:
        """Let `run` open these: a path each, or None where the content was pushed before."""
        for token, path in paths.items():
            place = self._place(token, filenames[token]) if path is None else Path(path)
            self._passed[token] = _Passed(run, place, path is None)

    def explain(self, problems: Mapping[str, str]) -> None:
        """Remember why some tokens are none."""
        self._problems = dict(problems)

    def find(self, token: str) -> Path:
        if token in self._passed:
            return self._passed[token].path
        raise NotFound(self._problems.get(token, "This upload is not there any more: choose the file again."))

    def take(self, tokens: list[str], run: str) -> None:
        for token in tokens:
            if token not in self._passed or self._passed[token].run != run:
                raise NotFound("This upload was taken by another run: choose the file again.")

    def release(self, run: str) -> None:
        gone = [token for token, passed in self._passed.items() if passed.run == run]
        pushed = [passed.path.parent for passed in map(self._passed.pop, gone) if passed.pushed]
        if pushed:
            threading.Thread(target=_remove, args=(pushed,), name="nbfunc-delete", daemon=True).start()

    def _place(self, token: str, filename: str) -> Path:
        # Both from the server, whose word is not doubted; and no path all the same.
        return self._folder / clean_filename(token) / clean_filename(filename)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
