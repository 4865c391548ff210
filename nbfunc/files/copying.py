"""One open file into another, by the operating system where it can."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

COPIED = 64 << 20
PIECE = 1 << 20


def copy(source: int, target: int, *, storing: Callable[[], AbstractContextManager[None]]) -> None:
    """Append to `target` what `source` holds from where it stands, as far as it reaches now.

    Parameters
    ----------
    source, target : int
        File descriptors.
    storing : callable
        Makes the context in which an error is the target's, not the source's.
    """
    # A log that grows while it is copied would never end. A size of 0 says nothing: files of /proc have it.
    size = os.fstat(source).st_size
    left = size - os.lseek(source, 0, os.SEEK_CUR) if size else sys.maxsize
    left -= _copied_by_system(source, target, left)
    while left > 0:
        piece = os.read(source, min(PIECE, left))
        if not piece:
            return
        left -= len(piece)
        with storing():
            view = memoryview(piece)
            while view:
                view = view[os.write(target, view) :]


def _copied_by_system(source: int, target: int, left: int) -> int:
    """Copy as much as the system does, and return how much that was."""
    if not hasattr(os, "copy_file_range"):
        return 0
    done = 0
    while done < left:
        try:
            copied = os.copy_file_range(source, target, min(COPIED, left - done))
        except OSError:
            break  # it cannot here, or the disk is full: then the plain copy says so
        if not copied:
            break  # the end, or a file system that says so too early
        done += copied
    return done
