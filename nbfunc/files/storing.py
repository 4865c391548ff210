"""What the system says about a directory, in words that say which one and what to do."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbfunc.errors import DiskFull, StorageError

_FULL = {
    errno.ENOSPC: os.strerror(errno.ENOSPC),
    errno.EDQUOT: "this account has used up its quota on that disk",
}
_ADVICE = {
    errno.EACCES: "This user may not write there: change its owner or mode",
    errno.EPERM: "This user may not write there: change its owner or mode",
    errno.EROFS: "Make it writable",
    errno.ENOTDIR: "It is a file, or below one: move that away",
    errno.EEXIST: "It is a file: move it away",
    errno.EFBIG: "A file grew larger than may be written there: raise the limit",
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n)",
}
_ANY_ADVICE = "Look at that directory and its disk"


@dataclass(frozen=True)
class Place:
    """A directory of ours, and the option that chose it.

    Parameters
    ----------
    path : Path
        Absolute.
    option : str
        Such as ``returns_dir``, for the advice in errors.
    """

    path: Path
    option: str

    def make(self) -> None:
        """Make the directory, and those above it that are missing, for their owner alone.

        One that exists stays as it is.

        Raises
        ------
        StorageError
            It cannot be made, or is no directory.
        """
        with self.storing():
            _make(self.path)

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Raise an `OSError` of the body as the `StorageError` that it is."""
        try:
            yield
        except OSError as error:
            raise self.error(error) from error

    def error(self, error: OSError) -> StorageError:
        """Return what an error of the system means here."""
        if error.errno in _FULL:
            return self.full(_FULL[error.errno])
        advice = _ADVICE.get(error.errno or 0, _ANY_ADVICE)
        return self.refused(error.strerror or str(error), advice)

    def refused(self, said: str, advice: str = _ANY_ADVICE) -> StorageError:
        """Return the error of a directory that does not take a file."""
        return StorageError(
            f"The directory {self.path} did not take a file: {said}. "
            f"{advice}, or choose another directory with {self.option}=."
        )

    def full(self, said: str) -> DiskFull:
        """Return the error of a disk without room."""
        return DiskFull(
            f"The directory {self.path} has no room for this file: {said}. "
            f"Free some space there, or choose a directory on another disk with {self.option}=."
        )


def _make(path: Path) -> None:
    missing = [path, *itertools.takewhile(lambda parent: not parent.exists(), path.parents)]
    for each in reversed(missing):
        try:
            os.mkdir(each, 0o700)
        except FileExistsError:
            if not each.is_dir():
                raise
