"""A kernel's own directory, for files of servers that have another disk; what dead kernels left goes.

A living kernel holds a lock on a file in its directory, which the system takes back however it dies.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from nbfunc.files.returns import ReturnsDir

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = "nbfunc-"
LOCK = ".lock"


class KernelFolder:
    """The directory; made when it is first needed.

    Parameters
    ----------
    parent : Path
        Where all kernels of this machine make theirs.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._path: Path | None = None
        self._returns: ReturnsDir | None = None
        self._lock = -1
        self._making = threading.Lock()

    @property
    def made(self) -> bool:
        """Whether there is one."""
        return self._path is not None

    @property
    def path(self) -> Path:
        """Where it is."""
        with self._making:
            if self._path is None:
                self._path = self._make()
            return self._path

    @property
    def returns(self) -> ReturnsDir:
        """What functions returned, until the server has fetched it."""
        path = self.path / "returns"
        with self._making:
            if self._returns is None:
                self._returns = ReturnsDir(path, promises=False)
            return self._returns

    def sweep(self) -> None:
        """Delete what no server fetched within its hour. Blocks."""
        if self._returns is not None:
            self._returns.sweep()

    def _make(self) -> Path:
        self._clear_away()
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
        if fcntl is not None:
            self._lock = os.open(path / "made", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Never to be seen unlocked.
            os.rename(path / "made", path / LOCK)
        atexit.register(shutil.rmtree, path, ignore_errors=True)
        return path

    def _clear_away(self) -> None:
        """Remove the directories of kernels that are no more."""
        if fcntl is None:
            return
        for path in self._parent.glob(f"{PREFIX}*"):
            with suppress(OSError):
                if os.lstat(path).st_uid != os.geteuid():
                    continue
                # Without a lock's file it is another program's, or was made this very moment.
                lock = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(lock)
