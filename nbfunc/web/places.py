"""Where a Jupyter server keeps files: a directory of its own, beside those of its account's other servers."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nbfunc.errors import StorageError
from nbfunc.files.returns import ReturnsDir
from nbfunc.files.uploads import UploadsDir

logger = logging.getLogger("nbfunc")

# Servers of one account may be on several hosts, whose clocks differ.
CLOCKS_DIFFER_SECONDS = 600.0
# A server touches its directory at each sweep, hourly: one that missed three is no more.
GONE_SECONDS = 3 * 3600.0
UPLOADS = "uploads"

_OURS = re.compile(r"[0-9a-f]{16}")


def name_of_server(port: int, base_url: str, host: str | None = None) -> str:
    """Return the name of a server's directories: the same one after a restart."""
    said = f"{host or socket.gethostname()}\n{port}\n{base_url}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


class Place:
    """The directories of one server, ``<parent>/<name>/`` for what is returned and, in it, for uploads.

    Parameters
    ----------
    returns, uploads : Path
        Their parents, which may be the same.
    name : str
        Of this server.
    max_size : int, optional
        Bytes of one upload.
    max_returns_size : int, optional
        Bytes of all returned files together.
    min_free_space : int
        Bytes that stay free on the disk of the returned files.
    clock : callable
        Tells the time, in seconds since the epoch.
    """

    def __init__(
        self,
        returns: Path,
        uploads: Path,
        name: str,
        *,
        max_size: int | None = None,
        max_returns_size: int | None = None,
        min_free_space: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._parents = (returns, uploads)
        self._name = name
        self._clock = clock
        self.returns = ReturnsDir(
            returns / name, max_size=max_returns_size, min_free=min_free_space, clock=clock
        )
        self.uploads = UploadsDir(uploads / name / UPLOADS, max_size=max_size, clock=clock)

    def sweep(self) -> None:
        """Sweep this server's directories, then what other servers left. Blocks."""
        for sweep in (
            self.returns.sweep,
            self.uploads.sweep,
            *map(self._others, dict.fromkeys(self._parents)),
        ):
            try:
                sweep()
            except (OSError, StorageError):
                logger.exception("A directory could not be swept.")

    def _others(self, parent: Path) -> Callable[[], None]:
        def sweep() -> None:
            # Says to the others that this server lives.
            (parent / self._name).mkdir(0o700, exist_ok=True)
            os.utime(parent / self._name, (self._clock(), self._clock()))
            for directory in parent.iterdir():
                if directory.name != self._name and _OURS.fullmatch(directory.name) and directory.is_dir():
                    self._other(directory)

        return sweep

    def _other(self, directory: Path) -> None:
        touched = directory.stat()

        def later() -> float:
            return self._clock() - CLOCKS_DIFFER_SECONDS

        ReturnsDir(directory, clock=self._clock).sweep(late=CLOCKS_DIFFER_SECONDS)
        if self._clock() - touched.st_mtime >= GONE_SECONDS:
            uploads = directory / UPLOADS
            if uploads.is_dir():
                UploadsDir(uploads, clock=later).sweep()
            # Only what is empty by now.
            for empty in (uploads, directory):
                with suppress(OSError):
                    empty.rmdir()
        # Sweeping is no sign of its server's life.
        with suppress(FileNotFoundError):
            os.utime(directory, ns=(touched.st_atime_ns, touched.st_mtime_ns))
