"""A file that appears under its name only when it is whole.

Where the system can, a draft has no name at all (``O_TMPFILE``), and a process that dies leaves nothing.
Elsewhere, as on NFS, it has a ``.part`` name that the sweep knows.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from nbfunc.errors import DiskFull
from nbfunc.files.copying import copy
from nbfunc.files.room import Room
from nbfunc.files.storing import Place

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Python has the name since 3.12. The number is that of most machines (x86, ARM, RISC-V); where it differs,
# the kernel refuses it, and the file is copied.
FICLONE = getattr(fcntl, "FICLONE", 0x40049409)

_UNNAMED = getattr(os, "O_TMPFILE", 0)
_BINARY = getattr(os, "O_BINARY", 0)
# What file systems and kernels without O_TMPFILE answer; old kernels see a directory opened for writing.
_NO_UNNAMED = {errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}

SLICE = 8 << 20
GATHERED = 256 << 10


class Draft:
    """A file being written.

    Parameters
    ----------
    place : Place
        The directory; made again if it is missing.
    part : str
        The name to have meanwhile, if it needs one.
    named : bool
        It needs one: something else writes it, by its path.
    room : Room, optional
        Asked before each write; by `check`, where something else writes.
    """

    def __init__(self, place: Place, part: str, *, named: bool = False, room: Room | None = None) -> None:
        self._place = place
        self._room = room
        self._written = 0
        self._by_others = named
        self._part = place.path / part
        self._gathered = bytearray()
        self._fd = -1
        with place.storing():
            try:
                self._fd, self._named = self._opened(named)
            except FileNotFoundError:
                place.make()
                self._fd, self._named = self._opened(named)

    def _opened(self, named: bool) -> tuple[int, bool]:
        if _UNNAMED and not named and os.path.isdir("/proc/self/fd"):
            try:
                return os.open(self._place.path, _UNNAMED | os.O_RDWR, 0o600), False
            except OSError as error:
                if error.errno not in _NO_UNNAMED:
                    raise
        return os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_RDWR | _BINARY, 0o600), True

    @property
    def path(self) -> Path:
        """Where a named draft is."""
        return self._part

    def write(self, piece: Any) -> None:
        """Add a piece; small ones are gathered.

        Raises
        ------
        TypeError
            It is not bytes.
        StorageError
            The disk did not take it.
        """
        view = _bytes(piece)
        # Copied at once: the maker of a small piece may fill the same buffer again.
        if len(view) < GATHERED:
            self._gathered += view
            if len(self._gathered) < GATHERED:
                return
            view = memoryview(b"")
        self._flush()
        self._append(view)

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, bytearray()
        self._append(memoryview(gathered))

    def _append(self, view: memoryview) -> None:
        self._check(len(view))
        with self._place.storing():
            _write(self._fd, view)
        self._written += len(view)

    def _check(self, more: int) -> None:
        if self._room is not None:
            self._room.check(self._written + more, more)

    def check(self) -> None:
        """Raise `DiskFull` if there is no room for what is in the file so far."""
        if self._room is None:
            return
        with self._place.storing():
            size = (os.fstat(self._fd) if self._fd >= 0 else os.stat(self._part)).st_size
        self._room.check(size, 0)
        # Of what came by `write` the disk was asked before.
        if self._by_others:
            self._room.check_disk()

    def take_in(self, source: int) -> None:
        """Add what the open file `source` holds: by a copy-on-write clone where the file system can."""
        if fcntl is not None:
            try:
                fcntl.ioctl(self._fd, FICLONE, source)
            except OSError:
                pass  # another file system, or one that cannot
            else:
                return
        self._check(os.fstat(source).st_size)
        copy(source, self._fd, storing=self._place.storing)

    def close(self) -> None:
        """Close the file; something else writes a named one."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def publish(self, name: Callable[[], str]) -> int:
        """Give the file its name, and return its size in bytes.

        Parameters
        ----------
        name : callable
            Asked when the file is whole.
        """
        self._flush()
        self.check()
        with self._place.storing():
            if not self._named:
                try:
                    return self._link(name())
                except OSError as error:
                    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                        raise
                self._place.make()
                self._name()
            # Closed before it has its name: NFS tells only here that the disk was full.
            self.close()
            size = os.stat(self._part).st_size
            os.rename(self._part, self._place.path / name())
            return size

    def _link(self, name: str) -> int:
        # With a src_dir_fd Python calls linkat and follows the link in /proc; the path is absolute,
        # so which one it is does not matter.
        os.link(
            f"/proc/self/fd/{self._fd}", self._place.path / name, src_dir_fd=self._fd, follow_symlinks=True
        )
        return os.fstat(self._fd).st_size

    def _name(self) -> None:
        """Copy a nameless file to its part: the directory is another one now, or /proc is not what it was."""
        source = self._fd
        self._fd = os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        self._named = True
        try:
            os.lseek(source, 0, os.SEEK_SET)
            copy(source, self._fd, storing=self._place.storing)
        finally:
            os.close(source)

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of it; what was not published is gone."""
        with suppress(OSError):
            self.close()
        if self._named:
            with suppress(OSError):
                self._part.unlink(missing_ok=True)


def try_writing(place: Place) -> None:
    """Raise what keeps a directory from being written to."""
    # A full disk is no reason not to start: the sweep may make room.
    with suppress(DiskFull), Draft(place, f"{0:011x}-{os.urandom(16).hex()}.part"):
        pass


def _bytes(piece: Any) -> memoryview:
    try:
        view = memoryview(piece)
    except TypeError:
        hint = ": encode text first" if isinstance(piece, str) else ""
        raise TypeError(
            f"FileResponse(chunks=) gave {type(piece).__name__}; each piece must be bytes{hint}."
        ) from None
    try:
        return view.cast("B")
    except (TypeError, ValueError):
        return memoryview(view.tobytes())  # strided, or of a format that cannot be seen as bytes


def _write(fd: int, view: memoryview) -> None:
    """Write all of it, in slices: between them signals are heard."""
    at = 0
    while at < len(view):
        at += os.write(fd, view[at : at + SLICE])
